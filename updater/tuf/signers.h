/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may sign for a role, and how many of them have to: the two lists that a
 * delegator gives, all its keys and each role's choice of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc_value;
struct key;
struct reason;

#define SIGNERS_KEYS_MAX 256 /* in one file; each costs a decoding */

struct signers_keys {
	struct key **list; /* owned */
	size_t len;
};

struct signers {
	const struct key **list; /* owned; the keys are signers_keys' */
	size_t len;
	int64_t threshold; /* at least 1; perhaps more than len */
};

/*
 * From the object of all keys.  Returns 0; -EBADMSG; -EKEYREJECTED (see
 * key_parse()); -ENOMEM.  *ret_keys must be zero before, and be released with
 * signers_keys_done() in any case.
 */
int signers_keys_parse(const struct doc_value *keys,
		       struct signers_keys *ret_keys, struct reason *why);
void signers_keys_done(struct signers_keys *keys);

/*
 * From an object with "keyids" and "threshold", of the role `name`.  Each key
 * must be there, and be named once.  Returns 0, -EBADMSG, -ENOMEM; zero
 * *ret_signers before and call signers_done() in any case.
 */
int signers_parse(const struct signers_keys *keys, const char *name,
		  const struct doc_value *role, struct signers *ret_signers,
		  struct reason *why);
void signers_done(struct signers *signers);

/* True when somebody among `old` is not among `now`. */
bool signers_lost(const struct signers *old, const struct signers *now);
