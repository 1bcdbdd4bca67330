/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/client/folder.h"
#include "updater/release/blob.h"
#include "updater/release/manifest.h"
#include "updater/tuf/libcrypto.h"
#include "updater/verify/layout.h"
#include "updater/verify/tree.h"

#define PIECE 65536
#define INNER_SIZE (PATH_SIZE + 16)

struct entry {
	const char *sha256; /* the manifest's, as is path */
	const char *path;   /* of a rule file; NULL: a vector */
	size_t release;
};

struct held {
	int dirs[HELD_RELEASES_MAX];		       /* -1: none */
	struct manifest *manifests[HELD_RELEASES_MAX]; /* owned */
	struct entry *rules, *vectors; /* owned; sorted by hash */
	size_t rules_len, vectors_len;
};

/* What is read is checked piece by piece. */
struct check {
	struct libcrypto_sum *sum; /* of a rule file */
	struct blob *blob;	   /* of a vector */
	uint64_t left;		   /* bytes */
};

void
held_close(struct held *held)
{
	if (!held)
		return;
	for (size_t i = 0; i < HELD_RELEASES_MAX; i++) {
		file_closep(&held->dirs[i]);
		manifest_free(held->manifests[i]);
	}
	free(held->rules);
	free(held->vectors);
	free(held);
}

void
held_closep(struct held **held)
{
	held_close(*held);
	*held = NULL;
}

/* After any error but that of memory it has nothing. */
static int
read_release(struct held *held, size_t at, int releases, int64_t number)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	CLEANUP_FD int dir = -1;
	size_t len;

	int r = layout_open(releases, number, &dir);
	if (r == 0)
		r = folder_read(&(struct folder){ dir, -1 }, LAYOUT_MANIFEST,
				MANIFEST_SIZE_MAX, &bytes, &len);
	if (r == 0)
		r = manifest_parse(bytes, len, number, &held->manifests[at],
				   NULL);
	if (r == 0)
		held->dirs[at] = TAKE_FD(dir);
	return r == -ENOMEM ? r : 0;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return strcmp(left->sha256, right->sha256);
}

static void
fill(struct held *held, size_t at)
{
	const struct manifest *manifest = held->manifests[at];

	for (size_t i = 0; manifest && i < manifest->rules_len; i++)
		held->rules[held->rules_len++] =
			(struct entry){ manifest->rules[i].sha256,
					manifest->rules[i].path, at };
	for (size_t i = 0; manifest && i < manifest->vectors_len; i++)
		held->vectors[held->vectors_len++] =
			(struct entry){ manifest->vectors[i].sha256, NULL, at };
}

static int
sort(struct held *held)
{
	size_t rules = 1, vectors = 1;

	for (size_t i = 0; i < HELD_RELEASES_MAX; i++) {
		const struct manifest *manifest = held->manifests[i];
		rules += manifest ? manifest->rules_len : 0;
		vectors += manifest ? manifest->vectors_len : 0;
	}
	held->rules = calloc(rules, sizeof(*held->rules));
	held->vectors = calloc(vectors, sizeof(*held->vectors));
	if (!held->rules || !held->vectors)
		return -ENOMEM;
	for (size_t i = 0; i < HELD_RELEASES_MAX; i++)
		fill(held, i);
	qsort(held->rules, held->rules_len, sizeof(*held->rules), compare);
	qsort(held->vectors, held->vectors_len, sizeof(*held->vectors),
	      compare);
	return 0;
}

int
held_open(int releases, const int64_t *numbers, size_t len,
	  struct held **ret_held)
{
	CLEANUP(held_closep) struct held *held = calloc(1, sizeof(*held));

	if (!held)
		return -ENOMEM;
	for (size_t i = 0; i < HELD_RELEASES_MAX; i++)
		held->dirs[i] = -1;
	for (size_t i = 0; i < len && i < HELD_RELEASES_MAX; i++) {
		int r = read_release(held, i, releases, numbers[i]);
		if (r < 0)
			return r;
	}
	int r = sort(held);
	if (r == 0)
		*ret_held = TAKE(held);
	return r;
}

/* The first of that hash, and how many there are. */
static size_t
find(const struct entry *list, size_t len, const char *sha256,
     const struct entry **ret_first)
{
	const struct entry key = { .sha256 = sha256 };
	const struct entry *found =
		len ? bsearch(&key, list, len, sizeof(*list), compare) : NULL;
	size_t count = 0;

	if (!found)
		return 0;
	while (found > list && compare(&found[-1], &key) == 0)
		found--;
	while (found + count < list + len && compare(&found[count], &key) == 0)
		count++;
	*ret_first = found;
	return count;
}

