/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/take.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/keep/crypt.h"
#include "agent/keep/name.h"
#include "agent/keep/vault.h"
#include "agent/lib/buf.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define PIECE (64 * 1024)
#define STEP_BYTES (32 * 1024 * 1024)
/* How often a file that changes meanwhile is begun anew. */
#define ROUNDS_MAX 4

static int
fail(struct take *take, int error, const char *why)
{
	take->why = why;
	return error;
}

static uint64_t
wall_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Reads the file from its beginning, without moving its offset, into the sum
 * and, unless that is NULL, into the stream.
 */
static int
read_through(struct take *take, struct crypt *crypt, char *dst,
	     uint64_t *ret_size)
{
	CLEANUP(crypt_sum_freep) struct crypt_sum *sum = crypt_sum_new();
	CLEANUP_FREE uint8_t *bytes = malloc(PIECE);
	uint64_t at = 0;
	ssize_t len;

	if (!sum || !bytes)
		return -ENOMEM;
	do {
		len = pread(take->fd, bytes, PIECE, (off_t)at);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return fail(take, -errno, "the file cannot be read");
		crypt_sum_add(sum, bytes, (size_t)len);
		int r = crypt ? crypt_put(crypt, bytes, (size_t)len, len == 0) :
				0;
		if (r < 0)
			return fail(take, r,
				    "the quarantine cannot be written to");
		if (at / STEP_BYTES != (at + (uint64_t)len) / STEP_BYTES)
			take->on_step();
		at += (uint64_t)len;
	} while (len != 0);
	crypt_sum_end(sum, dst);
	*ret_size = at;
	return 0;
}

/* What it was judged as; the same while we look. */
static int
check(struct take *take, struct entry *entry)
{
	uint64_t size;

	int r = entry_read(entry, take->fd);
	if (r == -EINVAL)
		return fail(take, r, "it is no regular file");
	if (r < 0)
		return fail(take, r, "its attributes cannot be read");
	if (entry->device != take->device || entry->inode != take->inode)
		return fail(take, -ESTALE, "it is another file");
	r = read_through(take, NULL, entry->sha256, &size);
	if (r < 0)
		return r;
	(void)str_copy(take->sum, sizeof(take->sum), entry->sha256);
	if (*take->sha256 && !str_equal(take->sha256, entry->sha256))
		return fail(take, -ESTALE,
			    "its content is not what was scanned");
	return size == entry->size ? 0 : -EAGAIN;
}

static void
fill(const struct take *take, struct entry *entry)
{
	entry->when_ns = wall_ns();
	/* Cut above its limit. */
	(void)strncpy(entry->rule, take->rule, sizeof(entry->rule) - 1);
	if (file_path(take->fd, entry->path, sizeof(entry->path)) < 0)
		(void)str_copy(entry->path, sizeof(entry->path), take->path);
	name_trim(take->fd, entry->path);
}

static int
put_entry(struct crypt *crypt, const struct entry *entry)
{
	CLEANUP_FREE uint8_t *bytes = malloc(ENTRY_SIZE_MAX);
	struct buf buf;

	if (!bytes)
		return -ENOMEM;
	buf_init_write(&buf, bytes, ENTRY_SIZE_MAX);
	entry_put(&buf, entry);
	return buf.failed ? -E2BIG : crypt_put(crypt, bytes, buf.at, false);
}

/* Returns -EAGAIN when the file changed meanwhile. */
static int
copy(struct vault *vault, struct take *take, const struct entry *entry,
     struct vault_draft *draft)
{
	CLEANUP(crypt_freep) struct crypt *crypt = NULL;
	char sum[CRYPT_SUM_SIZE];
	uint64_t size;

	/* Better to know at once that there is no room. */
	if (entry->size &&
	    fallocate(draft->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)entry->size) <
		    0 &&
	    errno != EOPNOTSUPP)
		return fail(take, -errno, "the quarantine has no room for it");
	int r = crypt_create(draft->fd, vault->key, draft->id, &crypt);
	if (r == 0)
		r = put_entry(crypt, entry);
	if (r < 0)
		return fail(take, r, "the quarantine cannot be written to");
	r = read_through(take, crypt, sum, &size);
	if (r < 0)
		return r;
	if (size != entry->size || !str_equal(sum, entry->sha256))
		return -EAGAIN;
	r = vault_commit(vault, draft);
	return r < 0 ? fail(take, r, vault->why) : 0;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The copy is whole and on the disk: the name may go. */
static int
remove_name(struct take *take, const struct entry *entry)
{
	int r = entry_clear_flags(entry, take->fd);

	if (r == 0)
		r = name_remove(take->fd, take->pid, &take->left);
	if (r == 0)
		return 0;
	(void)entry_set_flags(entry, take->fd);
	return fail(take, r,
		    r == -ENOENT ? "its name cannot be found" :
				   "its name cannot be removed");
}

static int
try_once(struct vault *vault, struct take *take, struct entry *entry)
{
	struct vault_draft draft = { .fd = -1 };
	struct stat before;
	struct stat after;

	if (fstat(take->fd, &before) < 0)
		return fail(take, -errno, "the file cannot be read");
	int r = check(take, entry);
	if (r < 0)
		return r;
	fill(take, entry);
	r = vault_begin(vault, &draft);
	if (r < 0)
		return fail(take, r, vault->why);
	r = copy(vault, take, entry, &draft);
	if (r == 0 &&
	    (fstat(take->fd, &after) < 0 || !is_same(&before, &after)))
		r = -EAGAIN;
	if (r == 0)
		r = remove_name(take, entry);
	if (r < 0) {
		vault_drop(vault, &draft);
		return r;
	}
	(void)str_copy(take->id, sizeof(take->id), draft.id);
	file_closep(&draft.fd);
	return 0;
}

int
take_file(struct vault *vault, struct take *take)
{
	CLEANUP(entry_done) struct entry entry = { 0 };

	take->id[0] = '\0';
	take->why = "";
	for (int i = 0; i < ROUNDS_MAX; i++) {
		int r = try_once(vault, take, &entry);
		if (r != -EAGAIN)
			return r;
	}
	return fail(take, -EBUSY, "it is written to all the time");
}
