/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/draft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/release/blob.h"
#include "updater/release/gzip.h"
#include "updater/release/index.h"
#include "updater/release/manifest.h"
#include "updater/repo/body.h"
#include "updater/repo/charter.h"
#include "updater/repo/paper.h"
#include "updater/repo/say.h"
#include "updater/repo/shelf.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/verify.h"

#define HALF 50 /* percent of a life */

/* Lists of targets while they are put together. */
struct lists {
	struct draft *draft;
	const struct doc_value *fresh;
	struct doc *roles[DUTY_LEN]; /* owned; NULL: no role of targets */
	struct reason *why;
};

static const struct set empty;

int
draft_index(const struct repo *repo, const struct set *set, enum repo_area area,
	    struct index **ret_index, struct reason *why)
{
	const struct doc_value *entry = shelf_entry(
		set ? set : &repo->published, &empty, DUTY_CHANNEL_PATH);
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	if (!entry) {
		*ret_index = index_new();
		return *ret_index ? 0 : -ENOMEM;
	}
	int r = shelf_read(repo, area, DUTY_CHANNEL_PATH, entry, INDEX_SIZE_MAX,
			   &bytes, &len, why);
	if (r < 0)
		return r;
	r = index_parse(bytes, len, ret_index, why);
	return r < 0 ? reason_about(why, r, DUTY_CHANNEL_PATH) : 0;
}

/* What only the staged index has comes behind what is published. */
static void
append(struct index *index, const struct index *staged)
{
	int64_t last = index->releases_len ?
			       index->releases[index->releases_len - 1].number :
			       0;

	for (size_t i = 0; i < staged->releases_len; i++) {
		if (staged->releases[i].number <= last)
			continue;
		if (index->releases_len == INDEX_RELEASES_MAX)
			memmove(index->releases, index->releases + 1,
				--index->releases_len *
					sizeof(index->releases[0]));
		index->releases[index->releases_len++] = staged->releases[i];
	}
}

int
draft_begin(struct repo *repo, enum repo_area area, struct draft *ret_draft,
	    struct reason *why)
{
	const struct set *over = &repo->staged[area];
	CLEANUP(index_freep) struct index *staged = NULL;

	*ret_draft = (struct draft){ .repo = repo, .area = area };
	ret_draft->charter = charter_new();
	if (!ret_draft->charter)
		return -ENOMEM;
	const struct paper *root = set_get(over, &repo->published, DUTY_ROOT);
	const struct paper *targets =
		set_get(over, &repo->published, DUTY_TARGETS);
	int r = 0;
	if (root && targets)
		r = charter_read(ret_draft->charter, root->metadata->body,
				 targets->metadata->body, why);
	if (r == 0)
		r = draft_index(repo, NULL, area, &ret_draft->index, why);
	if (r == 0)
		r = draft_index(repo, over, area, &staged, why);
	if (r == 0 && area == REPO_URGENT && staged->releases_len) {
		/* A second haste builds on the first. */
		index_free(ret_draft->index);
		ret_draft->index = TAKE(staged);
	} else if (r == 0) {
		append(ret_draft->index, staged);
	}
	return r;
}

void
draft_done(struct draft *draft)
{
	charter_free(draft->charter);
	index_free(draft->index);
}

int
draft_newest(const struct repo *repo, int64_t *ret_number, struct reason *why)
{
	CLEANUP(index_freep) struct index *index = NULL;

	int r = draft_index(repo, NULL, REPO_STAGED, &index, why);
	if (r < 0)
		return r;
	*ret_number = index->releases_len ?
			      index->releases[index->releases_len - 1].number :
			      0;
	return 0;
}

/* What is known of a target: it was just made, or some role lists it. */
static const struct doc_value *
find_entry(const struct lists *lists, const char *name)
{
	const struct repo *repo = lists->draft->repo;
	const struct doc_value *entry = doc_member(lists->fresh, name);

	if (entry)
		return entry;
	return shelf_entry(&repo->staged[lists->draft->area], &repo->published,
			   name);
}

