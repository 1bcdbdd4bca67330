/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/scan/include.h"

#define SUFFIX ".yar"

/* A folder that is being read. */
struct folder {
	struct rules *rules;
	int top; /* borrowed */
};

static void
close_dirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* See openat2(2): nothing that is found this way lies outside of top. */
static int
open_beneath(int top, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = resolve | RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static bool
is_rule_name(const char *name)
{
	size_t len = strlen(name);
	size_t suffix = sizeof(SUFFIX) - 1;

	return name[0] != '.' && len > suffix &&
	       strcmp(name + len - suffix, SUFFIX) == 0;
}

/* Takes what *file owns. */
static int
append(struct rules *rules, struct rules_file *file)
{
	size_t len = rules->len;

	if (len == RULES_FILES_MAX || rules->size + file->len > RULES_SIZE_MAX)
		return -E2BIG;
	/* Grows at 0, 16, 32, 64, ... entries. */
	if (len == 0 || (len >= 16 && (len & (len - 1)) == 0)) {
		size_t room = len < 16 ? 16 : 2 * len;
		void *files =
			realloc(rules->files, room * sizeof(*rules->files));
		if (!files)
			return -ENOMEM;
		rules->files = files;
	}
	rules->files[rules->len++] = *file;
	rules->size += file->len;
	*file = (struct rules_file){ 0 };
	return 0;
}

static void
done_file(struct rules_file *file)
{
	free(file->path);
	free(file->text);
	free(file->error);
	*file = (struct rules_file){ 0 };
}

/* A file that shrinks meanwhile is shorter; what it grows by is left out. */
static int
read_text(int fd, struct rules_file *file)
{
	struct stat st;
	size_t len = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > RULES_SIZE_MAX)
		return -E2BIG;
	size_t size = (size_t)st.st_size;
	char *text CLEANUP_FREE = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	while (len < size) {
		ssize_t n = pread(fd, text + len, size - len, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	file->text = TAKE(text);
	file->len = len;
	return 0;
}

static int
read_beneath(int top, const char *path, struct rules_file *file)
{
	CLEANUP_FD int fd = -1;
	int r = open_beneath(top, path, 0, 0);

	if (r < 0)
		return r;
	fd = r;
	return read_text(fd, file);
}

static const char *
reason(int error)
{
	switch (error) {
	case -EXDEV:
		return "leads out of its folder";
	case -EINVAL:
		return "is not a regular file";
	case -ENAMETOOLONG:
		return "has too long a path";
	default:
		return strerror(-error);
	}
}

static int
append_failure(struct rules *rules, const char *path, bool listed, int error)
{
	CLEANUP(done_file) struct rules_file file = { .listed = listed };

	file.path = strndup(path, RULES_PATH_MAX - 1);
	file.folder = rules->folders;
	if (!file.path ||
	    asprintf(&file.error, "%s%s: %s", rules->prefixes[file.folder],
		     file.path, reason(error)) < 0)
		return -ENOMEM;
	return append(rules, &file);
}

/* Adds one file, or the reason why it could not be read. */
static int
add_text(struct folder *folder, const char *path, bool listed)
{
	struct rules *rules = folder->rules;
	CLEANUP(done_file)
	struct rules_file file = { .folder = rules->folders, .listed = listed };

	int r = -ENAMETOOLONG;
	if (strlen(path) < RULES_PATH_MAX)
		r = read_beneath(folder->top, path, &file);
	if (r == -ENOMEM || r == -E2BIG)
		return r;
	if (r < 0)
		return append_failure(rules, path, listed, r);
	file.path = strdup(path);
	return file.path ? append(rules, &file) : -ENOMEM;
}

static int walk(struct folder *folder, const char *path, unsigned int depth);

static int
add_entry(struct folder *folder, const char *path, int dir, const char *name,
	  unsigned int depth)
{
	char *under CLEANUP_FREE = NULL;
	struct stat st;

	if (name[0] == '.')
		return 0;
	if (asprintf(&under, "%s%s%s", path, *path ? "/" : "", name) < 0)
		return -ENOMEM;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 :
					 append_failure(folder->rules, under,
							true, -errno);
	if (S_ISDIR(st.st_mode))
		return walk(folder, under, depth + 1);
	if (!is_rule_name(name))
		return 0;
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return append_failure(folder->rules, under, true, -EINVAL);
	return add_text(folder, under, true);
}

static int
walk_entries(struct folder *folder, const char *path, int fd,
	     unsigned int depth)
{
	CLEANUP_FD int own = fd;
	CLEANUP(close_dirp) DIR *dir = fdopendir(own);

	if (!dir)
		return -errno;
	own = -1;
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry)
			return -errno;
		int r = add_entry(folder, path, dirfd(dir), entry->d_name,
				  depth);
		if (r < 0)
			return r;
	}
}

/* The folder's own troubles are a failure's entry, except at the top. */
static int
walk(struct folder *folder, const char *path, unsigned int depth)
{
	if (depth > RULES_DEPTH_MAX || strlen(path) >= RULES_PATH_MAX)
		return append_failure(folder->rules, path, true, -ENAMETOOLONG);
	int fd = open_beneath(folder->top, *path ? path : ".", O_DIRECTORY,
			      RESOLVE_NO_SYMLINKS);
	if (fd < 0 && depth > 0)
		return append_failure(folder->rules, path, true, fd);
	return fd < 0 ? fd : walk_entries(folder, path, fd, depth);
}

static int
compare(const void *a, const void *b)
{
	const struct rules_file *first = a, *second = b;

	if (first->folder != second->folder)
		return first->folder < second->folder ? -1 : 1;
	return strcmp(first->path, second->path);
}

