/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secret keys that a command line names, opened by their passphrases. */
#pragma once

#include <stddef.h>

struct args;
struct key;
struct metadata;
struct paper;
struct reason;
struct sign_key;

#define SECRET_KEYS_MAX 16

struct secret {
	struct sign_key *key; /* owned */
	struct key *half;     /* owned: its public half */
};

struct secrets {
	struct secret list[SECRET_KEYS_MAX];
	size_t len;
};

/*
 * Those of --key, or, when none is given, `otherwise` (a path, relative to
 * `dir`; NULL or "": none).  Returns 0; -EINVAL when there is none at all;
 * -EKEYREJECTED for a wrong passphrase; -errno; each with why, which names the
 * file.  secrets_done() in any case.
 */
int secrets_open(struct secrets *ret_secrets, const struct args *args, int dir,
		 const char *otherwise, struct reason *why);
void secrets_done(struct secrets *secrets);

/*
 * Signs the paper by each of the keys that the delegator has for it; *ret_count
 * says how many those were.  Returns 0 or an error with why.
 */
int secrets_sign(const struct secrets *secrets, struct paper *paper,
		 const struct metadata *delegator, size_t *ret_count,
		 struct reason *why);
