/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/ed25519.h"

#include <errno.h>
#include <sodium.h>

_Static_assert(ED25519_KEY_LEN == crypto_sign_PUBLICKEYBYTES &&
		       ED25519_SIG_LEN == crypto_sign_BYTES,
	       "the lengths are libsodium's");

int
ed25519_init(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

int
ed25519_verify(const uint8_t *key, const void *bytes, size_t len,
	       const uint8_t *sig, size_t sig_len)
{
	if (sig_len != ED25519_SIG_LEN ||
	    crypto_sign_verify_detached(sig, bytes, len, key) != 0)
		return -EKEYREJECTED;
	return 0;
}
