/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The repository and the client's folder; keys and signing are in forge.c. */
#include "tests/unit/tuf/forge.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/tuf/targets.h"
#include "updater/tuf/trust.h"

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			(void)fprintf(stderr, "forge: %s\n", #what);           \
			abort();                                               \
		}                                                              \
	} while (0)

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

/* A member and a comma, or nothing. */
static char *
issued_of(const struct forge_role *role)
{
	if (!role->issued)
		return forge_text("%s", "");
	return forge_text("\"x-khien-issued\":\"%s\",", role->issued);
}

static char *
body_of(const struct forge *forge, enum metadata_type type, char *more)
{
	const struct forge_role *role = &forge->roles[type];

	char *issued = issued_of(role);
	char *body = forge_text("{\"_type\":\"%s\",\"spec_version\":\"%s\","
				"\"version\":%d,\"expires\":\"%s\",%s%s}",
				metadata_name(type), forge->spec, role->version,
				role->expires, issued, more);
	free(issued);
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

void
forge_put_role(struct forge *forge, const struct forge_role *role,
	       const char *file, int version, const char *targets,
	       const char *more)
{
	char name[128], *issued = issued_of(role);

	(void)snprintf(name, sizeof(name), "%d.%s.json", version, file);
	forge_put(&forge->mirror,
		  forge->consistent ? name : strchr(name, '.') + 1,
		  forge_sign(forge_text("{\"_type\":\"targets\","
					"\"spec_version\":\"1.0\",\"version\":"
					"%d,\"expires\":\"%s\",%s\"targets\":"
					"{%s}%s}",
					version, role->expires, issued, targets,
					more),
			     role->sign));
	free(issued);
}

char *
forge_delegations(const struct forge_role *role, const char *const (*roles)[2],
		  size_t len)
{
	const struct forge_role *all[] = { role, NULL };
	char *signers = forge_signers(role), *keys = forge_keys(all);
	char *list = forge_text("%s", "");

	for (size_t i = 0; i < len; i++) {
		char *more = forge_text("%s%s{\"name\":\"%s\",%s,%s}", list,
					i ? "," : "", roles[i][0], signers,
					roles[i][1]);
		free(list);
		list = more;
	}
	char *text = forge_text(",\"delegations\":{\"keys\":{%s},"
				"\"roles\":[%s]}",
				keys, list);
	free(list);
	free(keys);
	free(signers);
	return text;
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
forge_begin(struct forge *forge, struct trust **ret_trust)
{
	const char *root = forge_get(&forge->stored, "root.json");

	*ret_trust = NULL;
	forge->asked[0] = '\0';
	forge->forgot = false;
	forge->why.text[0] = '\0';
	int r = trust_init();
	if (r == 0)
		r = trust_new(root, strlen(root), &forge->policy, FORGE_NOW_S,
			      ret_trust, &forge->why);
	return r < 0 ? r : drive(forge, *ret_trust);
}

int
forge_find(struct forge *forge, struct trust *trust, const char *target,
	   int64_t *ret_length)
{
	struct target found;
	bool consistent;

	int r = trust_find(trust, target, &forge->why);
	if (r == 0)
		r = drive(forge, trust);
	if (r == 0)
		r = trust_found(trust, &found, &consistent);
	if (r == 0 && ret_length)
		*ret_length = found.hashes.length;
	return r;
}

int
forge_refresh(struct forge *forge, const char *target, int64_t *ret_length)
{
	struct trust *trust;

	int r = forge_begin(forge, &trust);
	if (r == 0 && target)
		r = forge_find(forge, trust, target, ret_length);
	trust_free(trust);
	return r;
}
