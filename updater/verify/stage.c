/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/client/client.h"
#include "updater/client/folder.h"
#include "updater/release/blob.h"
#include "updater/release/gzip.h"
#include "updater/release/index.h"
#include "updater/release/manifest.h"
#include "updater/tuf/reason.h"
#include "updater/verify/held.h"
#include "updater/verify/layout.h"
#include "updater/verify/tree.h"

#define MIB (1024 * 1024.0)
/* What deflate may add to what it cannot pack: 5 bytes a block of 16 KiB, and
   the head; RFC 1951, RFC 1952. */
#define PACKED_MAX(size) ((size) + (size) / 1024 + 1024)
/* A file's own entry, and its part of its folder's. */
#define BLOCKS_BESIDE 1
#define INNER_SIZE (PATH_SIZE + 16)

struct work {
	const struct stage *stage;
	struct manifest *manifest; /* owned */
	uint8_t *text;		   /* owned: the manifest's bytes */
	size_t text_len;
	struct held *held; /* owned */
	/* The rule files by hash: each once. */
	const struct manifest_rule **rules; /* owned */
	int releases, draft;
	uint64_t need, room; /* bytes */
};

static void
work_done(struct work *work)
{
	manifest_free(work->manifest);
	free(work->text);
	held_close(work->held);
	free(work->rules);
	file_closep(&work->releases);
	file_closep(&work->draft);
}

static void
step(const struct work *work)
{
	if (work->stage->on_step)
		work->stage->on_step(work->stage->arg);
}

static int
get_manifest(struct work *work, int64_t number, struct reason *why)
{
	CLEANUP_FREE uint8_t *packed = NULL;
	char name[INDEX_MANIFEST_SIZE];
	size_t len;

	index_manifest(name, number);
	int r = client_get(work->stage->client, name,
			   PACKED_MAX(MANIFEST_SIZE_MAX), &packed, &len, why);
	if (r < 0)
		return r;
	r = gzip_unpack(packed, len, 0, MANIFEST_SIZE_MAX, &work->text,
			&work->text_len, why);
	if (r == 0)
		r = manifest_parse(work->text, work->text_len, number,
				   &work->manifest, why);
	return r < 0 ? reason_about(why, r, name) : 0;
}

static uint64_t
blocks(uint64_t size, uint64_t block)
{
	return (size + block - 1) / block * block + BLOCKS_BESIDE * block;
}

uint64_t
stage_need(const struct manifest *manifest, const struct held *held,
	   uint64_t block)
{
	uint64_t need = 0;

	for (size_t i = 0; i < manifest->rules_len; i++)
		if (!held_has_rule(held, manifest->rules[i].sha256))
			need += blocks(manifest->rules[i].size, block);
		else
			need += BLOCKS_BESIDE * block;
	for (size_t i = 0; i < manifest->vectors_len; i++)
		if (!held_has_vector(held, manifest->vectors[i].sha256))
			need += blocks(PACKED_MAX(manifest->vectors[i].size),
				       block);
		else
			need += BLOCKS_BESIDE * block;
	return need;
}

static int
no_room(const struct work *work, struct reason *why)
{
	return reason_set(why, -ENOSPC,
			  "release %" PRId64 " needs up to %.1f MiB on the "
			  "disk of the state folder and %.1f MiB are free: "
			  "make room",
			  work->manifest->number, (double)work->need / MIB,
			  (double)work->room / MIB);
}

/* A courtesy: it may fill up a moment later. */
static int
check_room(struct work *work, struct reason *why)
{
	struct statvfs disk;

	if (fstatvfs(work->releases, &disk) < 0 || !disk.f_frsize)
		return 0;
	work->need = blocks(work->text_len, disk.f_frsize) +
		     stage_need(work->manifest, work->held, disk.f_frsize);
	work->room = (uint64_t)disk.f_bavail * disk.f_frsize;
	return work->need > work->room ? no_room(work, why) : 0;
}

static int
compare(const void *a, const void *b)
{
	const struct manifest_rule *const *left = a, *const *right = b;

	return strcmp((*left)->sha256, (*right)->sha256);
}

