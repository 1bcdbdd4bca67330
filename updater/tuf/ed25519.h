/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ed25519 signatures.  Wraps libsodium. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY_LEN 32
#define ED25519_SIG_LEN 64

/* Once, before the seal.  Returns 0 or -EIO. */
int ed25519_init(void);

/* Returns 0, or -EKEYREJECTED when it is not the key's signature. */
int ed25519_verify(const uint8_t *key, const void *bytes, size_t len,
		   const uint8_t *sig, size_t sig_len);
