/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/give.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/keep/crypt.h"
#include "agent/keep/vault.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define PIECE (64 * 1024)
#define STEP_BYTES (32 * 1024 * 1024)
#define TEMPORARY_SIZE 64

/* The new file before it has its name. */
struct place {
	int folder;
	const char *name;		/* in the folder */
	char temporary[TEMPORARY_SIZE]; /* "": has no name at all */
};

static int
fail(struct give *give, int error, const char *why)
{
	give->why = why;
	return error;
}

static int
find_place(struct give *give, struct place *place)
{
	char folder[ENTRY_PATH_MAX];
	struct stat st;
	const char *slash = strrchr(give->path, '/');

	if (give->path[0] != '/' || !slash[1])
		return fail(give, -EINVAL, "that is no path of a file");
	(void)snprintf(folder, sizeof(folder), "%.*s",
		       slash == give->path ? 1 : (int)(slash - give->path),
		       give->path);
	place->name = slash + 1;
	place->folder =
		openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->folder < 0)
		return fail(give, -errno, "its folder cannot be opened");
	if (fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(give, -EEXIST, "something stands in its place");
	return errno == ENOENT ? 0 :
				 fail(give, -errno, "its place cannot be used");
}

static int
create(struct give *give, struct place *place)
{
	uint8_t random[8];
	char digits[2 * sizeof(random) + 1];

	give->fd = openat(place->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC,
			  0600);
	if (give->fd >= 0)
		return 0;
	crypt_random(random, sizeof(random));
	str_hex(digits, random, sizeof(random));
	(void)snprintf(place->temporary, sizeof(place->temporary),
		       ".khien-restore-%s", digits);
	give->fd = openat(place->folder, place->temporary,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			  0600);
	if (give->fd >= 0)
		return 0;
	place->temporary[0] = '\0';
	return fail(give, -errno, "the file cannot be made");
}

static int
write_content(struct give *give, struct crypt *crypt, const struct entry *entry)
{
	CLEANUP(crypt_sum_freep) struct crypt_sum *sum = crypt_sum_new();
	CLEANUP_FREE uint8_t *bytes = malloc(PIECE);
	uint64_t at = 0;
	bool last = false;
	size_t len;

	if (!sum || !bytes)
		return fail(give, -ENOMEM, "the file cannot be made");
	while (!last) {
		int r = crypt_get(crypt, bytes, PIECE, &len, &last);
		if (r < 0)
			return fail(give, r, "the entry is damaged");
		crypt_sum_add(sum, bytes, len);
		r = file_write_all(give->fd, bytes, len);
		if (r < 0)
			return fail(give, r, "the file cannot be written");
		if (at / STEP_BYTES != (at + len) / STEP_BYTES)
			give->on_step();
		at += len;
	}
	crypt_sum_end(sum, give->sum);
	if (at != entry->size || !str_equal(give->sum, entry->sha256))
		return fail(give, -EBADMSG, "the entry is damaged");
	return 0;
}

static int
write_file(struct give *give, struct crypt *crypt, const struct entry *entry)
{
	struct stat st;

	if (entry->size &&
	    fallocate(give->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)entry->size) <
		    0 &&
	    errno != EOPNOTSUPP)
		return fail(give, -errno, "there is no room for the file");
	int r = write_content(give, crypt, entry);
	if (r < 0)
		return r;
	r = entry_apply(entry, give->fd, *give->to, &give->missing);
	if (r < 0)
		return fail(give, r, "its attributes cannot be set");
	if (fsync(give->fd) < 0 || fstat(give->fd, &st) < 0)
		return fail(give, -errno, "the file cannot be written");
	give->device = st.st_dev;
	give->inode = st.st_ino;
	return 0;
}

/* Never over something: link(2) refuses, and so does RENAME_NOREPLACE. */
static int
put_in_place(struct give *give, struct place *place)
{
	int r = 0;

	if (!place->temporary[0]) {
		if (linkat(give->fd, "", place->folder, place->name,
			   AT_EMPTY_PATH) < 0)
			r = -errno;
	} else if (renameat2(place->folder, place->temporary, place->folder,
			     place->name, RENAME_NOREPLACE) < 0) {
		r = -errno;
	}
	if (r < 0)
		return fail(give, r,
			    r == -EEXIST ? "something stands in its place" :
					   "the file cannot be put in place");
	place->temporary[0] = '\0';
	(void)fsync(place->folder);
	return 0;
}

static int
make_file(struct give *give, struct crypt *crypt, const struct entry *entry)
{
	struct place place = { .folder = -1 };

	int r = find_place(give, &place);
	if (r == 0)
		r = create(give, &place);
	if (r == 0)
		r = write_file(give, crypt, entry);
	if (r == 0)
		r = put_in_place(give, &place);
	if (r < 0 && place.temporary[0])
		(void)unlinkat(place.folder, place.temporary, 0);
	file_closep(&place.folder);
	if (r < 0)
		return r;
	r = entry_set_flags(entry, give->fd);
	if (r < 0 && *give->to) {
		give->missing++;
		r = 0;
	}
	return r < 0 ? fail(give, r, "it is there, but not immutable") : 0;
}

int
give_file(struct vault *vault, struct give *give)
{
	CLEANUP(entry_done) struct entry entry = { 0 };
	CLEANUP(crypt_freep) struct crypt *crypt = NULL;
	CLEANUP_FD int fd = -1;

	give->why = "";
	give->fd = -1;
	int r = vault_read(vault, give->id, &entry, &fd, &crypt);
	if (r < 0)
		return fail(give, r, vault->why);
	(void)str_copy(give->rule, sizeof(give->rule), entry.rule);
	r = str_copy(give->path, sizeof(give->path),
		     *give->to ? give->to : entry.path);
	if (r < 0)
		return fail(give, r, "that path is too long");
	r = make_file(give, crypt, &entry);
	if (r < 0)
		file_closep(&give->fd);
	return r;
}