static int
add(struct lists *lists, const char *name)
{
	const struct doc_value *entry = find_entry(lists, name);
	enum duty_id id;

	int r = shelf_role(name, &id);
	if (r < 0)
		return r;
	if (!entry)
		return reason_set(lists->why, -ENOENT,
				  "%.200s is in a release, and no role lists "
				  "it: stage the release again",
				  name);
	if (!doc_member(doc_root(lists->roles[id]), name))
		doc_set(lists->roles[id], name, doc_copy(entry));
	return 0;
}

static int
add_blob(struct lists *lists, const char *sha256)
{
	char name[BLOB_NAME_SIZE];

	int r = blob_name(name, sha256);
	return r < 0 ? r : add(lists, name);
}

static int
add_manifest(struct lists *lists, const struct manifest *manifest)
{
	int r = 0;

	for (size_t i = 0; i < manifest->rules_len && r == 0; i++)
		r = add_blob(lists, manifest->rules[i].sha256);
	for (size_t i = 0; i < manifest->vectors_len && r == 0; i++)
		r = add_blob(lists, manifest->vectors[i].sha256);
	return r;
}

int
draft_manifest(const struct repo *repo, enum repo_area area, int64_t number,
	       const struct doc_value *entry, struct manifest **ret_manifest,
	       struct reason *why)
{
	CLEANUP_FREE uint8_t *packed = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	char name[INDEX_MANIFEST_SIZE];
	size_t packed_len, len;

	index_manifest(name, number);
	int r = shelf_read(repo, area, name, entry, MANIFEST_SIZE_MAX, &packed,
			   &packed_len, why);
	if (r < 0)
		return r;
	why->text[0] = '\0';
	r = gzip_unpack(packed, packed_len, 0, MANIFEST_SIZE_MAX, &bytes, &len,
			why);
	if (r == 0)
		r = manifest_parse(bytes, len, number, ret_manifest, why);
	return r < 0 ? reason_about(why, r, name) : 0;
}

static int
add_release(struct lists *lists, int64_t number)
{
	CLEANUP(manifest_freep) struct manifest *manifest = NULL;
	const struct draft *draft = lists->draft;
	char name[INDEX_MANIFEST_SIZE];

	index_manifest(name, number);
	int r = add(lists, name);
	if (r == 0)
		r = draft_manifest(draft->repo, draft->area, number,
				   find_entry(lists, name), &manifest,
				   lists->why);
	return r < 0 ? r : add_manifest(lists, manifest);
}

static int
add_index(struct lists *lists)
{
	const struct draft *draft = lists->draft;
	CLEANUP_FREE char *text = NULL;
	struct doc *entry;

	int r = index_write(draft->index, &text, lists->why);
	if (r == 0)
		r = shelf_write(draft->repo, draft->area, DUTY_CHANNEL_PATH,
				text, strlen(text), &entry, lists->why);
	if (r == 0)
		doc_set(lists->roles[DUTY_CHANNEL], DUTY_CHANNEL_PATH, entry);
	return r;
}

static int
fill(struct lists *lists)
{
	const struct index *index = lists->draft->index;

	for (unsigned int i = 0; i < DUTY_LEN; i++)
		if (duty_type(i) == METADATA_TARGETS)
			lists->roles[i] = doc_new_flat();
	int r = add_index(lists);
	for (size_t i = 0; i < index->releases_len && r == 0; i++)
		r = add_release(lists, index->releases[i].number);
	return r;
}

/* Whether those who may sign it from now on have done so. */
static bool
is_signed(const struct draft *draft, const struct paper *paper)
{
	const struct repo *repo = draft->repo;
	const struct paper *delegator =
		set_get(&repo->staged[draft->area], &repo->published,
			paper->id < DUTY_CHANNEL ? DUTY_ROOT : DUTY_TARGETS);
	CLEANUP(set_signers_done) struct set_signers who = { 0 };
	struct verify counted;

	return delegator &&
	       set_signers(delegator->metadata, paper->id, &who, NULL) == 0 &&
	       verify_count(paper->metadata, &who.signers, &counted, NULL) == 0;
}

