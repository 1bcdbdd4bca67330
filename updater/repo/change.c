/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/change.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/index.h"
#include "updater/release/manifest.h"
#include "updater/repo/body.h"
#include "updater/repo/charter.h"
#include "updater/repo/draft.h"
#include "updater/repo/paper.h"
#include "updater/repo/shelf.h"
#include "updater/tuf/reason.h"

struct comparing {
	struct repo *repo;
	enum repo_area area;
	struct index *old, *now; /* of releases; owned */
	struct doc *doc;	 /* the result */
	struct reason *why;
};

struct doc *
change_waves(const struct index_release *release)
{
	struct doc *list = doc_new_list();
	char start[BODY_DATE_SIZE];

	for (size_t i = 0; i < release->waves_len; i++) {
		struct doc *wave = doc_new();
		body_date(start, release->waves[i].start_s);
		doc_set_text(wave, "start", start);
		doc_set_number(wave, "percent", release->waves[i].percent);
		doc_add(list, NULL, wave);
	}
	return list;
}

static void
add_rule(struct comparing *comparing, const char *list,
	 const struct manifest_rule *rule)
{
	struct doc *one = doc_new();

	doc_set_text(one, "path", rule->path);
	doc_set_text(one, "sha256", rule->sha256);
	doc_set_number(one, "size", (int64_t)rule->size);
	doc_add(comparing->doc, list, one);
}

static void
compare_rules(struct comparing *comparing, const struct manifest *old,
	      const struct manifest *now)
{
	for (size_t i = 0; i < now->rules_len; i++) {
		const struct manifest_rule *before =
			old ? manifest_find(old, now->rules[i].path) : NULL;
		if (!before)
			add_rule(comparing, "added", &now->rules[i]);
		else if (!str_equal(before->sha256, now->rules[i].sha256))
			add_rule(comparing, "changed", &now->rules[i]);
	}
	for (size_t i = 0; old && i < old->rules_len; i++)
		if (!manifest_find(now, old->rules[i].path))
			add_rule(comparing, "removed", &old->rules[i]);
}

static int
read_manifest(const struct comparing *comparing, int64_t number,
	      struct manifest **ret_manifest)
{
	const struct repo *repo = comparing->repo;
	char name[INDEX_MANIFEST_SIZE];

	index_manifest(name, number);
	const struct doc_value *entry = shelf_entry(
		&repo->staged[comparing->area], &repo->published, name);
	if (!entry)
		return reason_set(comparing->why, -ENOENT,
				  "no role lists %s: stage the release again",
				  name);
	return draft_manifest(repo, comparing->area, number, entry,
			      ret_manifest, comparing->why);
}

static int64_t
last_number(const struct index *index)
{
	return index->releases_len ?
		       index->releases[index->releases_len - 1].number :
		       0;
}

/* A release that is not published yet, against the newest that is. */
static int
compare_releases(struct comparing *comparing)
{
	CLEANUP(manifest_freep) struct manifest *old = NULL;
	CLEANUP(manifest_freep) struct manifest *now = NULL;
	int64_t before = last_number(comparing->old);
	int64_t number = last_number(comparing->now);
	int r = 0;

	if (number <= before)
		return 0;
	if (before)
		r = read_manifest(comparing, before, &old);
	if (r == 0)
		r = read_manifest(comparing, number, &now);
	if (r < 0)
		return r;
	assert(now);
	doc_set_number(comparing->doc, "release.number", number);
	doc_set_text(comparing->doc, "release.description", now->description);
	doc_set_number(comparing->doc, "release.rules",
		       (int64_t)now->rules_len);
	doc_set_number(comparing->doc, "release.vectors",
		       (int64_t)now->vectors_len);
	compare_rules(comparing, old, now);
	return 0;
}

static bool
same_waves(const struct index_release *a, const struct index_release *b)
{
	if (a->waves_len != b->waves_len)
		return false;
	for (size_t i = 0; i < a->waves_len; i++)
		if (a->waves[i].start_s != b->waves[i].start_s ||
		    a->waves[i].percent != b->waves[i].percent)
			return false;
	return true;
}

