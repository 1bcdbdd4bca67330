/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passphrases: from the terminal without echo, or from a file; never from the
 * command line, which every process of the machine can read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct reason;

#define PASSPHRASE_SIZE 1024
#define PASSPHRASE_LEN_MIN 8 /* of a new one */

struct passphrase {
	char text[PASSPHRASE_SIZE]; /* locked in memory where that is allowed */
};

/*
 * `about` is what is asked for: a key's name.  `file` is NULL for the
 * terminal, where a new one is asked for twice.  Returns 0; -EINVAL and why;
 * -ENOTTY when there is no terminal; -errno.  passphrase_wipe() in any case.
 */
int passphrase_get(struct passphrase *ret_passphrase, const char *about,
		   const char *file, bool is_new, struct reason *why);
void passphrase_wipe(struct passphrase *passphrase);
