/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/sign.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/key.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

/* 16 MiB: what libcrypto's reader allows by itself is 32.  Five rounds make up
   for that, as OWASP's table of equal strengths has it. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
#define GROUP "P-256"
#define GROUP_SIZE 32
#define RAW_MAX 64 /* of a public key that is written raw */
/* What ML-DSA signs instead of the metadata: TAP 21, version 1. */
#define PREFIX "tuf\x01"
#define PREFIX_LEN 4

struct scheme {
	const char *option;   /* for people; NULL: read only */
	const char *type;     /* as metadata has it */
	const char *name;     /* the same */
	const char *internal; /* as the library has it */
	const char *hash;     /* NULL: the scheme has its own */
	bool raw;	      /* the public half is hexadecimal, not PEM */
	bool prefixed;
};

static const struct scheme schemes[] = {
	{ "ed25519", "ed25519", "ed25519", "ED25519", NULL, true, false },
	{ "ecdsa-p256", "ecdsa", "ecdsa-sha2-nistp256", "EC", "SHA256", false,
	  false },
	{ NULL, "rsa", "rsassa-pss-sha256", "RSA", "SHA256", false, false },
	{ "ml-dsa-44", "ml-dsa", "ml-dsa-44/1", "ML-DSA-44", NULL, false,
	  true },
	{ "ml-dsa-65", "ml-dsa", "ml-dsa-65/1", "ML-DSA-65", NULL, false,
	  true },
	{ "ml-dsa-87", "ml-dsa", "ml-dsa-87/1", "ML-DSA-87", NULL, false,
	  true },
};

#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

struct sign_key {
	const struct scheme *scheme;
	EVP_PKEY *pair;
};

const char *
sign_schemes(void)
{
	return "ed25519, ecdsa-p256, ml-dsa-44, ml-dsa-65, ml-dsa-87";
}

void
sign_free(struct sign_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pair); /* which wipes it */
	free(key);
}

void
sign_freep(struct sign_key **key)
{
	sign_free(*key);
	*key = NULL;
}

/* Takes the pair. */
static int
make(const struct scheme *scheme, EVP_PKEY *pair, struct sign_key **ret_key)
{
	struct sign_key *key = calloc(1, sizeof(*key));

	if (!key) {
		EVP_PKEY_free(pair);
		return -ENOMEM;
	}
	key->scheme = scheme;
	key->pair = pair;
	*ret_key = key;
	return 0;
}

static bool
is_known(const struct scheme *scheme)
{
	EVP_KEYMGMT *found = EVP_KEYMGMT_fetch(NULL, scheme->internal, NULL);

	EVP_KEYMGMT_free(found);
	ERR_clear_error();
	return found != NULL;
}

int
sign_new(const char *option, struct sign_key **ret_key, struct reason *why)
{
	const struct scheme *scheme = NULL;
	EVP_PKEY *pair;

	for (size_t i = 0; i < SCHEMES; i++)
		if (schemes[i].option && str_equal(schemes[i].option, option))
			scheme = &schemes[i];
	if (!scheme)
		return reason_set(why, -EINVAL,
				  "%.64s is no scheme for new keys: %s", option,
				  sign_schemes());
	if (!is_known(scheme))
		return reason_set(why, -ENOPKG,
				  "%s has no %s: that takes OpenSSL 3.5, as in "
				  "Debian 13",
				  libcrypto_version(), scheme->internal);
	if (str_equal(scheme->internal, "EC"))
		pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", GROUP);
	else
		pair = EVP_PKEY_Q_keygen(NULL, NULL, scheme->internal);
	if (!pair)
		return reason_set(why, -EIO, "libcrypto makes no %s key",
				  scheme->option);
	return make(scheme, pair, ret_key);
}

