/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/outcome.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/client/anchor.h"
#include "updater/client/client.h"
#include "updater/client/folder.h"
#include "updater/release/blob.h"
#include "updater/release/gzip.h"
#include "updater/release/index.h"
#include "updater/release/manifest.h"
#include "updater/repo/files.h"
#include "updater/repo/paper.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define CLIENT "client" REPO_NEW
#define MODE_FOLDER 0700
#define FIRST_ROOT "1.root.json"

/* A walk through all that is listed. */
struct visit {
	struct client *client;
	struct outcome_seen seen;
	struct doc *done; /* blobs that were looked at, by name */
	struct reason *why;
};

static const struct paper *
find_next(const struct outcome *outcome, const char *path)
{
	enum duty_id id;
	int64_t version;

	if (!outcome->next || duty_parse_file(path, &id, &version) < 0)
		return NULL;
	const struct paper *paper = outcome->next->papers[id];
	if (!paper || (version && paper->metadata->version != version))
		return NULL;
	return paper;
}

static int
send_file(const struct outcome *outcome, const char *folder, const char *what,
	  const char *path, size_t size_max, const struct client_sink *sink)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	char whole[FILES_PATH_SIZE];
	size_t len;

	if (snprintf(whole, sizeof(whole), "%s/%s/%s", folder, what, path) >=
	    (int)sizeof(whole))
		return -ENAMETOOLONG;
	int r = files_read(outcome->repo->dir, whole, size_max, &bytes, &len);
	return r < 0 ? r : sink->add(sink->arg, bytes, len);
}

/* Names need no decoding: all of ours are of characters that stay. */
static int
get(void *arg, enum client_what what, const char *path, size_t size_max,
    const struct client_sink *sink, struct reason *why)
{
	const struct outcome *outcome = arg;
	const struct paper *paper =
		what == CLIENT_METADATA ? find_next(outcome, path) : NULL;
	int r = -ENOENT;

	(void)why;
	if (paper)
		return paper->len > size_max ?
			       -EFBIG :
			       sink->add(sink->arg, paper->bytes, paper->len);
	if (what == CLIENT_TARGET && outcome->next)
		r = send_file(outcome, repo_area_name(outcome->area),
			      REPO_TARGETS, path, size_max, sink);
	if (r == -ENOENT)
		r = send_file(outcome, REPO_PUBLISHED,
			      what == CLIENT_METADATA ? REPO_METADATA :
							REPO_TARGETS,
			      path, size_max, sink);
	return r;
}

/* The first root's bytes, which a package brings. */
static int
read_first(const struct outcome *outcome, uint8_t **ret_bytes, size_t *ret_len)
{
	const struct paper *paper = find_next(outcome, FIRST_ROOT);

	if (!paper)
		return files_read(outcome->repo->dir,
				  REPO_PUBLISHED "/" REPO_METADATA
						 "/" FIRST_ROOT,
				  TRUST_ROOT_MAX, ret_bytes, ret_len);
	*ret_bytes = malloc(paper->len);
	if (!*ret_bytes)
		return -ENOMEM;
	memcpy(*ret_bytes, paper->bytes, paper->len);
	*ret_len = paper->len;
	return 0;
}

/* An empty folder of a client that knows the first root only. */
static int
make_folder(const struct outcome *outcome, const struct policy *policy,
	    struct reason *why)
{
	CLEANUP(folder_close) struct folder folder = { -1, -1 };
	CLEANUP_FREE uint8_t *root = NULL;
	int dir = outcome->repo->dir;
	size_t len;

	int r = read_first(outcome, &root, &len);
	if (r == -ENOENT)
		return reason_set(why, r, "nothing is published");
	if (r == 0)
		r = files_remove(dir, CLIENT);
	if (r == 0 && mkdirat(dir, CLIENT, MODE_FOLDER) < 0)
		r = -errno;
	if (r == 0)
		r = folder_open(dir, CLIENT, &folder);
	if (r < 0)
		return reason_set(why, r, CLIENT ": %s", strerror(-r));
	r = anchor_set(&folder, root, len, policy, why);
	return r < 0 ? reason_about(why, r, FIRST_ROOT) : 0;
}

static int
look_at(struct visit *visit, const char *name, size_t size_max,
	uint8_t **ret_bytes, size_t *ret_len)
{
	visit->why->text[0] = '\0';
	int r = client_get(visit->client, name, size_max, ret_bytes, ret_len,
			   visit->why);
	if (r == 0) {
		visit->seen.targets++;
		visit->seen.bytes += *ret_len;
	}
	return r;
}

