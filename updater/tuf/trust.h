/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client workflow of The Update Framework 1.0.34 as a state machine over
 * bytes.  It reads no file, asks no clock and keeps nothing: its caller asks
 * what is wanted, hands it in or says that it is not there, and stores what he
 * is told to.
 *
 *	trust_new(...);
 *	for (trust_next(t, &w); w.from; trust_next(t, &w))
 *		bytes = read or download w.file, w.size_max at most
 *		trust_take(t, bytes, ..., &taken, why) or trust_absent(t, why)
 *		remove and write what `taken` says
 *	trust_find(t, "name", why), the same loop again, trust_found(...)
 *
 * Errors, each with a reason for people:
 *	-EBADMSG	malformed, or of another type than was asked for
 *	-EPROTONOSUPPORT of another major version of the specification
 *	-EKEYREJECTED	too few good signatures, or a keyid that is no hash
 *	-ENOPKG		signatures of a kind that this machine cannot verify
 *	-ENOKEY		the policy wants hybrid signatures
 *	-EPROTO		another version than was announced
 *	-EBADE, -EFBIG	another hash, another length
 *	-ESTALE		older than what was seen before
 *	-EKEYEXPIRED	expired at the time that was handed in
 *	-ENOENT		not on the mirror, or not in the snapshot
 *	-ENOMEM, -EIO
 * After an error of a refresh nothing more is wanted: begin anew, from what is
 * stored.  After an error of a search only the search is over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/metadata.h"

struct policy;
struct reason;
struct target;
struct trust;

#define TRUST_FILE_SIZE 320 /* a role's name encoded, and a version */
#define TRUST_ROOTS_MAX 256 /* new roots in one refresh; the rest waits */
/* Bytes, where no other file gives the length.  The largest known root with
   ML-DSA-87 has 72 KB. */
#define TRUST_ROOT_MAX (512 * 1024)
#define TRUST_TIMESTAMP_MAX (64 * 1024)
#define TRUST_SNAPSHOT_MAX (4 * 1024 * 1024)
#define TRUST_TARGETS_MAX (8 * 1024 * 1024)
/* And where it does: more is refused. */
#define TRUST_LISTED_MAX (64 * 1024 * 1024)

enum trust_from {
	TRUST_NOTHING = 0, /* it is done */
	TRUST_STORED,	   /* what was stored before */
	TRUST_REMOTE,	   /* from the mirror */
};

struct trust_wanted {
	enum trust_from from;
	char file[TRUST_FILE_SIZE]; /* as file name, and as part of a URL */
	size_t size_max;	    /* bytes; stop when there are more */
};

/* What to do before anything else is asked. */
struct trust_taken {
	bool forget; /* remove timestamp.json and snapshot.json, first */
	bool store;  /* then write these bytes to `file`, whole or not at all */
	char file[TRUST_FILE_SIZE];
};

/* Once, before the seal: the libraries.  Returns 0 or -errno. */
int trust_init(void);

/*
 * Begins a refresh from the trusted root's bytes at time now_s (seconds since
 * 1970), which stands still until the end.  The policy is borrowed.  Returns 0
 * or an error as above.
 */
int trust_new(const void *root, size_t len, const struct policy *policy,
	      int64_t now_s, struct trust **ret_trust, struct reason *why);
void trust_free(struct trust *trust);
void trust_freep(struct trust **trust);

void trust_next(const struct trust *trust, struct trust_wanted *ret_wanted);

/*
 * The bytes of what trust_next() wants.  Returns 0 or an error as above; what
 * was stored and is no longer good is no error: it is wanted from the mirror
 * then.
 */
int trust_take(struct trust *trust, const void *bytes, size_t len,
	       struct trust_taken *ret_taken, struct reason *why);
/* There is no such file.  Any other failure to get one ends the refresh, or the
   search. */
int trust_absent(struct trust *trust, struct reason *why);

/*
 * Begins to search for a target, once nothing is wanted, or in place of another
 * search.  Returns 0; -EINVAL when the name is none, or the refresh is not
 * complete; -ENOMEM; errors of the
 * first role to look into.
 */
int trust_find(struct trust *trust, const char *name, struct reason *why);

/*
 * Once nothing is wanted: the target (valid until the next search) and whether
 * its file's name carries a hash.  Returns 0 or -ENOENT.
 */
int trust_found(const struct trust *trust, struct target *ret_target,
		bool *ret_consistent);

struct trust_time {
	int64_t version;
	int64_t issued_s; /* since 1970; 0: the role does not say it */
	int64_t expires_s;
};

struct trust_times {
	struct trust_time roles[METADATA_TYPES]; /* all 0: not trusted yet */
	/* The role that expires first, of these and of the delegated ones
	   that were looked into; the name is valid until the next search. */
	const char *first;
	struct trust_time end;
};

/* Of what is trusted so far, also after an error. */
void trust_times(const struct trust *trust, struct trust_times *ret_times);

/*
 * The newest time at which a file was signed that had the signatures it needs,
 * delegated roles included, and also one that was refused for another reason:
 * it is at least as late as that.  0: none said so.  An online key that was
 * stolen can put this into the future; a floor that lasts should only follow
 * root and targets, whose times trust_times() has.
 */
int64_t trust_newest_issued(const struct trust *trust);