/* The first `len` bytes of path are the folder's. */
static int
begin_folder(struct rules *rules, const char *path, size_t len)
{
	char *prefix;
	bool slash = len > 0 && path[len - 1] != '/';

	if (rules->folders == RULES_FOLDERS_MAX)
		return -E2BIG;
	if (asprintf(&prefix, "%.*s%s", (int)len, path, slash ? "/" : "") < 0)
		return -ENOMEM;
	rules->prefixes[rules->folders] = prefix;
	return 0;
}

static int
end_folder(struct rules *rules, int r)
{
	rules->folders++;
	if (rules->len > 0)
		qsort(rules->files, rules->len, sizeof(*rules->files), compare);
	return r;
}

static int
add_top(struct rules *rules, int top, const char *name)
{
	struct folder folder = { .rules = rules, .top = top };

	int r = begin_folder(rules, name, strlen(name));
	return r < 0 ? r : end_folder(rules, walk(&folder, "", 0));
}

int
rules_add_folder(struct rules *rules, const char *path)
{
	CLEANUP_FD int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return top < 0 ? -errno : add_top(rules, top, path);
}

int
rules_add_beneath(struct rules *rules, int dir, const char *path,
		  const char *name)
{
	CLEANUP_FD int top =
		open_beneath(dir, path, O_DIRECTORY, RESOLVE_NO_SYMLINKS);

	if (top < 0)
		return top;
	if (rules->folders < RULES_FOLDERS_MAX)
		rules->named[rules->folders] = true;
	return add_top(rules, top, name);
}

const char *
rules_name(const struct rules *rules, uint32_t folder)
{
	return rules->named[folder] ? rules->prefixes[folder] : "";
}

static bool
is_known(const struct rules *rules, const char *path)
{
	for (size_t i = 0; i < rules->len; i++)
		if (rules->files[i].folder == rules->folders &&
		    strcmp(rules->files[i].path, path) == 0)
			return true;
	return false;
}

/*
 * Adds what file number i includes.  What is not there is not added: libyara
 * says so, with the line, if the directive was none in a comment.
 */
static int
add_included(struct folder *folder, size_t i)
{
	struct rules *rules = folder->rules;
	size_t at = 0;
	const char *name;
	size_t len;

	for (;;) {
		/* The table may have moved. */
		const struct rules_file *file = &rules->files[i];
		char path[RULES_PATH_MAX];
		if (!file->text ||
		    !include_next(file->text, file->len, &at, &name, &len))
			return 0;
		if (include_path(path, sizeof(path), file->path, name, len) < 0)
			continue;
		if (is_known(rules, path))
			continue;
		int r = add_text(folder, path, false);
		if (r < 0)
			return r;
	}
}

/* The folder that a path lies in. */
static int
open_parent(const char *path, size_t len)
{
	char *parent CLEANUP_FREE = len > 0 ? strndup(path, len) : strdup(".");

	if (!parent)
		return -ENOMEM;
	int fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The caller named it: a symbolic link is followed wherever it goes. */
static int
read_named(int top, const char *name, struct rules_file *file)
{
	CLEANUP_FD int fd =
		openat(top, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	int r = read_text(fd, file);
	if (r < 0)
		return r;
	file->path = strdup(name);
	return file->path ? 0 : -ENOMEM;
}

int
rules_add_file(struct rules *rules, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t parent = slash ? (size_t)(slash - path) + 1 : 0;
	CLEANUP(done_file)
	struct rules_file file = { .folder = rules->folders, .listed = true };
	CLEANUP_FD int top = -1;

	int r = open_parent(path, parent);
	if (r < 0)
		return r;
	top = r;
	r = read_named(top, path + parent, &file);
	if (r == 0)
		r = begin_folder(rules, path, parent);
	if (r < 0)
		return r;
	r = append(rules, &file);
	struct folder folder = { .rules = rules, .top = top };
	for (size_t i = rules->len - 1; r == 0 && i < rules->len; i++)
		r = add_included(&folder, i);
	return end_folder(rules, r);
}

int
rules_add(struct rules *rules, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return rules_add_folder(rules, path);
	return rules_add_file(rules, path);
}

const struct rules_file *
rules_find(const struct rules *rules, uint32_t folder, const char *path)
{
	size_t low = 0, high = rules->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct rules_file *file = &rules->files[middle];
		int order = folder < file->folder ? -1 : 1;
		if (folder == file->folder)
			order = strcmp(path, file->path);
		if (order == 0)
			return file->text ? file : NULL;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool
rules_contain(const struct rules *rules, const char *text)
{
	for (size_t i = 0; i < rules->len; i++)
		if (rules->files[i].text &&
		    memmem(rules->files[i].text, rules->files[i].len, text,
			   strlen(text)))
			return true;
	return false;
}

bool
rules_is_wanted(const struct rules_file *file)
{
	return file->listed && file->text && !file->error;
}

bool
rules_is_failure(const struct rules_file *file)
{
	return file->listed && file->error;
}

int
rules_refuse(struct rules_file *file, const char *error)
{
	if (file->error)
		return 0;
	file->error = strdup(error);
	return file->error ? 0 : -ENOMEM;
}

void
rules_drop_texts(struct rules *rules)
{
	for (size_t i = 0; i < rules->len; i++) {
		free(rules->files[i].text);
		rules->files[i].text = NULL;
	}
}

void
rules_done(struct rules *rules)
{
	for (size_t i = 0; i < rules->len; i++)
		done_file(&rules->files[i]);
	for (size_t i = 0; i < rules->folders; i++)
		free(rules->prefixes[i]);
	free(rules->files);
	*rules = (struct rules){ 0 };
}
