/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/content.h"

#include <errno.h>
#include <fcntl.h>
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
#include "updater/release/path.h"
#include "updater/repo/files.h"
#include "updater/repo/shelf.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

#define RULE_END ".yar"
#define MATCH "match/"
#define CLEAN "clean/"

struct gathering {
	const struct repo *repo;
	enum repo_area area;
	int dir;	  /* the folder that is being read */
	const char *path; /* its name, for people */
	struct manifest *manifest;
	struct doc *fresh;
	struct reason *why;
};

/* "FOLDER/FILE: " before the reason. */
static int
about(const struct gathering *gathering, int r, const char *file)
{
	char cause[REASON_SIZE];

	memcpy(cause, gathering->why->text, sizeof(cause));
	return reason_set(gathering->why, r, "%.150s/%.200s: %.200s",
			  gathering->path, file,
			  cause[0] ? cause : strerror(-r));
}

/* What was listed before keeps the bytes it had: another zlib may pack
   otherwise. */
static int
shelve(const struct gathering *gathering, const char *name, const void *bytes,
       size_t len)
{
	const struct doc_value *known = shelf_entry(
		&gathering->repo->published, &gathering->repo->published, name);
	CLEANUP_FREE uint8_t *packed = NULL;
	struct doc *entry;
	size_t packed_len;

	if (known || doc_member(doc_root(gathering->fresh), name))
		return 0;
	int r = gzip_pack(bytes, len, &packed, &packed_len);
	if (r == 0)
		r = shelf_write(gathering->repo, gathering->area, name, packed,
				packed_len, &entry, gathering->why);
	if (r == 0)
		doc_set(gathering->fresh, name, entry);
	return r;
}

/* Reads a file and shelves it; its hash goes to `sum`. */
static int
take(const struct gathering *gathering, const char *file, size_t size_max,
     char sum[2 * LIBCRYPTO_SUM_MAX + 1], size_t *ret_len)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	char name[BLOB_NAME_SIZE];

	int r = files_read(gathering->dir, file, size_max, &bytes, ret_len);
	if (r == -EFBIG)
		return reason_set(gathering->why, r,
				  "is larger than the %zu bytes that such a "
				  "file may have",
				  size_max);
	if (r == 0)
		r = libcrypto_sum_text(LIBCRYPTO_SHA256, bytes, *ret_len, sum);
	if (r == 0)
		r = blob_name(name, sum);
	return r < 0 ? r : shelve(gathering, name, bytes, *ret_len);
}

static int
take_rule(void *arg, const char *file, bool is_file)
{
	const struct gathering *gathering = arg;
	char sum[2 * LIBCRYPTO_SUM_MAX + 1];
	size_t len = strlen(file), size;

	if (len < strlen(RULE_END) ||
	    !str_equal(file + len - strlen(RULE_END), RULE_END))
		return 0;
	gathering->why->text[0] = '\0';
	int r = is_file ? path_check(file, gathering->why) :
			  reason_set(gathering->why, -EBADMSG,
				     "is no regular file: links and devices "
				     "are not taken");
	if (r == 0)
		r = take(gathering, file, MANIFEST_RULES_SIZE_MAX, sum, &size);
	if (r == 0)
		r = manifest_add_rule(gathering->manifest, file, sum, size,
				      gathering->why);
	return r < 0 ? about(gathering, r, file) : 0;
}

/* "match/RULE/FILE": the rule.  False: it has no such form. */
static bool
rule_of(const char *file, char *dst, size_t size)
{
	const char *start = file + strlen(MATCH);
	const char *slash = strchr(start, '/');

	if (!slash || slash == start || (size_t)(slash - start) >= size)
		return false;
	(void)snprintf(dst, size, "%.*s", (int)(slash - start), start);
	return true;
}

/* The path as a name: "match:RULE:FILE". */
static int
name_vector(const char *file, char dst[MANIFEST_NAME_MAX + 1],
	    struct reason *why)
{
	if (str_copy(dst, MANIFEST_NAME_MAX + 1, file) < 0)
		return reason_set(why, -EBADMSG,
				  "has a path of more than %d bytes",
				  MANIFEST_NAME_MAX);
	for (char *at = dst; *at; at++)
		if (*at == '/')
			*at = ':';
	return 0;
}

