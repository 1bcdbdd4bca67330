/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/charter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/canonical.h"
#include "updater/tuf/key.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

#define WHY_SIZE 200
#define BIT(office) (1u << (office))
#define ID_START_MIN 8 /* of a key's id, as people write it */

_Static_assert(CHARTER_ID_SIZE == KEY_ID_SIZE, "keyids");

struct reading {
	struct charter *charter;
	struct reason *why;
};

struct charter *
charter_new(void)
{
	return calloc(1, sizeof(struct charter));
}

void
charter_free(struct charter *charter)
{
	if (!charter)
		return;
	for (size_t i = 0; i < charter->len; i++)
		doc_free(charter->keys[i].doc);
	free(charter);
}

void
charter_freep(struct charter **charter)
{
	charter_free(*charter);
	*charter = NULL;
}

static int
find_id(const struct charter *charter, const char *id, size_t *ret_at)
{
	for (size_t i = 0; i < charter->len; i++)
		if (str_equal(charter->keys[i].id, id)) {
			*ret_at = i;
			return 0;
		}
	return -ENOENT;
}

static int
add(struct charter *charter, const char *id, const struct doc_value *value,
    size_t *ret_at, struct reason *why)
{
	CLEANUP(key_freep) struct key *key = NULL;
	struct charter_key *entry = &charter->keys[charter->len];

	if (find_id(charter, id, ret_at) == 0)
		return 0;
	if (charter->len == CHARTER_KEYS_MAX)
		return reason_set(why, -E2BIG, "there are more than %d keys",
				  CHARTER_KEYS_MAX);
	int r = key_parse(id, value, &key, why);
	if (r < 0)
		return r;
	if (key_kind(key) == KEY_UNKNOWN)
		return reason_set(why, -EBADMSG,
				  "is a key of scheme %.60s, which is not "
				  "known here",
				  key_scheme(key));
	entry->doc = doc_copy(value);
	if (!entry->doc)
		return -ENOMEM;
	(void)str_copy(entry->id, sizeof(entry->id), id);
	(void)snprintf(entry->name, sizeof(entry->name), "%.60s",
		       doc_text_or(value, "x-khien-name", id));
	entry->post_quantum = str_starts(key_scheme(key), "ml-dsa-");
	*ret_at = charter->len++;
	return 0;
}

static int
read_key(void *arg, const char *id, const struct doc_value *value)
{
	const struct reading *reading = arg;
	size_t at;

	return add(reading->charter, id ? id : "", value, &at, reading->why);
}

static int
read_office(const struct reading *reading, enum duty_office office,
	    const struct doc_value *role)
{
	struct charter_office *entry = &reading->charter->offices[office];

	entry->threshold = doc_number_or(role, "threshold", 0);
	for (size_t i = 0; i < doc_len(role, "keyids"); i++) {
		const char *id = doc_text(doc_item(role, "keyids", i), NULL);
		size_t at;
		if (!id || find_id(reading->charter, id, &at) < 0)
			return reason_set(reading->why, -EBADMSG,
					  "names a key for %s that it does not "
					  "list",
					  duty_office_name(office));
		entry->has[at] = true;
	}
	return 0;
}

static int
read_channel(const struct reading *reading, const struct doc_value *targets)
{
	const char *name = duty_office_name(DUTY_OFFICE_CHANNEL);
	size_t len = doc_len(targets, "delegations.roles");

	for (size_t i = 0; i < len; i++) {
		const struct doc_value *role =
			doc_item(targets, "delegations.roles", i);
		if (str_equal(doc_text_or(role, "name", ""), name))
			return read_office(reading, DUTY_OFFICE_CHANNEL, role);
	}
	return 0;
}

int
charter_read(struct charter *charter, const struct doc_value *root,
	     const struct doc_value *targets, struct reason *why)
{
	struct reading reading = { charter, why };

	int r = doc_each(root, "keys", read_key, &reading);
	if (r == 0)
		r = doc_each(targets, "delegations.keys", read_key, &reading);
	for (unsigned int i = 0; i < DUTY_OFFICE_CHANNEL && r == 0; i++)
		r = read_office(&reading, i,
				doc_member(doc_member(root, "roles"),
					   duty_office_name(i)));
	return r < 0 ? r : read_channel(&reading, targets);
}

static int
id_of(const struct doc_value *value, char id[2 * LIBCRYPTO_SUM_MAX + 1],
      struct reason *why)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	int r = canonical_write(value, &bytes, &len, why);
	if (r < 0)
		return r;
	return libcrypto_sum_text(LIBCRYPTO_SHA256, bytes, len, id);
}

int
charter_add_file(struct charter *charter, const char *path, size_t *ret_at,
		 struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	CLEANUP_FREE char *text = malloc(KEY_PEM_MAX);
	char id[2 * LIBCRYPTO_SUM_MAX + 1], said[WHY_SIZE] = "";
	size_t len;

	if (!text)
		return -ENOMEM;
	int r = file_read(AT_FDCWD, path, text, KEY_PEM_MAX, &len);
	if (r == 0)
		r = doc_parse(text, len, &doc, said, sizeof(said));
	if (r == -EINVAL)
		r = reason_set(why, -EBADMSG,
			       "is no public key as khien-repo key new writes "
			       "it (%s)",
			       said);
	if (r == 0)
		r = id_of(doc_root(doc), id, why);
	if (r == 0)
		r = add(charter, id, doc_root(doc), ret_at, why);
	if (r == 0)
		return 0;
	char cause[REASON_SIZE];
	memcpy(cause, why->text, sizeof(cause));
	return reason_set(why, r, "%.200s: %.400s", path,
			  cause[0] ? cause : strerror(-r));
}

