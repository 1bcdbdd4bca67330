/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define FOLDER "quarantine"
#define KEY "key"
#define DRAFT "draft-"
#define NAME_SIZE 64
#define ID_BYTES 16
/* Nobody writes for so long: see the limits of khiend. */
#define STALE_S 3600

static int
fail(struct vault *vault, const char *why)
{
	int r = -errno;

	vault->why = why;
	return r;
}

static int
open_folder(struct vault *vault, int state, bool make)
{
	struct stat st;

	if (make && mkdirat(state, FOLDER, 0700) == 0) {
		CLEANUP_FD int above =
			openat(state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (above < 0 || fsync(above) < 0)
			return fail(vault, "the quarantine cannot be made");
	} else if (make && errno != EEXIST) {
		return fail(vault, "the quarantine cannot be made");
	}
	vault->folder = openat(state, FOLDER,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (vault->folder < 0 || fstat(vault->folder, &st) < 0)
		return fail(vault, "the quarantine cannot be opened");
	if (st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return 0;
	errno = EPERM;
	return fail(vault, "the quarantine's folder is not root's alone");
}

static int
read_key(struct vault *vault)
{
	struct stat st;
	uint8_t more;
	CLEANUP_FD int fd =
		openat(vault->folder, KEY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(vault, "the quarantine's key cannot be read");
	if (read(fd, vault->key, CRYPT_KEY_LEN) == CRYPT_KEY_LEN &&
	    read(fd, &more, 1) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0)
		return 0;
	errno = EBADMSG;
	return fail(vault, "the quarantine's key is damaged or not root's "
			   "alone");
}

static void
draft_name(char *dst, const char *id)
{
	(void)snprintf(dst, NAME_SIZE, DRAFT "%s", id);
}

/*
 * Of two that make it at once, one is first and both use that one's.  It is on
 * the disk before anything is written under it.
 */
static int
make_key(struct vault *vault)
{
	struct vault_draft draft = { .fd = -1 };
	char name[NAME_SIZE];

	int r = vault_begin(vault, &draft);
	if (r < 0)
		return r;
	draft_name(name, draft.id);
	crypt_random(vault->key, sizeof(vault->key));
	r = file_write_all(draft.fd, vault->key, sizeof(vault->key));
	if (r == 0 && fsync(draft.fd) < 0)
		r = -errno;
	if (r == 0 && linkat(vault->folder, name, vault->folder, KEY, 0) < 0 &&
	    errno != EEXIST)
		r = -errno;
	if (r == 0 && fsync(vault->folder) < 0)
		r = -errno;
	vault_drop(vault, &draft);
	if (r < 0)
		vault->why = "the quarantine's key cannot be made";
	return r;
}

int
vault_open(struct vault *vault, int state, bool make)
{
	*vault = (struct vault){ .folder = -1, .why = "" };
	int r = open_folder(vault, state, make);
	if (r < 0)
		return r;
	r = read_key(vault);
	if (r == -ENOENT && make) {
		r = make_key(vault);
		if (r == 0)
			r = read_key(vault);
	}
	return r;
}

void
vault_done(struct vault *vault)
{
	file_closep(&vault->folder);
	crypt_forget(vault->key, sizeof(vault->key));
}

static void
closedirp(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

void
vault_tidy(struct vault *vault)
{
	int copy =
		openat(vault->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	time_t now = time(NULL);
	struct stat st;

	for (struct dirent *item = folder ? readdir(folder) : NULL; item;
	     item = readdir(folder)) {
		if (!str_starts(item->d_name, DRAFT) ||
		    fstatat(copy, item->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (now - st.st_mtime > STALE_S || st.st_mtime > now)
			(void)unlinkat(copy, item->d_name, 0);
	}
}

int
vault_begin(struct vault *vault, struct vault_draft *draft)
{
	uint8_t random[ID_BYTES];
	char name[NAME_SIZE];

	crypt_random(random, sizeof(random));
	str_hex(draft->id, random, sizeof(random));
	draft_name(name, draft->id);
	draft->fd = openat(vault->folder, name,
			   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (draft->fd < 0)
		return fail(vault, "the quarantine cannot be written to");
	return 0;
}

static void
final_name(char *dst, const char *id)
{
	(void)snprintf(dst, NAME_SIZE, "%s.q", id);
}

int
vault_commit(struct vault *vault, struct vault_draft *draft)
{
	char from[NAME_SIZE];
	char to[NAME_SIZE];

	draft_name(from, draft->id);
	final_name(to, draft->id);
	if (fsync(draft->fd) < 0)
		return fail(vault, "the quarantine cannot be written to");
	if (renameat2(vault->folder, from, vault->folder, to,
		      RENAME_NOREPLACE) < 0)
		return fail(vault, "the quarantine cannot be written to");
	draft->named = true;
	if (fsync(vault->folder) < 0)
		return fail(vault, "the quarantine cannot be written to");
	return 0;
}

void
vault_drop(struct vault *vault, struct vault_draft *draft)
{
	char name[NAME_SIZE];

	if (draft->fd < 0)
		return;
	if (draft->named)
		final_name(name, draft->id);
	else
		draft_name(name, draft->id);
	(void)unlinkat(vault->folder, name, 0);
	file_closep(&draft->fd);
	draft->named = false;
}

bool
vault_is_id(const char *id)
{
	return strlen(id) == ENTRY_ID_SIZE - 1 &&
	       strspn(id, "0123456789abcdef") == ENTRY_ID_SIZE - 1;
}

static int
read_entry(struct crypt *crypt, struct entry *entry)
{
	CLEANUP_FREE uint8_t *bytes = malloc(ENTRY_SIZE_MAX);
	struct buf buf;
	size_t len;
	bool last;

	if (!bytes)
		return -ENOMEM;
	int r = crypt_get(crypt, bytes, ENTRY_SIZE_MAX, &len, &last);
	if (r < 0)
		return r;
	buf_init_read(&buf, bytes, len);
	return last ? -EBADMSG : entry_get(&buf, entry);
}

int
vault_read(struct vault *vault, const char *id, struct entry *entry,
	   int *ret_fd, struct crypt **ret_crypt)
{
	CLEANUP(crypt_freep) struct crypt *crypt = NULL;
	char name[NAME_SIZE];

	if (!vault_is_id(id)) {
		vault->why = "that is no id of a quarantined file";
		return -EINVAL;
	}
	final_name(name, id);
	CLEANUP_FD int fd =
		openat(vault->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(vault, errno == ENOENT ?
					   "no such id in quarantine" :
					   "the entry cannot be opened");
	int r = crypt_open(fd, vault->key, id, &crypt);
	if (r == 0)
		r = read_entry(crypt, entry);
	if (r < 0) {
		vault->why = r == -EBADMSG ? "the entry is damaged" :
					     "the entry cannot be read";
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	*ret_crypt = TAKE(crypt);
	return 0;
}

int
vault_remove(struct vault *vault, const char *id)
{
	char name[NAME_SIZE];

	if (!vault_is_id(id)) {
		vault->why = "that is no id of a quarantined file";
		return -EINVAL;
	}
	final_name(name, id);
	if (unlinkat(vault->folder, name, 0) < 0)
		return fail(vault, errno == ENOENT ?
					   "no such id in quarantine" :
					   "the entry cannot be removed");
	return fsync(vault->folder) < 0 ?
		       fail(vault, "the removal is not on the disk yet") :
		       0;
}
