/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/keep/crypt.h"
#include "agent/keep/entry.h"
#include "agent/keep/vault.h"
#include "agent/lib/buf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

#define SUFFIX ".q"
#define ITEMS_MAX (1024 * 1024)
/* Of a message, so that the next entry surely fits: its texts at most. */
#define RESERVE (2 * ENTRY_PATH_MAX + ENTRY_RULE_MAX + 512)

struct item {
	uint64_t when_ns;
	char id[ENTRY_ID_SIZE];
};

struct items {
	struct item *items;
	size_t len, size;
};

static void
items_done(struct items *items)
{
	free(items->items);
}

static void
closedirp(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static int
compare(const void *a, const void *b)
{
	const struct item *one = a;
	const struct item *two = b;

	if (one->when_ns != two->when_ns)
		return one->when_ns < two->when_ns ? -1 : 1;
	return strcmp(one->id, two->id);
}

static int
add(struct items *items, const struct item *item)
{
	if (items->len == items->size) {
		size_t size = items->size ? 2 * items->size : 64;
		if (size > ITEMS_MAX)
			return -E2BIG;
		struct item *more = realloc(items->items, size * sizeof(*more));
		if (!more)
			return -ENOMEM;
		items->items = more;
		items->size = size;
	}
	items->items[items->len++] = *item;
	return 0;
}

/* The id of an entry by its name; false for any other file. */
static bool
take_id(const char *name, char *dst)
{
	size_t len = ENTRY_ID_SIZE - 1;

	if (strlen(name) != len + strlen(SUFFIX) ||
	    !str_equal(name + len, SUFFIX))
		return false;
	memcpy(dst, name, len);
	dst[len] = '\0';
	return vault_is_id(dst);
}

/* The files' own times give the order; no entry is opened for it. */
static int
collect(const struct vault *vault, const struct item *after,
	struct items *items)
{
	int copy =
		openat(vault->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	struct item item;
	struct stat st;

	if (!folder)
		return -errno;
	for (struct dirent *one = readdir(folder); one; one = readdir(folder)) {
		if (!take_id(one->d_name, item.id) ||
		    fstatat(copy, one->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		item.when_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 +
			       (uint64_t)st.st_mtim.tv_nsec;
		if (compare(&item, after) <= 0)
			continue;
		int r = add(items, &item);
		if (r < 0)
			return r;
	}
	if (items->len)
		qsort(items->items, items->len, sizeof(item), compare);
	return 0;
}

static void
put_item(struct vault *vault, struct buf *buf, const struct item *item)
{
	CLEANUP(entry_done) struct entry entry = { 0 };
	CLEANUP(crypt_freep) struct crypt *crypt = NULL;
	CLEANUP_FD int fd = -1;
	struct msg_kept kept = { .entry = item->id };

	int r = vault_read(vault, item->id, &entry, &fd, &crypt);
	kept.error = r < 0 ? vault->why : "";
	kept.path = entry.path;
	kept.sha256 = entry.sha256;
	kept.rule = entry.rule;
	kept.size = entry.size;
	/* The file's time is what the next page begins behind. */
	kept.when_ns = item->when_ns;
	kept.mode = entry.mode;
	kept.uid = entry.uid;
	kept.gid = entry.gid;
	msg_put_kept(buf, &kept);
}

int
list_put(struct vault *vault, struct buf *buf, uint64_t after_ns,
	 const char *after, uint32_t *ret_len, bool *ret_more)
{
	CLEANUP(items_done) struct items items = { 0 };
	struct item from = { .when_ns = after_ns };
	size_t at = 0;

	(void)str_copy(from.id, sizeof(from.id), after);
	int r = collect(vault, &from, &items);
	if (r < 0)
		return r;
	while (at < items.len && buf->size - buf->at > RESERVE)
		put_item(vault, buf, &items.items[at++]);
	*ret_len = (uint32_t)at;
	*ret_more = at < items.len;
	return 0;
}