static int
sort(struct work *work)
{
	const struct manifest *manifest = work->manifest;

	work->rules = calloc(manifest->rules_len, sizeof(*work->rules));
	if (!work->rules)
		return -ENOMEM;
	for (size_t i = 0; i < manifest->rules_len; i++)
		work->rules[i] = &manifest->rules[i];
	qsort(work->rules, manifest->rules_len, sizeof(*work->rules), compare);
	return 0;
}

static int
open_draft(struct work *work, int64_t number)
{
	char name[LAYOUT_NAME_SIZE];
	CLEANUP_FD int inner = -1;

	/* No record knows a release of that number that may be there. */
	layout_name(name, number);
	int r = tree_remove(work->releases, name);
	layout_draft(name, number);
	if (r == 0)
		r = tree_remove(work->releases, name);
	if (r == 0 && mkdirat(work->releases, name, 0700) < 0)
		r = -errno;
	if (r == 0)
		r = tree_enter(work->releases, name, &work->draft);
	if (r == 0)
		r = tree_folder(work->draft, LAYOUT_RULES, &inner);
	file_closep(&inner);
	if (r == 0)
		r = tree_folder(work->draft, LAYOUT_VECTORS, &inner);
	return r;
}

static int
write_piece(void *arg, const void *bytes, size_t len)
{
	const int *fd = arg;

	return file_write_all(*fd, bytes, len);
}

/* Unpacks the blob, to fd unless it is -1. */
static int
unpack(const uint8_t *packed, size_t len, const char *sha256, uint64_t size,
       int fd, struct reason *why)
{
	CLEANUP(blob_freep) struct blob *blob = NULL;

	int r = blob_new(sha256, size, fd < 0 ? NULL : write_piece, &fd, &blob);
	if (r == 0)
		r = blob_add(blob, packed, len, why);
	if (r == 0)
		r = blob_end(blob, why);
	return r;
}

/* The packed bytes of a blob, to be freed with free(). */
static int
fetch(const struct work *work, const char *sha256, uint64_t size,
      uint8_t **ret_bytes, size_t *ret_len, struct reason *why)
{
	char name[BLOB_NAME_SIZE];

	int r = blob_name(name, sha256);
	if (r < 0)
		return r;
	return client_get(work->stage->client, name, PACKED_MAX(size),
			  ret_bytes, ret_len, why);
}

static int
bring_rule(const struct work *work, const struct manifest_rule *rule,
	   const char *path, struct reason *why)
{
	CLEANUP_FREE uint8_t *packed = NULL;
	CLEANUP_FD int fd = -1;
	size_t len;

	int r = held_rule(work->held, rule->sha256, rule->size, work->draft,
			  path);
	if (r != -ENOENT)
		return r;
	r = fetch(work, rule->sha256, rule->size, &packed, &len, why);
	if (r < 0)
		return r;
	why->text[0] = '\0';
	r = tree_create(work->draft, path, &fd);
	if (r == 0)
		r = unpack(packed, len, rule->sha256, rule->size, fd, why);
	return r < 0 ? reason_about(why, r, rule->path) : 0;
}

/* A file that is in the release twice is brought once. */
static int
copy_rule(const struct work *work, const struct manifest_rule *from,
	  const char *path)
{
	CLEANUP_FD int from_parent = -1;
	CLEANUP_FD int parent = -1;
	const char *from_name, *name;
	char from_path[INNER_SIZE];

	(void)snprintf(from_path, sizeof(from_path), LAYOUT_RULES "/%s",
		       from->path);
	int r = tree_parent(work->draft, from_path, 0, &from_parent,
			    &from_name);
	if (r == 0)
		r = tree_parent(work->draft, path, 1, &parent, &name);
	if (r == 0 && linkat(from_parent, from_name, parent, name, 0) < 0)
		r = -errno;
	return r;
}

static int
bring_rules(const struct work *work, struct reason *why)
{
	for (size_t i = 0; i < work->manifest->rules_len; i++) {
		const struct manifest_rule *rule = work->rules[i];
		const struct manifest_rule *last =
			i ? work->rules[i - 1] : NULL;
		char path[INNER_SIZE];
		(void)snprintf(path, sizeof(path), LAYOUT_RULES "/%s",
			       rule->path);
		int r = last && str_equal(last->sha256, rule->sha256) ?
				copy_rule(work, last, path) :
				bring_rule(work, rule, path, why);
		if (r < 0)
			return r;
		step(work);
	}
	return 0;
}

