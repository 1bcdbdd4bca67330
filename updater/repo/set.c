/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/set.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/files.h"
#include "updater/repo/paper.h"
#include "updater/tuf/listing.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

struct loading {
	int dir;
	const char *path;
	struct set *set;
	int64_t root; /* the last */
	struct reason *why;
};

void
set_done(struct set *set)
{
	for (size_t i = 0; i < DUTY_LEN; i++)
		paper_freep(&set->papers[i]);
}

struct paper *
set_get(const struct set *over, const struct set *base, enum duty_id id)
{
	return over->papers[id] ? over->papers[id] : base->papers[id];
}

int64_t
set_version(const struct set *set, enum duty_id id)
{
	return set->papers[id] ? set->papers[id]->metadata->version : 0;
}

void
set_put(struct set *set, struct paper *paper)
{
	paper_free(set->papers[paper->id]);
	set->papers[paper->id] = paper;
}

static int
load(const struct loading *loading, const char *file, enum duty_id id,
     int64_t version)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	char path[FILES_PATH_SIZE];
	struct paper *paper = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", loading->path, file);
	int r = files_read(loading->dir, path, TRUST_LISTED_MAX, &bytes, &len);
	if (r == 0)
		r = paper_parse(id, bytes, len, &paper, loading->why);
	if (r < 0)
		return reason_about(loading->why, r, path);
	assert(paper);
	set_put(loading->set, paper);
	if (version && paper->metadata->version != version) {
		(void)reason_set(loading->why, -EBADMSG,
				 "has version %" PRId64 " inside",
				 paper->metadata->version);
		return reason_about(loading->why, -EBADMSG, path);
	}
	return 0;
}

static int
load_staged(void *arg, const char *file, bool is_file)
{
	const struct loading *loading = arg;
	enum duty_id id;
	int64_t version;

	if (!is_file || duty_parse_file(file, &id, &version) < 0)
		return reason_set(loading->why, -EBADMSG,
				  "%.200s/%.200s: does not belong there: "
				  "remove it",
				  loading->path, file);
	if (loading->set->papers[id])
		return reason_set(loading->why, -EBADMSG,
				  "%.200s/%.200s: there is another one of that "
				  "role: remove the wrong one",
				  loading->path, file);
	return load(loading, file, id, version);
}

int
set_load_staged(int dir, const char *path, struct set *ret_set,
		struct reason *why)
{
	struct loading loading = {
		.dir = dir, .path = path, .set = ret_set, .why = why
	};

	*ret_set = (struct set){ 0 };
	int r = files_each(dir, path, true, load_staged, &loading);
	return r == -ENOENT ? 0 : r;
}

static int
find_root(void *arg, const char *file, bool is_file)
{
	struct loading *loading = arg;
	enum duty_id id;
	int64_t version;

	if (is_file && duty_parse_file(file, &id, &version) == 0 &&
	    id == DUTY_ROOT && version > loading->root)
		loading->root = version;
	return 0;
}

static int
load_listed(const struct loading *loading, enum duty_id id, int64_t version)
{
	char file[DUTY_FILE_SIZE];

	duty_file(id, version, file);
	return load(loading, file, id, version);
}

/* What the snapshot names. */
static int
load_rest(const struct loading *loading)
{
	const struct metadata *snapshot =
		loading->set->papers[DUTY_SNAPSHOT]->metadata;
	struct listing listing;

	for (unsigned int i = 0; i < DUTY_LEN; i++) {
		if (duty_type(i) != METADATA_TARGETS)
			continue;
		int r = listing_find(snapshot, duty_name(i), &listing,
				     loading->why);
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = load_listed(loading, i, listing.version);
		if (r < 0)
			return r;
	}
	return 0;
}

int
set_load_published(int dir, const char *path, struct set *ret_set,
		   struct reason *why)
{
	struct loading loading = {
		.dir = dir, .path = path, .set = ret_set, .why = why
	};
	struct listing listing;

	*ret_set = (struct set){ 0 };
	int r = files_each(dir, path, false, find_root, &loading);
	if (r == -ENOENT || (r == 0 && !loading.root))
		return 0;
	if (r == 0)
		r = load_listed(&loading, DUTY_ROOT, loading.root);
	if (r == 0)
		r = load_listed(&loading, DUTY_TIMESTAMP, 0);
	if (r == 0)
		r = listing_of_timestamp(
			ret_set->papers[DUTY_TIMESTAMP]->metadata, &listing,
			why);
	if (r == 0)
		r = load_listed(&loading, DUTY_SNAPSHOT, listing.version);
	return r < 0 ? r : load_rest(&loading);
}

void
set_signers_done(struct set_signers *signers)
{
	signers_done(&signers->signers);
	signers_keys_done(&signers->keys);
}

static const struct doc_value *
find_delegation(const struct doc_value *delegations, const char *name)
{
	for (size_t i = 0; i < doc_len(delegations, "roles"); i++) {
		const struct doc_value *one = doc_item(delegations, "roles", i);
		if (str_equal(doc_text_or(one, "name", ""), name))
			return one;
	}
	return NULL;
}

static const struct doc_value *
keys_of(const struct metadata *delegator, enum duty_id id)
{
	return doc_get(delegator->body,
		       id < DUTY_CHANNEL ? "keys" : "delegations.keys");
}

int
set_signers(const struct metadata *delegator, enum duty_id id,
	    struct set_signers *ret_signers, struct reason *why)
{
	const struct doc_value *role =
		id < DUTY_CHANNEL ?
			doc_member(doc_member(delegator->body, "roles"),
				   duty_name(id)) :
			find_delegation(doc_member(delegator->body,
						   "delegations"),
					duty_name(id));

	*ret_signers = (struct set_signers){ 0 };
	if (!role)
		return reason_set(why, -ENOENT, "nobody is to sign %s",
				  duty_name(id));
	int r = signers_keys_parse(keys_of(delegator, id), &ret_signers->keys,
				   why);
	if (r == 0)
		r = signers_parse(&ret_signers->keys, duty_name(id), role,
				  &ret_signers->signers, why);
	return r;
}

const char *
set_key_name(const struct metadata *delegator, enum duty_id id,
	     const char *keyid)
{
	return doc_text_or(doc_member(keys_of(delegator, id), keyid),
			   "x-khien-name", keyid);
}