static X509_SIG *
read_box(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509_SIG *box = NULL;

	if (bio)
		box = PEM_read_bio_PKCS8(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return box;
}

static const struct scheme *
scheme_of(const EVP_PKEY *pair)
{
	char group[GROUP_SIZE] = "";

	for (size_t i = 0; i < SCHEMES; i++) {
		if (EVP_PKEY_is_a(pair, schemes[i].internal) != 1)
			continue;
		if (!str_equal(schemes[i].internal, "EC"))
			return &schemes[i];
		(void)EVP_PKEY_get_group_name(pair, group, sizeof(group), NULL);
		return str_equal(group, "prime256v1") ? &schemes[i] : NULL;
	}
	return NULL;
}

static int
open_box(const X509_SIG *box, const char *passphrase, EVP_PKEY **ret_pair,
	 struct reason *why)
{
	PKCS8_PRIV_KEY_INFO *inner =
		PKCS8_decrypt(box, passphrase, (int)strlen(passphrase));

	ERR_clear_error();
	if (!inner)
		return reason_set(why, -EKEYREJECTED,
				  "the passphrase is wrong");
	*ret_pair = EVP_PKCS82PKEY(inner);
	PKCS8_PRIV_KEY_INFO_free(inner);
	ERR_clear_error();
	if (!*ret_pair)
		return reason_set(why, -ENOPKG,
				  "is a key of a kind that %s does not know: "
				  "ML-DSA takes OpenSSL 3.5, as in Debian 13",
				  libcrypto_version());
	return 0;
}

int
sign_read(const char *pem, const char *passphrase, struct sign_key **ret_key,
	  struct reason *why)
{
	X509_SIG *box = read_box(pem);
	EVP_PKEY *pair = NULL;

	if (!box)
		return reason_set(why, -EBADMSG,
				  "is no encrypted key (PKCS#8 in PEM): "
				  "khien-repo key new makes one, and openssl "
				  "pkcs8 -topk8 -scrypt encrypts another's");
	int r = open_box(box, passphrase, &pair, why);
	X509_SIG_free(box);
	if (r < 0)
		return r;
	const struct scheme *scheme = scheme_of(pair);
	if (!scheme) {
		EVP_PKEY_free(pair);
		return reason_set(why, -ENOPKG,
				  "is a key of a kind that signs no metadata; "
				  "known are %s, and RSA",
				  sign_schemes());
	}
	return make(scheme, pair, ret_key);
}

/* A copy of what was written to bio, ended by NUL; NULL: no memory. */
static char *
text_of(BIO *bio)
{
	char *start;
	long len = BIO_get_mem_data(bio, &start);

	return len > 0 ? strndup(start, (size_t)len) : NULL;
}

static X509_SIG *
close_box(const EVP_PKEY *pair, const char *passphrase)
{
	PKCS8_PRIV_KEY_INFO *inner = EVP_PKEY2PKCS8(pair);
	X509_ALGOR *way = PKCS5_pbe2_set_scrypt(
		EVP_aes_256_cbc(), NULL, 0, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	X509_SIG *box = NULL;

	if (inner && way)
		box = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), inner,
				     way); /* which takes the way */
	if (!box)
		X509_ALGOR_free(way);
	PKCS8_PRIV_KEY_INFO_free(inner);
	return box;
}

int
sign_write(const struct sign_key *key, const char *passphrase, char **ret_pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509_SIG *box = close_box(key->pair, passphrase);
	char *pem = NULL;

	if (bio && box && PEM_write_bio_PKCS8(bio, box) == 1)
		pem = text_of(bio);
	X509_SIG_free(box);
	BIO_free(bio);
	ERR_clear_error();
	if (!pem)
		return -EIO;
	*ret_pem = pem;
	return 0;
}

const char *
sign_type(const struct sign_key *key)
{
	return key->scheme->type;
}

const char *
sign_scheme(const struct sign_key *key)
{
	return key->scheme->name;
}

static char *
public_raw(const EVP_PKEY *pair)
{
	uint8_t raw[RAW_MAX];
	size_t len = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(pair, raw, &len) != 1)
		return NULL;
	char *text = malloc(2 * len + 1);
	if (text)
		str_hex(text, raw, len);
	return text;
}

char *
sign_public(const struct sign_key *key)
{
	if (key->scheme->raw)
		return public_raw(key->pair);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	if (bio && PEM_write_bio_PUBKEY(bio, key->pair) == 1)
		text = text_of(bio);
	BIO_free(bio);
	ERR_clear_error();
	return text;
}

/* What the scheme signs instead of the bytes; dst has room for it. */
static int
prefix(const void *bytes, size_t len, uint8_t *dst, size_t *ret_len)
{
	CLEANUP(libcrypto_sum_freep)
	struct libcrypto_sum *sum = libcrypto_sum_new(LIBCRYPTO_SHA512);
	size_t sum_len;

	if (!sum)
		return -ENOMEM;
	int r = libcrypto_sum_add(sum, bytes, len);
	if (r == 0)
		r = libcrypto_sum_end(sum, dst + PREFIX_LEN, &sum_len);
	if (r == 0)
		*ret_len = PREFIX_LEN + sum_len;
	return r;
}

static bool
sign(EVP_MD_CTX *context, const struct sign_key *key, const void *bytes,
     size_t len, uint8_t *sig, size_t *sig_len)
{
	const struct scheme *scheme = key->scheme;
	EVP_PKEY_CTX *inner;

	if (EVP_DigestSignInit_ex(context, &inner, scheme->hash, NULL, NULL,
				  key->pair, NULL) != 1)
		return false;
	if (str_equal(scheme->internal, "RSA") &&
	    (EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_DIGEST) !=
		     1))
		return false;
	return EVP_DigestSign(context, sig, sig_len, bytes, len) == 1;
}

int
sign_bytes(const struct sign_key *key, const void *bytes, size_t len,
	   char **ret_sig)
{
	uint8_t message[PREFIX_LEN + LIBCRYPTO_SUM_MAX] = PREFIX;
	CLEANUP_FREE uint8_t *sig = malloc(KEY_SIG_MAX);
	CLEANUP_FREE char *text = malloc(2 * KEY_SIG_MAX + 1);
	size_t sig_len = KEY_SIG_MAX;

	if (!sig || !text)
		return -ENOMEM;
	if (key->scheme->prefixed) {
		int r = prefix(bytes, len, message, &len);
		if (r < 0)
			return r;
		bytes = message;
	}
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context && sign(context, key, bytes, len, sig, &sig_len);
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (!done)
		return -EIO;
	str_hex(text, sig, sig_len);
	*ret_sig = TAKE(text);
	return 0;
}
