/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/shelf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/body.h"
#include "updater/repo/files.h"
#include "updater/repo/paper.h"
#include "updater/tuf/hashes.h"
#include "updater/tuf/name.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/targets.h"

#define BLOBS "blobs/"

int
shelf_role(const char *name, enum duty_id *ret_id)
{
	if (str_starts(name, BLOBS))
		return duty_bin(name, ret_id);
	*ret_id = str_equal(name, DUTY_CHANNEL_PATH) ? DUTY_CHANNEL :
						       DUTY_TARGETS;
	return 0;
}

const struct doc_value *
shelf_entry(const struct set *over, const struct set *base, const char *name)
{
	enum duty_id id;

	if (shelf_role(name, &id) < 0)
		return NULL;
	const struct paper *paper = set_get(over, base, id);
	if (!paper)
		return NULL;
	return doc_member(doc_member(paper->metadata->body, "targets"), name);
}

int
shelf_path(const char *name, const struct doc_value *entry, char *dst,
	   size_t size, struct reason *why)
{
	struct target target = { .name = name };

	int r = hashes_parse(entry, &target.hashes, why);
	if (r == 0)
		r = name_target_url(dst, size, &target, true, why);
	return r < 0 ? reason_about(why, r, name) : 0;
}

/* "published/targets/PATH" */
static int
join(char *dst, const char *folder, const char *path)
{
	int len = snprintf(dst, FILES_PATH_SIZE, "%s/" REPO_TARGETS "/%s",
			   folder, path);

	return len < FILES_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

static int
read_either(const struct repo *repo, enum repo_area area, const char *path,
	    size_t size_max, uint8_t **ret_bytes, size_t *ret_len)
{
	const char *const folders[] = { repo_area_name(area), REPO_PUBLISHED };
	char whole[FILES_PATH_SIZE];
	int r = -ENOENT;

	for (size_t i = 0; i < 2 && r == -ENOENT; i++) {
		r = join(whole, folders[i], path);
		if (r == 0)
			r = files_read(repo->dir, whole, size_max, ret_bytes,
				       ret_len);
	}
	return r;
}

int
shelf_read(const struct repo *repo, enum repo_area area, const char *name,
	   const struct doc_value *entry, size_t size_max, uint8_t **ret_bytes,
	   size_t *ret_len, struct reason *why)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	char path[FILES_PATH_SIZE];
	struct hashes hashes;

	int r = shelf_path(name, entry, path, sizeof(path), why);
	if (r < 0)
		return r;
	why->text[0] = '\0';
	r = read_either(repo, area, path, size_max, &bytes, ret_len);
	if (r == -ENOENT)
		return reason_set(why, r,
				  "%.200s is listed, and targets/%.300s is "
				  "neither staged nor published",
				  name, path);
	if (r == 0)
		r = hashes_parse(entry, &hashes, why);
	if (r == 0)
		r = hashes_check(&hashes, bytes, *ret_len, why);
	if (r < 0)
		return reason_about(why, r, path);
	*ret_bytes = TAKE(bytes);
	return 0;
}

/* Whether just these bytes are under that path already. */
static bool
is_there(const struct repo *repo, const char *whole, const void *bytes,
	 size_t len)
{
	CLEANUP_FREE uint8_t *there = NULL;
	size_t there_len;

	return files_read(repo->dir, whole, len, &there, &there_len) == 0 &&
	       there_len == len && memcmp(there, bytes, len) == 0;
}

int
shelf_write(const struct repo *repo, enum repo_area area, const char *name,
	    const void *bytes, size_t len, struct doc **ret_entry,
	    struct reason *why)
{
	CLEANUP(doc_freep) struct doc *entry = body_entry(bytes, len);
	char path[FILES_PATH_SIZE], whole[FILES_PATH_SIZE];

	if (!entry)
		return -ENOMEM;
	int r = shelf_path(name, doc_root(entry), path, sizeof(path), why);
	if (r < 0)
		return r;
	r = join(whole, REPO_PUBLISHED, path);
	if (r == 0 && !is_there(repo, whole, bytes, len)) {
		r = join(whole, repo_area_name(area), path);
		if (r == 0)
			r = files_write(repo->dir, whole, bytes, len);
	}
	if (r < 0)
		return reason_set(why, r, "%.400s cannot be written: %s", whole,
				  strerror(-r));
	*ret_entry = TAKE(entry);
	return 0;
}