int
charter_find(const struct charter *charter, const char *name, size_t *ret_at,
	     struct reason *why)
{
	size_t found = 0;

	for (size_t i = 0; i < charter->len; i++) {
		const struct charter_key *key = &charter->keys[i];
		if (str_equal(key->id, name)) {
			*ret_at = i;
			return 0;
		}
		if (!str_equal(key->name, name) &&
		    (strlen(name) < ID_START_MIN || !str_starts(key->id, name)))
			continue;
		found++;
		*ret_at = i;
	}
	if (found == 1)
		return 0;
	return reason_set(why, found ? -ENOTUNIQ : -ENOENT,
			  "%s key is called %.100s: khien-repo key list shows "
			  "names and ids",
			  found ? "more than one" : "no", name);
}

size_t
charter_count(const struct charter *charter, enum duty_office office)
{
	size_t count = 0;

	for (size_t i = 0; i < charter->len; i++)
		count += charter->offices[office].has[i];
	return count;
}

static bool
has_kind(const struct charter *charter, enum duty_office office,
	 bool post_quantum)
{
	for (size_t i = 0; i < charter->len; i++)
		if (charter->offices[office].has[i] &&
		    charter->keys[i].post_quantum == post_quantum)
			return true;
	return false;
}

/* As updater/tuf/policy.h has it: root, and whatever signs targets. */
static bool
is_hybrid_office(enum duty_office office)
{
	return office == DUTY_OFFICE_ROOT || office == DUTY_OFFICE_TARGETS ||
	       office == DUTY_OFFICE_CHANNEL;
}

static int
check_office(const struct charter *charter, enum duty_office office,
	     bool hybrid, struct reason *why)
{
	int64_t threshold = charter->offices[office].threshold;
	size_t count = charter_count(charter, office);

	if (threshold < 1 || threshold > (int64_t)count)
		return reason_set(why, -EINVAL,
				  "%s would have %zu keys and need %" PRId64
				  " signatures: give it more keys, or another "
				  "threshold",
				  duty_office_name(office), count, threshold);
	if (!hybrid || !is_hybrid_office(office))
		return 0;
	if (threshold < 2 || !has_kind(charter, office, true) ||
	    !has_kind(charter, office, false))
		return reason_set(why, -EINVAL,
				  "%s needs a threshold of 2 or more, and both "
				  "a classical and an ML-DSA key, as the "
				  "repository is hybrid",
				  duty_office_name(office));
	return 0;
}

int
charter_check(const struct charter *charter, bool hybrid, struct reason *why)
{
	int r = 0;

	for (unsigned int i = 0; i < DUTY_OFFICES && r == 0; i++)
		r = check_office(charter, i, hybrid, why);
	return r;
}

/* "keyids" and "threshold". */
static void
put_office(const struct charter *charter, enum duty_office office,
	   struct doc *role)
{
	struct doc *ids = doc_new_list();

	for (size_t i = 0; i < charter->len; i++)
		if (charter->offices[office].has[i])
			doc_add_text(ids, NULL, charter->keys[i].id);
	doc_set(role, "keyids", ids);
	doc_set_number(role, "threshold", charter->offices[office].threshold);
}

/* The keys of these offices: a bit each. */
static struct doc *
keys_of(const struct charter *charter, unsigned int offices)
{
	struct doc *keys = doc_new_flat();

	for (size_t i = 0; i < charter->len; i++) {
		bool used = false;
		for (unsigned int j = 0; j < DUTY_OFFICES; j++)
			used |= (offices >> j & 1) &&
				charter->offices[j].has[i];
		if (used)
			doc_set(keys, charter->keys[i].id,
				doc_copy(doc_root(charter->keys[i].doc)));
	}
	return keys;
}

void
charter_put_root(const struct charter *charter, struct doc *body)
{
	struct doc *roles = doc_new();

	for (unsigned int i = 0; i < DUTY_OFFICE_CHANNEL; i++) {
		struct doc *role = doc_new();
		put_office(charter, i, role);
		doc_set(roles, duty_office_name(i), role);
	}
	doc_set(body, "keys", keys_of(charter, ~BIT(DUTY_OFFICE_CHANNEL)));
	doc_set(body, "roles", roles);
}

static struct doc *
delegation(const struct charter *charter, enum duty_id id)
{
	struct doc *role = doc_new(), *list = doc_new_list();
	char digit[2] = { "0123456789abcdef"[(id - DUTY_BIN) % DUTY_BINS] };
	bool bin = id >= DUTY_BIN;

	doc_set_text(role, "name", duty_name(id));
	put_office(charter, duty_office(id), role);
	doc_set_bool(role, "terminating", true);
	doc_add_text(list, NULL, bin ? digit : DUTY_CHANNEL_PATH);
	doc_set(role, bin ? "path_hash_prefixes" : "paths", list);
	return role;
}

void
charter_put_delegations(const struct charter *charter, struct doc *body)
{
	struct doc *all = doc_new(), *roles = doc_new_list();

	for (unsigned int i = DUTY_CHANNEL; i < DUTY_LEN; i++)
		doc_add(roles, NULL, delegation(charter, i));
	doc_set(all, "keys",
		keys_of(charter,
			BIT(DUTY_OFFICE_TARGETS) | BIT(DUTY_OFFICE_CHANNEL)));
	doc_set(all, "roles", roles);
	doc_set(body, "delegations", all);
}

int
charter_copy(struct charter *to, const struct charter *from)
{
	*to = *from;
	to->len = 0;
	for (; to->len < from->len; to->len++) {
		to->keys[to->len].doc =
			doc_copy(doc_root(from->keys[to->len].doc));
		if (!to->keys[to->len].doc)
			return -ENOMEM;
	}
	return 0;
}
