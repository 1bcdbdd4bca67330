/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tuf/forge.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/str.h"
#include "updater/tuf/canonical.h"

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			(void)fprintf(stderr, "forge: %s\n", #what);           \
			abort();                                               \
		}                                                              \
	} while (0)

#define SIG_MAX 8192
#define KEYS_MAX 2048 /* of one test */

struct forge_key {
	enum forge_kind kind;
	char id[65];
	char *member;
	char *public;
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	EVP_PKEY *pair;
};

static struct forge_key *made[KEYS_MAX];
static size_t made_len;

static const struct {
	const char *type, *scheme;
} words[] = {
	[FORGE_ED25519] = { "ed25519", "ed25519" },
	[FORGE_ECDSA] = { "ecdsa", "ecdsa-sha2-nistp256" },
	[FORGE_RSA] = { "rsa", "rsassa-pss-sha256" },
	[FORGE_ML_DSA] = { "ml-dsa", "ml-dsa-87/1" },
	[FORGE_UNKNOWN] = { "runes", "runes-1" },
	[FORGE_MIXED] = { "ecdsa", "ed25519" },
	[FORGE_P384] = { "ecdsa", "ecdsa-sha2-nistp256" },
	[FORGE_RSA_SHORT] = { "rsa", "rsassa-pss-sha256" },
	[FORGE_RSA_AS_ECDSA] = { "ecdsa", "ecdsa-sha2-nistp256" },
	[FORGE_RSA_PSS] = { "rsa", "rsassa-pss-sha256" },
	[FORGE_ML_DSA_65_AS_87] = { "ml-dsa", "ml-dsa-87/1" },
	[FORGE_RSA_LONG] = { "rsa", "rsassa-pss-sha256" },
};

char *
forge_text(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	CHECK(vasprintf(&text, format, args) >= 0);
	va_end(args);
	return text;
}

static uint8_t *
canonical_of(const char *json, size_t *ret_len)
{
	char why[200] = "";
	struct doc *doc;
	uint8_t *bytes;

	if (doc_parse(json, strlen(json), &doc, why, sizeof(why)) < 0)
		(void)fprintf(stderr, "forge: %s in %s\n", why, json);
	CHECK(!why[0]);
	CHECK(canonical_write(doc_root(doc), &bytes, ret_len, NULL) == 0);
	doc_free(doc);
	return bytes;
}

char *
forge_sum(const char *json)
{
	char digits[65];
	uint8_t sum[32];
	size_t len;

	uint8_t *bytes = canonical_of(json, &len);
	SHA256(bytes, len, sum);
	str_hex(digits, sum, sizeof(sum));
	free(bytes);
	return forge_text("%s", digits);
}

/* The member and the keyid, with `more` among what is hashed. */
static void
describe(struct forge_key *key, const char *more)
{
	CHECK(made_len < KEYS_MAX);
	made[made_len++] = key;
	char *json = forge_text("{\"keytype\":\"%s\",\"scheme\":\"%s\","
				"\"keyval\":{\"public\":\"%s\"}%s}",
				words[key->kind].type, words[key->kind].scheme,
				key->public, more);
	char *sum = forge_sum(json);
	(void)str_copy(key->id, sizeof(key->id), sum);
	key->member = forge_text("\"%s\":%s", key->id, json);
	free(sum);
	free(json);
}

static char *
pem_of(EVP_PKEY *pair)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *start, *text;

	CHECK(PEM_write_bio_PUBKEY(bio, pair) == 1);
	size_t len = (size_t)BIO_get_mem_data(bio, &start);
	CHECK(text = calloc(2, len + 1));
	for (size_t i = 0, at = 0; i < len; i++) {
		if (start[i] == '\n')
			text[at++] = '\\';
		text[at++] = start[i] == '\n' ? 'n' : start[i];
	}
	BIO_free(bio);
	return text;
}

/* Its algorithm is another one than that of a key for all of RSA. */
static EVP_PKEY *
make_rsa_pss(void)
{
	EVP_PKEY_CTX *context =
		EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *pair = NULL;

	CHECK(context && EVP_PKEY_keygen_init(context) == 1 &&
	      EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1 &&
	      EVP_PKEY_generate(context, &pair) == 1);
	EVP_PKEY_CTX_free(context);
	return pair;
}

/* Half a key: what it is the product of is not known. */
static EVP_PKEY *
make_rsa_long(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *product = BN_new();
	EVP_PKEY *pair = NULL;

	CHECK(context && builder && product &&
	      BN_rand(product, 8193, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) ==
		      1 &&
	      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, product) ==
		      1 &&
	      OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E,
					65537) == 1);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	CHECK(EVP_PKEY_fromdata_init(context) == 1 &&
	      EVP_PKEY_fromdata(context, &pair, EVP_PKEY_PUBLIC_KEY, params) ==
		      1);
	OSSL_PARAM_free(params);
	BN_free(product);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(context);
	return pair;
}

