/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository that signs whatever it is told to, and a client's folder: what
 * the tests of this folder share.  Keys are made as they are needed.
 * Whatever fails here fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/metadata.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"

#define FORGE_NOW_S 1800000000 /* 2027-01-15 */
#define FORGE_FUTURE "2030-01-01T00:00:00Z"
#define FORGE_PAST "2020-01-01T00:00:00Z"
#define FORGE_FILES_MAX 1500
#define FORGE_KEYS_MAX 8

struct trust;

enum forge_kind {
	FORGE_ED25519,
	FORGE_ECDSA,
	FORGE_RSA,
	FORGE_ML_DSA,
	FORGE_UNKNOWN, /* a scheme that nobody knows */
	/* Ed25519's scheme with the type of an ECDSA key. */
	FORGE_MIXED,
	/* Said to be what they are not: P-384 as P-256, too short, an RSA key
	   as an ECDSA one, one for PSS alone as one for all, ML-DSA-65 as
	   ML-DSA-87. */
	FORGE_P384,
	FORGE_RSA_SHORT,
	FORGE_RSA_AS_ECDSA,
	FORGE_RSA_PSS,
	FORGE_ML_DSA_65_AS_87,
	/* Longer than anybody checks; nobody can sign with it. */
	FORGE_RSA_LONG,
};

struct forge_key;
/* Live until forge_done() or forge_free(). */
struct forge_key *forge_key_new(enum forge_kind kind);
/* The same key under another keyid. */
struct forge_key *forge_key_again(const struct forge_key *key);
void forge_done(void);
const char *forge_key_id(const struct forge_key *key);
/* "ID":{...}, as it stands among keys. */
const char *forge_key_member(const struct forge_key *key);

/* As printf(3); to be freed with free(). */
char *forge_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* SHA-256 of the canonical form, in digits; to be freed with free(). */
char *forge_sum(const char *json);

/* Who signs for a role and who may. */
struct forge_role {
	struct forge_key *keys[FORGE_KEYS_MAX]; /* listed; NULL ends */
	struct forge_key *sign[FORGE_KEYS_MAX]; /* sign in fact */
	int threshold;
	const char *expires;
	int version;
	bool with_hashes;   /* of what it lists: snapshot and timestamp */
	const char *issued; /* when it was signed; NULL: it does not say */
};

/* "keyids":[...],"threshold":N */
char *forge_signers(const struct forge_role *role);
/* The keys of some roles as an object, each once; NULL ends. */
char *forge_keys(const struct forge_role *const *roles);
/* {"signatures":[...],"signed":BODY}; body is freed. */
char *forge_sign(char *body, struct forge_key *const *keys);

struct forge_files {
	struct {
		char name[128];
		char *text;
		size_t len;
	} list[FORGE_FILES_MAX];
	size_t len;
};
/* Takes text; in place of what has that name. */
void forge_put(struct forge_files *files, const char *name, char *text);
void forge_remove(struct forge_files *files, const char *name);
const char *forge_get(const struct forge_files *files, const char *name);

struct forge {
	struct forge_role roles[METADATA_TYPES];
	bool consistent;
	const char *spec;
	const char *targets;	 /* members of "targets" */
	const char *delegations; /* "" or ,"delegations":{...} */
	const char *listed;	 /* further members of the snapshot's "meta" */
	const char *root_more;	 /* further members of the root */
	struct policy policy;
	struct forge_files mirror, stored;
	char asked[2048]; /* files that the mirror was asked for, and a space */
	bool forgot;
	struct reason why;
};

/* One key a role, version 1 of everything published, root 1 stored. */
struct forge *forge_new(void);
void forge_free(struct forge *forge);

/* Publishes the role as it stands now. */
void forge_root(struct forge *forge);
void forge_targets(struct forge *forge);
void forge_snapshot(struct forge *forge);
void forge_timestamp(struct forge *forge);
/* Targets, snapshot and timestamp, each with its next version. */
void forge_publish(struct forge *forge);
/* A delegated role's file; FILE is its name encoded, `more` follows "targets".
   Signed as the role says, whose version is not used. */
void forge_put_role(struct forge *forge, const struct forge_role *role,
		    const char *file, int version, const char *targets,
		    const char *more);
/* ,"delegations":{...} to roles that all have the same keys: name, then further
   members.  To be freed with free(). */
char *forge_delegations(const struct forge_role *role,
			const char *const (*roles)[2], size_t len);
/* {"version":N} or with length and hashes: how `text` is listed. */
char *forge_listing(const char *text, int version, bool with_hashes);

/* The client's: a refresh, and then a search if target is not NULL.  Stores
   what it is told to.  Returns what updater/tuf did; `asked` and `why` are of
   this one. */
int forge_refresh(struct forge *forge, const char *target, int64_t *ret_length);

/* The same in two steps, the second as often as wanted.  The session is the
   caller's, also when the first fails; NULL: it did not begin. */
int forge_begin(struct forge *forge, struct trust **ret_trust);
int forge_find(struct forge *forge, struct trust *trust, const char *target,
	       int64_t *ret_length);
