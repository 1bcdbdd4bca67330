/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256.  Wraps OpenSSL's libcrypto. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT_SIZE 65 /* 64 hexadecimal digits and a NUL */

struct digest;

/*
 * Looks up the algorithms, and those that libyara asks OpenSSL for, before
 * the jail is shut.  Returns 0 or -ENOTSUP.
 */
int digest_init(void);

/* NULL: no memory. */
struct digest *digest_new(void);
void digest_free(struct digest *digest);
void digest_freep(struct digest **digest);

/* Begins anew.  Each returns 0, or -EIO when the library failed. */
int digest_begin(struct digest *digest);
int digest_add(struct digest *digest, const uint8_t *bytes, size_t len);
/* Writes DIGEST_TEXT_SIZE bytes. */
int digest_end(struct digest *digest, char *dst);
