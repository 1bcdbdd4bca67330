/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What need not be scanned again, in the kernel and here.
 *
 * A file that no unprivileged user can write, nor could a moment ago, is made
 * known to the kernel, which then asks nothing at all.  Any other is remembered
 * here, and the kernel asks when it is executed; that it is opened the kernel
 * does not ask again until it was written to.  For a shared writable mapping
 * changes a file without any sign, and only its close, which comes in the same
 * queue as the next execution, tells of it.  See cache.h for the proof.  It may
 * be behind the execution, though, from between that question and its answer:
 * then nothing remembered counts, and the file is scanned with writers kept
 * away.
 *
 * A file that somebody holds open to write, a journal or a database, is
 * remembered for who opens it alone, and while its size and times stay: no
 * write(2) that began after the scan leaves them as they were, see
 * ident_is_settled().  What such a holder changes through a mapping, or by a
 * write that had begun before, is seen when he closes it, as above.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/gate/cache.h"

struct barred;
struct hold;
struct ident;
struct msg_verdict;
struct notify;
struct question;
struct recall;

/* Borrows all of them.  NULL: no memory. */
struct recall *recall_new(struct cache *cache, struct notify *notify,
			  struct hold *hold, struct barred *barred);
void recall_free(struct recall *recall);

/* Whether who opens or executes waits for us; forgets everything clean. */
void recall_set_asking(struct recall *recall, bool asking);

/* The rules may have changed: what was clean is unknown. */
void recall_renew(struct recall *recall);
/* Counts recall_renew(): a scan that began before it proves nothing. */
uint32_t recall_generation(const struct recall *recall);

/*
 * The question's file, as it is when a scan of it begins now: it may have
 * waited long.  That it was looked at a little before proves as much, for what
 * changed since then differs from it.  Returns 0 or -errno of ident_read().
 */
int recall_look(const struct question *question, struct ident *ret_ident);

/*
 * What is known of the question's file, which is now as `ident` says; never
 * CACHE_STEADY.  `executed`: somebody waits to execute it; then CACHE_CLEAN
 * also means that writers are kept away until he does.
 */
enum cache_verdict recall_find(struct recall *recall,
			       const struct question *question,
			       const struct ident *ident, bool executed);

/*
 * The file behind fd was scanned while it was as `ident` says, under the
 * present rules.  Clean files that may change without a sign, or already did,
 * are not remembered, or as steady ones only.
 */
void recall_add(struct recall *recall, int fd, const struct ident *ident,
		enum cache_verdict verdict);

/*
 * The file behind fd was denied for what was found in it while it was as
 * `ident` says.  Remembered like a clean one, and forgotten like it.
 */
void recall_add_bad(struct recall *recall, int fd, const struct ident *ident,
		    const struct msg_verdict *verdict);

/*
 * The verdict on the question's file, which was as `ident` says when its scan
 * began: nobody maps it as code from now on, when it is `bad`, or anybody may
 * again.  That somebody only asked for a scan bars nobody, and a scan that
 * failed lets nobody go on.
 */
void recall_bar(struct recall *recall, const struct question *question,
		const struct ident *ident, const struct msg_verdict *verdict,
		bool bad);

/*
 * Whether who waits asks about a file that was denied: with what was found,
 * whose texts are borrowed until the next call; nobody has it open to write,
 * who could have made another of it.  `*ret_leads` as in denied_find().  That
 * it is still to be denied is the caller's to decide.
 */
bool recall_find_bad(struct recall *recall, const struct question *question,
		     const struct ident *ident, struct msg_verdict *ret_verdict,
		     bool *ret_leads);

/*
 * Before a scan on which an execution depends: keeps writers away, as far as
 * there may be any, until recall_unguard().  Returns a number for it; 0: there
 * is a writer, or nobody to be kept away.
 */
uint64_t recall_guard(struct recall *recall, int fd, const struct ident *ident);
void recall_unguard(struct recall *recall, uint64_t guard);

/*
 * Whether the clean file is still as `ident` says, was under that guard since
 * before its scan, and may now be executed by who waits for that; writers are
 * kept away until then.
 */
bool recall_secure(struct recall *recall, int fd, const struct ident *ident,
		   uint64_t guard);

/* It was closed after writing. */
void recall_forget(struct recall *recall, const struct question *question);

/* Forgets every file, but with `all` alone those that end scanners. */
void recall_clear(struct recall *recall, bool all);

struct recall_counts {
	uint64_t root, user; /* answered from memory: see enum trust */
	uint64_t steady;     /* the same, while somebody has it open to write */
	uint64_t crashes;    /* refused to scan again */
	uint64_t marked;     /* made known to the kernel */
	uint64_t written;    /* open to write: remembered as steady at most */
};
void recall_count(const struct recall *recall,
		  struct recall_counts *ret_counts);