static void
compare_indexes(struct comparing *comparing)
{
	const struct index *now = comparing->now;

	for (size_t i = 0; i < now->releases_len; i++) {
		const struct index_release *release = &now->releases[i];
		const struct index_release *before =
			index_find(comparing->old, release->number);
		if (before ? same_waves(before, release) : !release->waves_len)
			continue;
		struct doc *one = doc_new();
		doc_set_number(one, "number", release->number);
		doc_set(one, "waves", change_waves(release));
		doc_add(comparing->doc, "waves", one);
	}
	for (size_t i = 0; i < now->revoked_len; i++) {
		const struct index_revoked *revoked = &now->revoked[i];
		if (index_revoked(comparing->old, revoked->number))
			continue;
		struct doc *one = doc_new();
		doc_set_number(one, "number", revoked->number);
		doc_set_text(one, "reason", revoked->reason);
		doc_add(comparing->doc, "withdrawn", one);
	}
}

/* The names of keys that an office has in `of` and not in `other`. */
static struct doc *
names_of(const struct charter *of, const struct charter *other,
	 enum duty_office office)
{
	struct doc *list = doc_new_list();

	for (size_t i = 0; i < of->len; i++) {
		bool there = false;
		if (!of->offices[office].has[i])
			continue;
		for (size_t j = 0; j < other->len; j++)
			there |= other->offices[office].has[j] &&
				 str_equal(other->keys[j].id, of->keys[i].id);
		if (!there)
			doc_add_text(list, NULL, of->keys[i].name);
	}
	return list;
}

static void
compare_charters(struct comparing *comparing, const struct charter *old,
		 const struct charter *now)
{
	for (unsigned int i = 0; i < DUTY_OFFICES; i++) {
		struct doc *added = names_of(now, old, i);
		struct doc *removed = names_of(old, now, i);
		int64_t threshold = now->offices[i].threshold;
		struct doc *one = doc_new();
		bool same = !doc_len(doc_root(added), NULL) &&
			    !doc_len(doc_root(removed), NULL) &&
			    threshold == old->offices[i].threshold;
		doc_set_text(one, "role", duty_office_name(i));
		doc_set_number(one, "threshold", threshold);
		doc_set_number(one, "was", old->offices[i].threshold);
		doc_set(one, "added", added);
		doc_set(one, "removed", removed);
		if (same)
			doc_free(one);
		else
			doc_add(comparing->doc, "keys", one);
	}
}

static int
read_charter(const struct set *over, const struct set *base,
	     struct charter *charter, struct reason *why)
{
	const struct paper *root = set_get(over, base, DUTY_ROOT);
	const struct paper *targets = set_get(over, base, DUTY_TARGETS);

	if (!root || !targets)
		return 0;
	return charter_read(charter, root->metadata->body,
			    targets->metadata->body, why);
}

static int
compare_keys(struct comparing *comparing)
{
	const struct set *base = &comparing->repo->published;
	const struct set *over = &comparing->repo->staged[comparing->area];
	CLEANUP(charter_freep) struct charter *old = charter_new();
	CLEANUP(charter_freep) struct charter *now = charter_new();

	if (!old || !now)
		return -ENOMEM;
	int r = read_charter(base, base, old, comparing->why);
	if (r == 0)
		r = read_charter(over, base, now, comparing->why);
	if (r == 0)
		compare_charters(comparing, old, now);
	return r;
}

static int
compare(struct comparing *comparing)
{
	struct repo *repo = comparing->repo;

	int r = compare_keys(comparing);
	if (r == 0)
		r = draft_index(repo, NULL, comparing->area, &comparing->old,
				comparing->why);
	if (r == 0 && repo->staged[comparing->area].papers[DUTY_CHANNEL])
		r = draft_index(repo, &repo->staged[comparing->area],
				comparing->area, &comparing->now,
				comparing->why);
	if (r < 0 || !comparing->now)
		return r;
	compare_indexes(comparing);
	return compare_releases(comparing);
}

int
change_of(struct repo *repo, enum repo_area area, struct doc **ret_doc,
	  struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	struct comparing comparing = {
		.repo = repo, .area = area, .doc = doc, .why = why
	};

	int r = compare(&comparing);
	index_free(comparing.old);
	index_free(comparing.now);
	if (r == 0)
		*ret_doc = TAKE(doc);
	return r;
}
