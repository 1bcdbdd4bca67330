/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 and SHA-512, and signatures by keys in PEM.  Wraps OpenSSL's
 * libcrypto, 3.0 or newer; what this one lacks is found out when it runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBCRYPTO_SUM_MAX 64
#define LIBCRYPTO_RSA_BITS_MIN 2048 /* the specification's */
#define LIBCRYPTO_RSA_BITS_MAX 8192 /* above, checking takes too long */

enum libcrypto_hash {
	LIBCRYPTO_SHA256,
	LIBCRYPTO_SHA512,
};

enum libcrypto_scheme {
	LIBCRYPTO_ECDSA_P256, /* with SHA-256, DER */
	LIBCRYPTO_RSA_PSS,    /* with SHA-256 */
	LIBCRYPTO_ML_DSA_44,  /* pure, empty context */
	LIBCRYPTO_ML_DSA_65,
	LIBCRYPTO_ML_DSA_87,
};

/* Once, before the seal; asks for no configuration file. 0 or -ENOTSUP. */
int libcrypto_init(void);

/* "OpenSSL 3.0.22 25 Aug 2026": static. */
const char *libcrypto_version(void);

/* Whether this libcrypto has the scheme. */
bool libcrypto_has(enum libcrypto_scheme scheme);

/* A hash of what is added.  NULL: no memory, or no such hash here. */
struct libcrypto_sum;
struct libcrypto_sum *libcrypto_sum_new(enum libcrypto_hash hash);
/* Each returns 0 or -EIO; sum_end() writes up to LIBCRYPTO_SUM_MAX bytes. */
int libcrypto_sum_add(struct libcrypto_sum *sum, const void *bytes, size_t len);
int libcrypto_sum_end(struct libcrypto_sum *sum, uint8_t *dst, size_t *ret_len);
void libcrypto_sum_free(struct libcrypto_sum *sum);
void libcrypto_sum_freep(struct libcrypto_sum **sum);

/* All at once, as lower-case hexadecimal digits: 0, -ENOMEM or -EIO. */
int libcrypto_sum_text(enum libcrypto_hash hash, const void *bytes, size_t len,
		       char dst[2 * LIBCRYPTO_SUM_MAX + 1]);

/*
 * A public key.  Returns 0; -EBADMSG when the text is no key for that scheme,
 * also an RSA key of a length outside the bounds above; -ENOPKG when this
 * libcrypto lacks the scheme; -ENOMEM.
 */
struct libcrypto_key;
int libcrypto_key_new(enum libcrypto_scheme scheme, const char *pem,
		      struct libcrypto_key **ret_key);
void libcrypto_key_free(struct libcrypto_key *key);
/* Whether both are one key, however it was written. */
bool libcrypto_key_equal(const struct libcrypto_key *a,
			 const struct libcrypto_key *b);

/* Returns 0, -EKEYREJECTED when it is not the signature, -ENOMEM. */
int libcrypto_verify(const struct libcrypto_key *key, const void *bytes,
		     size_t len, const uint8_t *sig, size_t sig_len);
