/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/libcrypto.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define GROUP_SIZE 32 /* of the name of a curve */
#define P256 "prime256v1"

struct libcrypto_sum {
	EVP_MD_CTX *context;
};

struct libcrypto_key {
	enum libcrypto_scheme scheme;
	EVP_PKEY *key;
};

static const struct {
	const char *type; /* of the key, as the library calls it */
	const char *hash; /* NULL: the scheme has its own */
} schemes[] = {
	[LIBCRYPTO_ECDSA_P256] = { "EC", "SHA256" },
	[LIBCRYPTO_RSA_PSS] = { "RSA", "SHA256" },
	[LIBCRYPTO_ML_DSA_44] = { "ML-DSA-44", NULL },
	[LIBCRYPTO_ML_DSA_65] = { "ML-DSA-65", NULL },
	[LIBCRYPTO_ML_DSA_87] = { "ML-DSA-87", NULL },
};

int
libcrypto_init(void)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_ADD_ALL_DIGESTS |
					OPENSSL_INIT_NO_LOAD_CONFIG,
				NULL) != 1)
		return -ENOTSUP;
	return libcrypto_has(LIBCRYPTO_ECDSA_P256) ? 0 : -ENOTSUP;
}

const char *
libcrypto_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

bool
libcrypto_has(enum libcrypto_scheme scheme)
{
	EVP_KEYMGMT *found =
		EVP_KEYMGMT_fetch(NULL, schemes[scheme].type, NULL);

	EVP_KEYMGMT_free(found);
	ERR_clear_error();
	return found != NULL;
}

struct libcrypto_sum *
libcrypto_sum_new(enum libcrypto_hash hash)
{
	const EVP_MD *md =
		hash == LIBCRYPTO_SHA256 ? EVP_sha256() : EVP_sha512();
	CLEANUP(libcrypto_sum_freep)
	struct libcrypto_sum *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return NULL;
	sum->context = EVP_MD_CTX_new();
	if (!sum->context || EVP_DigestInit_ex(sum->context, md, NULL) != 1)
		return NULL;
	return TAKE(sum);
}

int
libcrypto_sum_add(struct libcrypto_sum *sum, const void *bytes, size_t len)
{
	return EVP_DigestUpdate(sum->context, bytes, len) == 1 ? 0 : -EIO;
}

int
libcrypto_sum_end(struct libcrypto_sum *sum, uint8_t *dst, size_t *ret_len)
{
	unsigned int len;

	if (EVP_DigestFinal_ex(sum->context, dst, &len) != 1)
		return -EIO;
	*ret_len = len;
	return 0;
}

void
libcrypto_sum_free(struct libcrypto_sum *sum)
{
	if (!sum)
		return;
	EVP_MD_CTX_free(sum->context);
	free(sum);
}

void
libcrypto_sum_freep(struct libcrypto_sum **sum)
{
	libcrypto_sum_free(*sum);
	*sum = NULL;
}

int
libcrypto_sum_text(enum libcrypto_hash hash, const void *bytes, size_t len,
		   char dst[2 * LIBCRYPTO_SUM_MAX + 1])
{
	CLEANUP(libcrypto_sum_freep)
	struct libcrypto_sum *sum = libcrypto_sum_new(hash);
	uint8_t out[LIBCRYPTO_SUM_MAX];
	size_t out_len;

	if (!sum)
		return -ENOMEM;
	int r = libcrypto_sum_add(sum, bytes, len);
	if (r == 0)
		r = libcrypto_sum_end(sum, out, &out_len);
	if (r == 0)
		str_hex(dst, out, out_len);
	return r;
}

static EVP_PKEY *
read_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	char password[] = ""; /* so that nobody is asked for one */
	EVP_PKEY *key = NULL;

	if (bio)
		key = PEM_read_bio_PUBKEY(bio, NULL, NULL, password);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool
suits(const EVP_PKEY *key, enum libcrypto_scheme scheme)
{
	char group[GROUP_SIZE] = "";

	if (EVP_PKEY_is_a(key, schemes[scheme].type) != 1)
		return false;
	if (scheme == LIBCRYPTO_RSA_PSS)
		return EVP_PKEY_get_bits(key) >= LIBCRYPTO_RSA_BITS_MIN &&
		       EVP_PKEY_get_bits(key) <= LIBCRYPTO_RSA_BITS_MAX;
	if (scheme != LIBCRYPTO_ECDSA_P256)
		return true;
	return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       str_equal(group, P256);
}

int
libcrypto_key_new(enum libcrypto_scheme scheme, const char *pem,
		  struct libcrypto_key **ret_key)
{
	if (!libcrypto_has(scheme))
		return -ENOPKG;
	struct libcrypto_key *key = calloc(1, sizeof(*key));
	if (!key)
		return -ENOMEM;
	key->scheme = scheme;
	key->key = read_pem(pem);
	if (!key->key || !suits(key->key, scheme)) {
		libcrypto_key_free(key);
		ERR_clear_error();
		return -EBADMSG;
	}
	*ret_key = key;
	return 0;
}

void
libcrypto_key_free(struct libcrypto_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->key);
	free(key);
}

bool
libcrypto_key_equal(const struct libcrypto_key *a,
		    const struct libcrypto_key *b)
{
	bool equal = EVP_PKEY_eq(a->key, b->key) == 1;

	ERR_clear_error();
	return equal;
}

/* Whether the context is ready for the scheme. */
static bool
prepare(EVP_MD_CTX *context, const struct libcrypto_key *key)
{
	EVP_PKEY_CTX *inner;

	if (EVP_DigestVerifyInit_ex(context, &inner, schemes[key->scheme].hash,
				    NULL, NULL, key->key, NULL) != 1)
		return false;
	if (key->scheme != LIBCRYPTO_RSA_PSS)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) ==
		       1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_AUTO) ==
		       1;
}

int
libcrypto_verify(const struct libcrypto_key *key, const void *bytes, size_t len,
		 const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context)
		return -ENOMEM;
	bool good = prepare(context, key) &&
		    EVP_DigestVerify(context, sig, sig_len, bytes, len) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good ? 0 : -EKEYREJECTED;
}