static int
check_piece(struct check *check, const void *bytes, size_t len)
{
	if (check->blob)
		return blob_add(check->blob, bytes, len, NULL);
	if (len > check->left)
		return -EBADE;
	check->left -= len;
	return libcrypto_sum_add(check->sum, bytes, len);
}

static int
check_end(struct check *check, const char *sha256)
{
	uint8_t sum[LIBCRYPTO_SUM_MAX];
	char text[2 * LIBCRYPTO_SUM_MAX + 1];
	size_t len;

	if (check->blob)
		return blob_end(check->blob, NULL);
	int r = libcrypto_sum_end(check->sum, sum, &len);
	if (r < 0)
		return r;
	str_hex(text, sum, len);
	return !check->left && str_equal(text, sha256) ? 0 : -EBADE;
}

static int
check_file(int fd, struct check *check, const char *sha256)
{
	CLEANUP_FREE uint8_t *piece = malloc(PIECE);

	if (!piece)
		return -ENOMEM;
	for (;;) {
		ssize_t len = read(fd, piece, PIECE);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		int r = len ? check_piece(check, piece, (size_t)len) :
			      check_end(check, sha256);
		if (r < 0 || !len)
			return r;
	}
}

static int
check_one(const struct held *held, const struct entry *entry, uint64_t size,
	  const char *from)
{
	CLEANUP(libcrypto_sum_freep) struct libcrypto_sum *sum = NULL;
	CLEANUP(blob_freep) struct blob *blob = NULL;
	CLEANUP_FD int fd = -1;

	int r = tree_open(held->dirs[entry->release], from, &fd);
	if (r < 0)
		return r;
	if (entry->path)
		sum = libcrypto_sum_new(LIBCRYPTO_SHA256);
	else
		r = blob_new(entry->sha256, size, NULL, NULL, &blob);
	if (!sum && !blob)
		return r < 0 ? r : -ENOMEM;
	struct check check = { sum, blob, size };
	return check_file(fd, &check, entry->sha256);
}

/* Under its other name, too. */
static int
link_one(int from_dir, const char *from, int dir, const char *path)
{
	CLEANUP_FD int from_parent = -1;
	CLEANUP_FD int parent = -1;
	const char *from_name, *name;

	int r = tree_parent(from_dir, from, 0, &from_parent, &from_name);
	if (r == 0)
		r = tree_parent(dir, path, 1, &parent, &name);
	if (r == 0 && linkat(from_parent, from_name, parent, name, 0) < 0)
		r = -errno;
	return r;
}

static int
use(const struct held *held, const struct entry *entry, uint64_t size, int dir,
    const char *path)
{
	char from[INNER_SIZE];

	if (entry->path)
		(void)snprintf(from, sizeof(from), LAYOUT_RULES "/%s",
			       entry->path);
	else
		(void)snprintf(from, sizeof(from), LAYOUT_VECTORS "/%s.gz",
			       entry->sha256);
	if (check_one(held, entry, size, from) < 0)
		return -ENOENT;
	int r = link_one(held->dirs[entry->release], from, dir, path);
	/* So many names as a file may have: it is fetched. */
	return r == -EMLINK || r == -EPERM ? -ENOENT : r;
}

static int
use_any(const struct held *held, const struct entry *list, size_t len,
	const char *sha256, uint64_t size, int dir, const char *path)
{
	const struct entry *first = NULL;
	size_t count = find(list, len, sha256, &first);

	for (size_t i = 0; i < count; i++) {
		int r = use(held, &first[i], size, dir, path);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

int
held_rule(const struct held *held, const char *sha256, uint64_t size, int dir,
	  const char *path)
{
	return use_any(held, held->rules, held->rules_len, sha256, size, dir,
		       path);
}

int
held_vector(const struct held *held, const char *sha256, uint64_t size, int dir,
	    const char *path)
{
	return use_any(held, held->vectors, held->vectors_len, sha256, size,
		       dir, path);
}

bool
held_has_rule(const struct held *held, const char *sha256)
{
	const struct entry *first;

	return find(held->rules, held->rules_len, sha256, &first) > 0;
}

bool
held_has_vector(const struct held *held, const char *sha256)
{
	const struct entry *first;

	return find(held->vectors, held->vectors_len, sha256, &first) > 0;
}