static int
take_vector(void *arg, const char *file, bool is_file)
{
	const struct gathering *gathering = arg;
	char sum[2 * LIBCRYPTO_SUM_MAX + 1], rule[MANIFEST_MATCH_MAX + 1];
	char name[MANIFEST_NAME_MAX + 1];
	bool match = str_starts(file, MATCH);
	size_t size;

	gathering->why->text[0] = '\0';
	if (!is_file || (!match && !str_starts(file, CLEAN)) ||
	    (match && !rule_of(file, rule, sizeof(rule))))
		return about(gathering,
			     reason_set(gathering->why, -EBADMSG,
					"is no vector: those are files named "
					"match/RULE/FILE or clean/FILE"),
			     file);
	int r = name_vector(file, name, gathering->why);
	if (r == 0)
		r = take(gathering, file, MANIFEST_VECTOR_SIZE_MAX, sum, &size);
	if (r == 0)
		r = manifest_add_vector(gathering->manifest, name, sum, size,
					gathering->why);
	if (r == 0 && match)
		r = manifest_add_match(gathering->manifest, rule,
				       gathering->why);
	return r < 0 ? about(gathering, r, file) : 0;
}

static int
walk(struct gathering *gathering, const char *path,
     int (*fn)(void *arg, const char *path, bool is_file))
{
	CLEANUP_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	gathering->why->text[0] = '\0';
	if (dir < 0)
		return reason_set(gathering->why, -errno, "%.300s: %s", path,
				  strerror(errno));
	gathering->dir = dir;
	gathering->path = path;
	int r = files_each(dir, ".", false, fn, gathering);
	if (r == -ELOOP)
		return reason_set(gathering->why, r,
				  "%.300s: folders lie in each other more than "
				  "%d times",
				  path, FILES_DEPTH_MAX);
	if (r < 0 && !gathering->why->text[0])
		return reason_set(gathering->why, r, "%.300s: %s", path,
				  strerror(-r));
	return r;
}

static int
write_manifest(const struct gathering *gathering)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE uint8_t *packed = NULL;
	char name[INDEX_MANIFEST_SIZE];
	struct doc *entry;
	size_t packed_len;

	index_manifest(name, gathering->manifest->number);
	int r = manifest_write(gathering->manifest, &text, gathering->why);
	if (r == 0)
		r = gzip_pack(text, strlen(text), &packed, &packed_len);
	if (r == 0)
		r = shelf_write(gathering->repo, gathering->area, name, packed,
				packed_len, &entry, gathering->why);
	if (r == 0)
		doc_set(gathering->fresh, name, entry);
	return r;
}

int
content_stage(const struct repo *repo, enum repo_area area,
	      const struct content *content, struct doc **ret_fresh,
	      struct reason *why)
{
	CLEANUP(manifest_freep) struct manifest *manifest = manifest_new();
	CLEANUP(doc_freep) struct doc *fresh = doc_new_flat();
	struct gathering gathering = { .repo = repo,
				       .area = area,
				       .manifest = manifest,
				       .fresh = fresh,
				       .why = why };

	if (!manifest || !fresh)
		return -ENOMEM;
	manifest->number = content->number;
	manifest->created_s = repo->now_s;
	if (str_copy(manifest->description, sizeof(manifest->description),
		     content->description) < 0)
		return reason_set(why, -EINVAL,
				  "the description is longer than %d bytes",
				  MANIFEST_DESCRIPTION_MAX);
	int r = walk(&gathering, content->rules, take_rule);
	if (r == 0 && !manifest->rules_len)
		r = reason_set(why, -ENOENT, "%.300s: no file is named *.yar",
			       content->rules);
	if (r == 0 && content->vectors)
		r = walk(&gathering, content->vectors, take_vector);
	if (r == 0)
		r = write_manifest(&gathering);
	if (r == 0)
		*ret_fresh = TAKE(fresh);
	return r;
}
