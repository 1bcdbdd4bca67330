/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/canonical.h"
#include "updater/tuf/ed25519.h"
#include "updater/tuf/hex.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

#define SCHEME_MAX 64
/* What ML-DSA signs instead of the metadata: TAP 21, version 1. */
#define PREFIX "tuf\x01"
#define PREFIX_LEN 4

enum way { WAY_NONE, WAY_ED25519, WAY_PEM, WAY_PEM_PREFIXED };

struct scheme {
	const char *type, *name;
	enum way way;
	enum libcrypto_scheme pem;
	enum key_kind kind;
};

static const struct scheme schemes[] = {
	{ "ed25519", "ed25519", WAY_ED25519, 0, KEY_CLASSICAL },
	{ "ecdsa", "ecdsa-sha2-nistp256", WAY_PEM, LIBCRYPTO_ECDSA_P256,
	  KEY_CLASSICAL },
	{ "rsa", "rsassa-pss-sha256", WAY_PEM, LIBCRYPTO_RSA_PSS,
	  KEY_CLASSICAL },
	{ "ml-dsa", "ml-dsa-44/1", WAY_PEM_PREFIXED, LIBCRYPTO_ML_DSA_44,
	  KEY_POST_QUANTUM },
	{ "ml-dsa", "ml-dsa-65/1", WAY_PEM_PREFIXED, LIBCRYPTO_ML_DSA_65,
	  KEY_POST_QUANTUM },
	{ "ml-dsa", "ml-dsa-87/1", WAY_PEM_PREFIXED, LIBCRYPTO_ML_DSA_87,
	  KEY_POST_QUANTUM },
};

struct key {
	char id[KEY_ID_SIZE];
	char scheme[SCHEME_MAX];
	enum key_kind kind;
	enum way way;
	uint8_t ed25519[ED25519_KEY_LEN];
	struct libcrypto_key *pem; /* owned */
};

void
key_free(struct key *key)
{
	if (!key)
		return;
	libcrypto_key_free(key->pem);
	free(key);
}

void
key_freep(struct key **key)
{
	key_free(*key);
	*key = NULL;
}

const char *
key_id(const struct key *key)
{
	return key->id;
}

const char *
key_scheme(const struct key *key)
{
	return key->scheme;
}

enum key_kind
key_kind(const struct key *key)
{
	return key->kind;
}

bool
key_has_post_quantum(void)
{
	return libcrypto_has(LIBCRYPTO_ML_DSA_87);
}

static int
check_id(const char *id, const struct doc_value *value, struct reason *why)
{
	char sum[2 * LIBCRYPTO_SUM_MAX + 1];
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	int r = canonical_write(value, &bytes, &len, why);
	if (r == 0)
		r = libcrypto_sum_text(LIBCRYPTO_SHA256, bytes, len, sum);
	if (r < 0)
		return r;
	if (!str_equal(id, sum))
		return reason_set(why, -EKEYREJECTED,
				  "lists a key as %.64s, which is not its hash",
				  id);
	return 0;
}

static const struct scheme *
find_scheme(const char *type, const char *name)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (str_equal(schemes[i].type, type) &&
		    str_equal(schemes[i].name, name))
			return &schemes[i];
	return NULL;
}

static int
load_ed25519(struct key *key, const char *text)
{
	size_t len;

	int r = hex_get(text, key->ed25519, sizeof(key->ed25519), &len);
	return r == 0 && len == ED25519_KEY_LEN ? 0 : -EBADMSG;
}

/* Returns 0, -EBADMSG or -ENOMEM. */
static int
load(struct key *key, const struct scheme *scheme, const char *text)
{
	key->kind = scheme->kind;
	key->way = scheme->way;
	if (key->way == WAY_ED25519)
		return load_ed25519(key, text);
	if (strlen(text) > KEY_PEM_MAX)
		return -EBADMSG;
	int r = libcrypto_key_new(scheme->pem, text, &key->pem);
	if (r == -ENOPKG) {
		key->kind = KEY_LACKING;
		return 0;
	}
	return r;
}

int
key_parse(const char *id, const struct doc_value *value, struct key **ret_key,
	  struct reason *why)
{
	const char *type = doc_text(value, "keytype");
	const char *name = doc_text(value, "scheme");
	const char *text = doc_text(value, "keyval.public");

	if (!type || !name || !doc_is_object(value, "keyval"))
		return reason_set(why, -EBADMSG, "lists %.64s, which is no key",
				  id);
	int r = check_id(id, value, why);
	if (r < 0)
		return r;
	CLEANUP(key_freep) struct key *key = calloc(1, sizeof(*key));
	if (!key)
		return -ENOMEM;
	(void)str_copy(key->id, sizeof(key->id), id);
	if (str_copy(key->scheme, sizeof(key->scheme), name) < 0)
		(void)str_copy(key->scheme, sizeof(key->scheme), "unknown");
	const struct scheme *scheme = find_scheme(type, name);
	if (scheme)
		r = text ? load(key, scheme, text) : -EBADMSG;
	if (r == -EBADMSG)
		return reason_set(why, r, "lists key %.64s, which is no %s key",
				  id, scheme->name);
	if (r == 0)
		*ret_key = TAKE(key);
	return r;
}

bool
key_equal(const struct key *a, const struct key *b)
{
	if (str_equal(a->id, b->id))
		return true;
	if (a->way != b->way)
		return false;
	if (a->way == WAY_ED25519)
		return memcmp(a->ed25519, b->ed25519, ED25519_KEY_LEN) == 0;
	return a->pem && b->pem && libcrypto_key_equal(a->pem, b->pem);
}

static int
verify_prefixed(const struct key *key, const void *bytes, size_t len,
		const uint8_t *sig, size_t sig_len)
{
	CLEANUP(libcrypto_sum_freep)
	struct libcrypto_sum *sum = libcrypto_sum_new(LIBCRYPTO_SHA512);
	uint8_t message[PREFIX_LEN + LIBCRYPTO_SUM_MAX] = PREFIX;
	size_t sum_len;

	if (!sum)
		return -ENOMEM;
	int r = libcrypto_sum_add(sum, bytes, len);
	if (r == 0)
		r = libcrypto_sum_end(sum, message + PREFIX_LEN, &sum_len);
	if (r < 0)
		return r;
	return libcrypto_verify(key->pem, message, PREFIX_LEN + sum_len, sig,
				sig_len);
}

int
key_verify(const struct key *key, const void *bytes, size_t len,
	   const char *sig)
{
	uint8_t raw[KEY_SIG_MAX];
	size_t raw_len;

	if (key->kind == KEY_UNKNOWN || key->kind == KEY_LACKING)
		return -ENOPKG;
	if (hex_get(sig, raw, sizeof(raw), &raw_len) < 0)
		return -EKEYREJECTED;
	if (key->way == WAY_ED25519)
		return ed25519_verify(key->ed25519, bytes, len, raw, raw_len);
	if (key->way == WAY_PEM)
		return libcrypto_verify(key->pem, bytes, len, raw, raw_len);
	return verify_prefixed(key, bytes, len, raw, raw_len);
}