static int
bring_vector(const struct work *work, const struct manifest_vector *vector,
	     struct reason *why)
{
	CLEANUP_FREE uint8_t *packed = NULL;
	CLEANUP_FD int fd = -1;
	char path[INNER_SIZE];
	size_t len;

	(void)snprintf(path, sizeof(path), LAYOUT_VECTORS "/%s.gz",
		       vector->sha256);
	if (tree_open(work->draft, path, &fd) == 0)
		return 0; /* two vectors have the same bytes */
	int r = held_vector(work->held, vector->sha256, vector->size,
			    work->draft, path);
	if (r != -ENOENT)
		return r;
	r = fetch(work, vector->sha256, vector->size, &packed, &len, why);
	if (r < 0)
		return r;
	why->text[0] = '\0';
	r = unpack(packed, len, vector->sha256, vector->size, -1, why);
	if (r == 0)
		r = tree_create(work->draft, path, &fd);
	if (r == 0)
		r = file_write_all(fd, packed, len);
	return r < 0 ? reason_about(why, r, vector->name) : 0;
}

static int
bring_vectors(const struct work *work, struct reason *why)
{
	for (size_t i = 0; i < work->manifest->vectors_len; i++) {
		int r = bring_vector(work, &work->manifest->vectors[i], why);
		if (r < 0)
			return r;
		step(work);
	}
	return 0;
}

static int
write_manifest(const struct work *work)
{
	CLEANUP_FD int fd = -1;

	int r = tree_create(work->draft, LAYOUT_MANIFEST, &fd);
	return r < 0 ? r : file_write_all(fd, work->text, work->text_len);
}

/* On the disk whole before it has the name that counts. */
static int
finish(const struct work *work, int64_t number)
{
	char draft[LAYOUT_NAME_SIZE], name[LAYOUT_NAME_SIZE];

	int r = tree_sync(work->draft);
	if (r < 0)
		return r;
	step(work);
	layout_draft(draft, number);
	layout_name(name, number);
	if (renameat2(work->releases, draft, work->releases, name,
		      RENAME_NOREPLACE) < 0 ||
	    fsync(work->releases) < 0)
		return -errno;
	return 0;
}

static int
fill(struct work *work, struct reason *why)
{
	int r = open_draft(work, work->manifest->number);

	if (r == 0)
		r = bring_rules(work, why);
	if (r == 0)
		r = bring_vectors(work, why);
	if (r == 0)
		r = write_manifest(work);
	if (r == 0)
		r = finish(work, work->manifest->number);
	return r;
}

static void
drop(const struct work *work)
{
	char draft[LAYOUT_NAME_SIZE], name[LAYOUT_NAME_SIZE];

	layout_draft(draft, work->manifest->number);
	layout_name(name, work->manifest->number);
	(void)tree_remove(work->releases, draft);
	(void)tree_remove(work->releases, name);
}

static int
prepare(struct work *work, int64_t number, struct reason *why)
{
	const struct stage *stage = work->stage;

	int r = tree_folder(stage->dir, LAYOUT_RELEASES, &work->releases);
	if (r == 0)
		r = get_manifest(work, number, why);
	if (r == 0)
		r = held_open(work->releases, stage->here, stage->here_len,
			      &work->held);
	if (r == 0)
		r = sort(work);
	return r == 0 ? check_room(work, why) : r;
}

int
stage_release(const struct stage *stage, int64_t number, struct reason *why)
{
	CLEANUP(work_done)
	struct work work = { .stage = stage, .releases = -1, .draft = -1 };

	why->text[0] = '\0';
	int r = prepare(&work, number, why);
	if (r == 0) {
		r = fill(&work, why);
		if (r < 0)
			drop(&work);
	}
	if (r == -ENOSPC || r == -EDQUOT)
		return work.manifest && work.need ? no_room(&work, why) : r;
	if (r < 0 && !why->text[0])
		return reason_set(why, r,
				  "release %" PRId64 " cannot be written: %s",
				  number, strerror(-r));
	return r;
}
