/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one form of a JSON value that is signed and hashed: names sorted by
 * their bytes, no space, '"' and '\' escaped and no other character, integers
 * only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct doc_value;
struct reason;

/*
 * The bytes, to be freed with free(); not ended by NUL.  Returns 0; -EBADMSG
 * when there is a number with a fraction or an exponent in it; -ENOMEM.
 */
int canonical_write(const struct doc_value *value, uint8_t **ret_bytes,
		    size_t *ret_len, struct reason *why);