struct forge_key *
forge_key_new(enum forge_kind kind)
{
	struct forge_key *key = calloc(1, sizeof(*key));
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	char digits[2 * sizeof(public) + 1];

	CHECK(key && sodium_init() >= 0);
	key->kind = kind;
	if (kind == FORGE_ECDSA)
		key->pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	else if (kind == FORGE_P384)
		key->pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	else if (kind == FORGE_RSA || kind == FORGE_RSA_AS_ECDSA)
		key->pair = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	else if (kind == FORGE_RSA_SHORT)
		key->pair = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2047);
	else if (kind == FORGE_RSA_PSS)
		key->pair = make_rsa_pss();
	else if (kind == FORGE_RSA_LONG)
		key->pair = make_rsa_long();
	else if (kind == FORGE_ML_DSA_65_AS_87)
		key->pair = EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-65");
	else if (kind == FORGE_ML_DSA)
		key->pair = EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-87");
	else {
		CHECK(crypto_sign_keypair(public, key->secret) == 0);
		str_hex(digits, public, sizeof(public));
		key->public = forge_text("%s", digits);
	}
	if (!key->public) {
		CHECK(key->pair);
		key->public = pem_of(key->pair);
	}
	describe(key, "");
	return key;
}

struct forge_key *
forge_key_again(const struct forge_key *key)
{
	struct forge_key *again = calloc(1, sizeof(*again));

	CHECK(again);
	*again = *key;
	again->public = forge_text("%s", key->public);
	if (again->pair)
		EVP_PKEY_up_ref(again->pair);
	describe(again, ",\"x-owner\":\"another\"");
	return again;
}

void
forge_done(void)
{
	while (made_len) {
		struct forge_key *key = made[--made_len];
		free(key->member);
		free(key->public);
		EVP_PKEY_free(key->pair);
		free(key);
	}
}

const char *
forge_key_id(const struct forge_key *key)
{
	return key->id;
}

const char *
forge_key_member(const struct forge_key *key)
{
	return key->member;
}

static size_t
sign_by_pair(const struct forge_key *key, const uint8_t *bytes, size_t len,
	     uint8_t *sig)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t message[4 + 64] = "tuf\x01";
	EVP_PKEY_CTX *inner;
	size_t sig_len = SIG_MAX;

	bool whole =
		key->kind == FORGE_ML_DSA || key->kind == FORGE_ML_DSA_65_AS_87;
	if (whole) {
		SHA512(bytes, len, message + 4);
		bytes = message;
		len = sizeof(message);
	}
	CHECK(EVP_DigestSignInit_ex(context, &inner, whole ? NULL : "SHA256",
				    NULL, NULL, key->pair, NULL) == 1);
	if (key->kind == FORGE_RSA || key->kind == FORGE_RSA_PSS)
		CHECK(EVP_PKEY_CTX_set_rsa_padding(inner,
						   RSA_PKCS1_PSS_PADDING) == 1);
	CHECK(EVP_DigestSign(context, sig, &sig_len, bytes, len) == 1);
	EVP_MD_CTX_free(context);
	return sig_len;
}

char *
forge_sign(char *body, struct forge_key *const *keys)
{
	char *sigs = forge_text("%s", ""), *text;
	uint8_t sig[SIG_MAX];
	char digits[2 * SIG_MAX + 1];
	size_t len, sig_len;

	uint8_t *bytes = canonical_of(body, &len);
	for (; *keys; keys++) {
		sig_len = crypto_sign_BYTES;
		if ((*keys)->pair)
			sig_len = sign_by_pair(*keys, bytes, len, sig);
		else
			crypto_sign_detached(sig, NULL, bytes, len,
					     (*keys)->secret);
		str_hex(digits, sig, sig_len);
		char *more = forge_text("%s%s{\"keyid\":\"%s\",\"sig\":\"%s\"}",
					sigs, sigs[0] ? "," : "", (*keys)->id,
					digits);
		free(sigs);
		sigs = more;
	}
	text = forge_text("{\"signatures\":[%s],\"signed\":%s}", sigs, body);
	free(sigs);
	free(bytes);
	free(body);
	return text;
}

char *
forge_signers(const struct forge_role *role)
{
	char *ids = forge_text("%s", "");

	for (size_t i = 0; i < FORGE_KEYS_MAX && role->keys[i]; i++) {
		char *more = forge_text("%s%s\"%s\"", ids, i ? "," : "",
					role->keys[i]->id);
		free(ids);
		ids = more;
	}
	char *text = forge_text("\"keyids\":[%s],\"threshold\":%d", ids,
				role->threshold);
	free(ids);
	return text;
}

char *
forge_keys(const struct forge_role *const *roles)
{
	char *all = forge_text("%s", "");

	for (; *roles; roles++)
		for (size_t i = 0; i < FORGE_KEYS_MAX && (*roles)->keys[i];
		     i++) {
			const struct forge_key *key = (*roles)->keys[i];
			if (strstr(all, key->id))
				continue;
			char *more = forge_text("%s%s%s", all,
						all[0] ? "," : "", key->member);
			free(all);
			all = more;
		}
	return all;
}