static bool
is_renewed(const struct draft *draft, enum duty_id id)
{
	return id == DUTY_ROOT ? draft->renew_root : draft->renew_targets;
}

/* Whether the old one will do. */
static bool
may_stay(const struct draft *draft, const struct paper *old,
	 const struct paper *now)
{
	if (is_renewed(draft, now->id))
		return false;
	return old && body_age(old, draft->repo->now_s) < HALF &&
	       body_same(old->metadata->body, now->metadata->body) &&
	       is_signed(draft, old);
}

/* Stages the body (taken), unless it says nothing new. */
static int
put(struct draft *draft, enum duty_id id, struct doc *body, struct reason *why)
{
	struct repo *repo = draft->repo;
	struct set *staged = &repo->staged[draft->area];
	const struct paper *old = repo->published.papers[id];
	const struct paper *now = staged->papers[id];
	struct paper *paper;

	int r = paper_new(id, body, &paper, why);
	if (r < 0)
		return reason_about(why, r, duty_name(id));
	if (may_stay(draft, old, paper)) {
		paper_free(paper);
		paper_freep(&staged->papers[id]);
		return 0;
	}
	if (now && now->metadata->version == paper->metadata->version &&
	    body_age(now, repo->now_s) < HALF &&
	    body_same(now->metadata->body, paper->metadata->body))
		paper_free(paper);
	else
		set_put(staged, paper);
	return 0;
}

static struct doc *
begin_body(const struct draft *draft, enum duty_id id)
{
	const struct repo *repo = draft->repo;

	return body_new(id, set_version(&repo->published, id) + 1, repo->now_s,
			repo->settings.days[duty_office(id)]);
}

static int
put_root(struct draft *draft, struct reason *why)
{
	struct doc *body = begin_body(draft, DUTY_ROOT);

	doc_set_bool(body, "consistent_snapshot", true);
	charter_put_root(draft->charter, body);
	return put(draft, DUTY_ROOT, body, why);
}

static int
put_targets(struct draft *draft, enum duty_id id, struct lists *lists)
{
	struct doc *body = begin_body(draft, id);

	doc_set(body, "targets", TAKE(lists->roles[id]));
	if (id == DUTY_TARGETS)
		charter_put_delegations(draft->charter, body);
	return put(draft, id, body, lists->why);
}

int
draft_stage(struct draft *draft, const struct doc *fresh, bool new_root,
	    struct reason *why)
{
	struct lists lists = { .draft = draft,
			       .fresh = doc_root(fresh),
			       .why = why };

	int r = charter_check(draft->charter, draft->repo->settings.hybrid,
			      why);
	if (r == 0)
		r = fill(&lists);
	if (r == 0 && new_root)
		r = put_root(draft, why);
	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++)
		if (lists.roles[i] &&
		    (draft->area != REPO_URGENT || i == DUTY_CHANNEL))
			r = put_targets(draft, i, &lists);
	for (size_t i = 0; i < DUTY_LEN; i++)
		doc_free(lists.roles[i]);
	return r < 0 ? r : repo_write_area(draft->repo, draft->area, why);
}

int
draft_rebase(struct repo *repo, struct reason *why)
{
	CLEANUP(draft_done) struct draft draft = { 0 };
	int64_t staged = set_version(&repo->staged[REPO_STAGED], DUTY_CHANNEL);

	if (!staged || staged > set_version(&repo->published, DUTY_CHANNEL))
		return 0;
	int r = draft_begin(repo, REPO_STAGED, &draft, why);
	if (r == 0)
		r = draft_stage(&draft, NULL, false, why);
	if (r == 0)
		say_line("what is staged was prepared before: its channel was "
			 "made anew, and has to be signed again");
	return r;
}