static int
visit_blob(struct visit *visit, const char *sha256, uint64_t size)
{
	CLEANUP(blob_freep) struct blob *blob = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	char name[BLOB_NAME_SIZE];
	size_t len;

	int r = blob_name(name, sha256);
	if (r < 0 || doc_member(doc_root(visit->done), name))
		return r;
	doc_set_bool(visit->done, name, true);
	r = look_at(visit, name, TRUST_LISTED_MAX, &bytes, &len);
	if (r < 0)
		return r;
	visit->why->text[0] = '\0';
	r = blob_new(sha256, size, NULL, NULL, &blob);
	if (r == 0)
		r = blob_add(blob, bytes, len, visit->why);
	if (r == 0)
		r = blob_end(blob, visit->why);
	return r < 0 ? reason_about(visit->why, r, name) : 0;
}

static int
visit_manifest(struct visit *visit, int64_t number)
{
	CLEANUP(manifest_freep) struct manifest *manifest = NULL;
	CLEANUP_FREE uint8_t *packed = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	char name[INDEX_MANIFEST_SIZE];
	size_t packed_len, len;

	index_manifest(name, number);
	int r = look_at(visit, name, MANIFEST_SIZE_MAX, &packed, &packed_len);
	if (r < 0)
		return r;
	visit->why->text[0] = '\0';
	r = gzip_unpack(packed, packed_len, 0, MANIFEST_SIZE_MAX, &bytes, &len,
			visit->why);
	if (r == 0)
		r = manifest_parse(bytes, len, number, &manifest, visit->why);
	if (r < 0)
		return reason_about(visit->why, r, name);
	assert(manifest);
	visit->seen.releases++;
	for (size_t i = 0; i < manifest->rules_len && r == 0; i++)
		r = visit_blob(visit, manifest->rules[i].sha256,
			       manifest->rules[i].size);
	for (size_t i = 0; i < manifest->vectors_len && r == 0; i++)
		r = visit_blob(visit, manifest->vectors[i].sha256,
			       manifest->vectors[i].size);
	return r;
}

static int
visit_index(struct visit *visit)
{
	CLEANUP(index_freep) struct index *index = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	int r = look_at(visit, INDEX_TARGET, INDEX_SIZE_MAX, &bytes, &len);
	if (r < 0)
		return r;
	visit->why->text[0] = '\0';
	r = index_parse(bytes, len, &index, visit->why);
	if (r < 0)
		return reason_about(visit->why, r, INDEX_TARGET);
	for (size_t i = 0; i < index->releases_len && r == 0; i++)
		r = visit_manifest(visit, index->releases[i].number);
	return r;
}

static int
refresh(const struct outcome *outcome, const struct policy *policy,
	int64_t now_s, struct reason *why)
{
	struct client_mirror mirror = { .get = get,
					.arg = (void *)(uintptr_t)outcome };
	CLEANUP(client_closep) struct client *client = NULL;

	int r = client_open(outcome->repo->dir, CLIENT, policy, now_s, &mirror,
			    &client, why);
	return r < 0 ? r : client_refresh(client, why);
}

/* The version of the last root that there is. */
static int64_t
last_root(const struct outcome *outcome)
{
	const struct paper *next =
		outcome->next ? outcome->next->papers[DUTY_ROOT] : NULL;

	return next ? next->metadata->version :
		      set_version(&outcome->repo->published, DUTY_ROOT);
}

int
outcome_walk(const struct outcome *outcome, struct outcome_seen *ret_seen,
	     struct reason *why)
{
	const struct policy policy = { .hybrid =
					       outcome->repo->settings.hybrid };
	struct client_mirror mirror = { .get = get,
					.arg = (void *)(uintptr_t)outcome };
	CLEANUP(client_closep) struct client *client = NULL;
	CLEANUP(doc_freep) struct doc *done = doc_new_flat();
	struct visit visit = { .done = done, .why = why };

	int r = make_folder(outcome, &policy, why);
	if (r == 0)
		r = client_open(outcome->repo->dir, CLIENT, &policy,
				outcome->repo->now_s, &mirror, &client, why);
	if (r == 0)
		r = client_refresh(client, why);
	visit.client = client;
	if (r == 0)
		r = visit_index(&visit);
	visit.seen.root = last_root(outcome);
	if (r == 0)
		*ret_seen = visit.seen;
	(void)files_remove(outcome->repo->dir, CLIENT);
	return r;
}

int
outcome_follow(const struct outcome *outcome, struct reason *why)
{
	const struct repo *repo = outcome->repo;
	const struct paper *timestamp = repo->published.papers[DUTY_TIMESTAMP];
	const struct outcome before = { .repo = repo };
	const struct policy policy = { .hybrid = repo->settings.hybrid };

	if (!timestamp)
		return 0;
	int r = make_folder(&before, &policy, why);
	/* It was good when it was published, if not now. */
	if (r == 0)
		r = refresh(&before, &policy, paper_issued_s(timestamp), why);
	if (r == 0)
		r = refresh(outcome, &policy, repo->now_s, why);
	(void)files_remove(repo->dir, CLIENT);
	return r;
}
