/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tuf/forge.h"

#include <errno.h>
#include <openssl/evp.h>
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
#include "updater/tuf/targets.h"
#include "updater/tuf/trust.h"

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

/* The member and the keyid, with `more` among what is hashed. */
static void
describe(struct forge_key *key, const char *more)
{
	uint8_t sum[32];
	size_t len;

	CHECK(made_len < KEYS_MAX);
	made[made_len++] = key;
	char *json = forge_text("{\"keytype\":\"%s\",\"scheme\":\"%s\","
				"\"keyval\":{\"public\":\"%s\"}%s}",
				words[key->kind].type, words[key->kind].scheme,
				key->public, more);
	uint8_t *bytes = canonical_of(json, &len);
	SHA256(bytes, len, sum);
	str_hex(key->id, sum, sizeof(sum));
	key->member = forge_text("\"%s\":%s", key->id, json);
	free(bytes);
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
	else if (kind == FORGE_RSA)
		key->pair = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
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

	if (key->kind == FORGE_ML_DSA) {
		SHA512(bytes, len, message + 4);
		bytes = message;
		len = sizeof(message);
	}
	CHECK(EVP_DigestSignInit_ex(context, &inner,
				    key->kind == FORGE_ML_DSA ? NULL : "SHA256",
				    NULL, NULL, key->pair, NULL) == 1);
	if (key->kind == FORGE_RSA)
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

void
forge_put(struct forge_files *files, const char *name, char *text)
{
	forge_remove(files, name);
	CHECK(files->len < FORGE_FILES_MAX);
	CHECK(str_copy(files->list[files->len].name,
		       sizeof(files->list[0].name), name) == 0);
	files->list[files->len].len = strlen(text);
	files->list[files->len++].text = text;
}

void
forge_remove(struct forge_files *files, const char *name)
{
	for (size_t i = 0; i < files->len; i++) {
		if (!str_equal(files->list[i].name, name))
			continue;
		free(files->list[i].text);
		files->list[i] = files->list[--files->len];
		return;
	}
}

const char *
forge_get(const struct forge_files *files, const char *name)
{
	for (size_t i = 0; i < files->len; i++)
		if (str_equal(files->list[i].name, name))
			return files->list[i].text;
	return NULL;
}

char *
forge_listing(const char *text, int version, bool with_hashes)
{
	uint8_t sum[32];
	char digits[65];

	if (!with_hashes)
		return forge_text("{\"version\":%d}", version);
	SHA256((const uint8_t *)text, strlen(text), sum);
	str_hex(digits, sum, sizeof(sum));
	return forge_text("{\"version\":%d,\"length\":%zu,\"hashes\":"
			  "{\"sha256\":\"%s\"}}",
			  version, strlen(text), digits);
}

static char *
body_of(const struct forge *forge, enum metadata_type type, char *more)
{
	const struct forge_role *role = &forge->roles[type];

	char *body = forge_text("{\"_type\":\"%s\",\"spec_version\":\"%s\","
				"\"version\":%d,\"expires\":\"%s\",%s}",
				metadata_name(type), forge->spec, role->version,
				role->expires, more);
	free(more);
	return body;
}

/* As the mirror calls it. */
static void
publish(struct forge *forge, enum metadata_type type, char *more)
{
	const struct forge_role *role = &forge->roles[type];
	const char *name = metadata_name(type);
	char file[128];

	if (type == METADATA_ROOT ||
	    (forge->consistent && type != METADATA_TIMESTAMP))
		(void)snprintf(file, sizeof(file), "%d.%s.json", role->version,
			       name);
	else
		(void)snprintf(file, sizeof(file), "%s.json", name);
	forge_put(&forge->mirror, file,
		  forge_sign(body_of(forge, type, more), role->sign));
}

void
forge_root(struct forge *forge)
{
	const struct forge_role *all[METADATA_TYPES + 1] = { NULL };
	char *signers[METADATA_TYPES];

	for (size_t i = 0; i < METADATA_TYPES; i++) {
		all[i] = &forge->roles[i];
		signers[i] = forge_signers(all[i]);
	}
	char *keys = forge_keys(all);
	publish(forge, METADATA_ROOT,
		forge_text("\"consistent_snapshot\":%s,\"keys\":{%s},"
			   "\"roles\":{\"root\":{%s},\"timestamp\":{%s},"
			   "\"snapshot\":{%s},\"targets\":{%s}}%s",
			   forge->consistent ? "true" : "false", keys,
			   signers[0], signers[1], signers[2], signers[3],
			   forge->root_more));
	free(keys);
	for (size_t i = 0; i < METADATA_TYPES; i++)
		free(signers[i]);
}

static const char *
latest(const struct forge *forge, enum metadata_type type)
{
	char file[64];

	(void)snprintf(file, sizeof(file), "%d.%s.json",
		       forge->roles[type].version, metadata_name(type));
	return forge_get(&forge->mirror,
			 forge->consistent ? file : strchr(file, '.') + 1);
}

void
forge_targets(struct forge *forge)
{
	publish(forge, METADATA_TARGETS,
		forge_text("\"targets\":{%s}%s", forge->targets,
			   forge->delegations));
}

void
forge_snapshot(struct forge *forge)
{
	const struct forge_role *role = &forge->roles[METADATA_TARGETS];
	char *listing =
		forge_listing(latest(forge, METADATA_TARGETS), role->version,
			      forge->roles[METADATA_SNAPSHOT].with_hashes);

	publish(forge, METADATA_SNAPSHOT,
		forge_text("\"meta\":{\"targets.json\":%s%s}", listing,
			   forge->listed));
	free(listing);
}

void
forge_timestamp(struct forge *forge)
{
	const struct forge_role *role = &forge->roles[METADATA_SNAPSHOT];
	char *listing =
		forge_listing(latest(forge, METADATA_SNAPSHOT), role->version,
			      forge->roles[METADATA_TIMESTAMP].with_hashes);

	publish(forge, METADATA_TIMESTAMP,
		forge_text("\"meta\":{\"snapshot.json\":%s}", listing));
	free(listing);
}

void
forge_publish(struct forge *forge)
{
	for (size_t i = METADATA_TIMESTAMP; i < METADATA_TYPES; i++)
		forge->roles[i].version++;
	forge_targets(forge);
	forge_snapshot(forge);
	forge_timestamp(forge);
}

struct forge *
forge_new(void)
{
	struct forge *forge = calloc(1, sizeof(*forge));

	CHECK(forge);
	forge->consistent = true;
	forge->spec = "1.0.34";
	forge->targets = forge->delegations = forge->listed = forge->root_more =
		"";
	for (size_t i = 0; i < METADATA_TYPES; i++) {
		struct forge_role *role = &forge->roles[i];
		role->keys[0] = role->sign[0] = forge_key_new(FORGE_ED25519);
		role->threshold = 1;
		role->expires = FORGE_FUTURE;
		role->with_hashes = true;
	}
	forge->roles[METADATA_ROOT].version = 1;
	forge_publish(forge);
	forge_root(forge);
	forge_put(&forge->stored, "root.json",
		  forge_text("%s", forge_get(&forge->mirror, "1.root.json")));
	return forge;
}

void
forge_free(struct forge *forge)
{
	while (forge->mirror.len)
		forge_remove(&forge->mirror, forge->mirror.list[0].name);
	while (forge->stored.len)
		forge_remove(&forge->stored, forge->stored.list[0].name);
	free(forge);
	forge_done();
}

static int
one_file(struct forge *forge, struct trust *trust,
	 const struct trust_wanted *wanted)
{
	bool stored = wanted->from == TRUST_STORED;
	const char *text = forge_get(stored ? &forge->stored : &forge->mirror,
				     wanted->file);
	size_t at = strlen(forge->asked);
	struct trust_taken taken;

	if (!stored)
		(void)snprintf(forge->asked + at, sizeof(forge->asked) - at,
			       "%s ", wanted->file);
	if (!text)
		return trust_absent(trust, &forge->why);
	int r = trust_take(trust, text, strlen(text), &taken, &forge->why);
	if (r < 0)
		return r;
	if (taken.forget) {
		forge->forgot = true;
		forge_remove(&forge->stored, "timestamp.json");
		forge_remove(&forge->stored, "snapshot.json");
	}
	if (taken.store)
		forge_put(&forge->stored, taken.file, forge_text("%s", text));
	return 0;
}

static int
drive(struct forge *forge, struct trust *trust)
{
	struct trust_wanted wanted;

	for (;;) {
		trust_next(trust, &wanted);
		if (!wanted.from)
			return 0;
		int r = one_file(forge, trust, &wanted);
		if (r < 0)
			return r;
	}
}

int
forge_refresh(struct forge *forge, const char *target, int64_t *ret_length)
{
	const char *root = forge_get(&forge->stored, "root.json");
	struct trust *trust = NULL;
	struct target found;
	bool consistent;

	forge->asked[0] = '\0';
	forge->forgot = false;
	forge->why.text[0] = '\0';
	int r = trust_init();
	if (r == 0)
		r = trust_new(root, strlen(root), &forge->policy, FORGE_NOW_S,
			      &trust, &forge->why);
	if (r == 0)
		r = drive(forge, trust);
	if (r == 0 && target)
		r = trust_find(trust, target, &forge->why);
	if (r == 0 && target)
		r = drive(forge, trust);
	if (r == 0 && target)
		r = trust_found(trust, &found, &consistent);
	if (r == 0 && target && ret_length)
		*ret_length = found.hashes.length;
	trust_free(trust);
	return r;
}
