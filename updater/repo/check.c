/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/check.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/blob.h"
#include "updater/release/gzip.h"
#include "updater/release/index.h"
#include "updater/release/manifest.h"
#include "updater/repo/args.h"
#include "updater/repo/charter.h"
#include "updater/repo/draft.h"
#include "updater/repo/files.h"
#include "updater/repo/repo.h"
#include "updater/repo/say.h"
#include "updater/repo/shelf.h"
#include "updater/repo/trial.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define SECRET_MARK "PRIVATE KEY-----"
#define SECRET_LEN 40 /* of what stands behind the mark */
#define BASE64                                                                 \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

/* A key's armour with a key in it: a rule may well look for the mark alone. */
static bool
has_secret(const char *text, size_t len)
{
	const char *end = text + len, *at = text;

	assert(text);
	for (;;) {
		const char *mark = memmem(at, (size_t)(end - at), SECRET_MARK,
					  strlen(SECRET_MARK));
		if (!mark)
			return false;
		at = mark + strlen(SECRET_MARK);
		const char *key = at + strspn(at, "\r\n\\nr\" \t");
		if (strspn(key, BASE64) >= SECRET_LEN)
			return true;
	}
}

static int
unpack(const struct trial *trial, const char *sha256, uint64_t size,
       const char *to, const char *name)
{
	const struct repo *repo = trial->repo;
	CLEANUP_FREE uint8_t *packed = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	char blob[BLOB_NAME_SIZE], path[FILES_PATH_SIZE];
	size_t packed_len = 0, len = 0;

	int r = blob_name(blob, sha256);
	if (r < 0)
		return r;
	const struct doc_value *entry =
		shelf_entry(&repo->staged[REPO_STAGED], &repo->published, blob);
	if (!entry)
		return reason_set(trial->why, -ENOENT, "no role lists %s",
				  blob);
	r = shelf_read(repo, REPO_STAGED, blob, entry, TRUST_LISTED_MAX,
		       &packed, &packed_len, trial->why);
	if (r == 0)
		r = gzip_unpack(packed, packed_len, size, size, &bytes, &len,
				trial->why);
	if (r < 0)
		return r;
	if (has_secret((const char *)bytes, len))
		trial_find(trial->findings, "secret", name,
			   "has a private key in it, which everybody would "
			   "get");
	(void)snprintf(path, sizeof(path), TRIAL_FOLDER "/%s", to);
	return files_write(repo->dir, path, bytes, len);
}

static int
unpack_all(const struct trial *trial)
{
	const struct manifest *manifest = trial->manifest;
	char to[FILES_PATH_SIZE];
	int r = files_remove(trial->repo->dir, TRIAL_FOLDER);

	assert(manifest);
	for (size_t i = 0; i < manifest->rules_len && r == 0; i++) {
		const struct manifest_rule *rule = &manifest->rules[i];
		(void)snprintf(to, sizeof(to), "rules/%s", rule->path);
		r = unpack(trial, rule->sha256, rule->size, to, rule->path);
	}
	for (size_t i = 0; i < manifest->vectors_len && r == 0; i++) {
		const struct manifest_vector *vector = &manifest->vectors[i];
		(void)snprintf(to, sizeof(to), "vectors/%zu", i);
		r = unpack(trial, vector->sha256, vector->size, to,
			   vector->name);
	}
	return r;
}

/* The release that is staged; the newest one when none is. */
static int
find_release(const struct repo *repo, struct manifest **ret_manifest,
	     struct reason *why)
{
	CLEANUP(draft_done) struct draft draft = { 0 };
	char name[INDEX_MANIFEST_SIZE];

	int r = draft_begin((struct repo *)(uintptr_t)repo, REPO_STAGED, &draft,
			    why);
	if (r < 0)
		return r;
	const struct index *index = draft.index;
	if (!index->releases_len)
		return reason_set(why, -ENOENT,
				  "there is no release: khien-repo stage DIR "
				  "comes first");
	int64_t number = index->releases[index->releases_len - 1].number;
	index_manifest(name, number);
	const struct doc_value *entry =
		shelf_entry(&repo->staged[REPO_STAGED], &repo->published, name);
	if (!entry)
		return reason_set(why, -ENOENT, "no role lists %s", name);
	return draft_manifest(repo, REPO_STAGED, number, entry, ret_manifest,
			      why);
}

/* Whether classical keys alone are enough everywhere: ML-DSA counts for nothing
   where libcrypto does not know it. */
static int
reaches_old(const struct repo *repo, bool *ret_reaches, struct reason *why)
{
	CLEANUP(draft_done) struct draft draft = { 0 };

	int r = draft_begin((struct repo *)(uintptr_t)repo, REPO_STAGED, &draft,
			    why);
	if (r < 0)
		return r;
	const struct charter *charter = draft.charter;
	*ret_reaches = !repo->settings.hybrid;
	for (unsigned int i = 0; i < DUTY_OFFICES; i++) {
		int64_t classical = 0;
		for (size_t j = 0; j < charter->len; j++)
			classical += charter->offices[i].has[j] &&
				     !charter->keys[j].post_quantum;
		*ret_reaches &= classical >= charter->offices[i].threshold;
	}
	return 0;
}

static void
say_findings(const struct doc_value *findings, int64_t number, bool old)
{
	for (size_t i = 0; i < doc_len(findings, NULL); i++) {
		const struct doc_value *one = doc_item(findings, NULL, i);
		const char *path = doc_text_or(one, "path", "");
		say_line("%s: %s%s%s", doc_text_or(one, "kind", ""), path,
			 path[0] ? ": " : "", doc_text_or(one, "text", ""));
	}
	say_line("release %" PRId64 ": %zu findings", number,
		 doc_len(findings, NULL));
	say_line("it reaches: Debian 13%s", old ? ", Debian 12" : "");
	if (!old)
		say_line(
			"not Debian 12: its OpenSSL has no ML-DSA, and refuses "
			"what is signed so");
}

static void
say_result(const struct args *args, int64_t number, struct doc *findings,
	   bool old)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;

	if (!args_has(args, ARGS_JSON)) {
		say_findings(doc_root(findings), number, old);
		return;
	}
	doc = doc_new();
	doc_set_number(doc, "release", number);
	doc_set(doc, "findings", doc_copy(doc_root(findings)));
	doc_add_text(doc, "platforms", "debian 13");
	if (old)
		doc_add_text(doc, "platforms", "debian 12");
	say_json(doc);
}

int
check_run(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(manifest_freep) struct manifest *manifest = NULL;
	CLEANUP(doc_freep) struct doc *findings = doc_new_list();
	struct trial trial = { .repo = &repo,
			       .good = args_text(args, ARGS_GOOD),
			       .findings = findings,
			       .why = why };
	bool old = false;

	int r = repo_open(args->repo, true, &repo, why);
	if (r == 0)
		r = find_release(&repo, &manifest, why);
	trial.manifest = manifest;
	if (r == 0)
		r = unpack_all(&trial);
	if (r == 0)
		r = trial_run(&trial);
	if (r == 0)
		r = reaches_old(&repo, &old, why);
	if (repo.dir >= 0)
		(void)files_remove(repo.dir, TRIAL_FOLDER);
	if (r < 0)
		return r;
	assert(manifest);
	say_result(args, manifest->number, findings, old);
	return doc_len(doc_root(findings), NULL) ? 1 : 0;
}
