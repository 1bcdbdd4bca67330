/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/scan/digest.h"

/* The lower its place, the sooner it is taken. */
struct chosen {
	char place[DIGEST_TEXT_SIZE];
	char *path; /* owned */
};

struct choice {
	struct digest *digest;
	const char *seed;
	struct chosen best[SAMPLE_MAX]; /* by place */
	size_t len, seen;
};

static void
close_dirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int
find_place(const struct choice *choice, const char *path, char *dst)
{
	int r = digest_begin(choice->digest);

	/* With its NUL, so that seed and path stay apart. */
	if (r == 0)
		r = digest_add(choice->digest, (const uint8_t *)choice->seed,
			       strlen(choice->seed) + 1);
	if (r == 0)
		r = digest_add(choice->digest, (const uint8_t *)path,
			       strlen(path));
	return r < 0 ? r : digest_end(choice->digest, dst);
}

/* Takes its place among the best, if it is one of them. */
static int
choose(struct choice *choice, const char *path)
{
	struct chosen one;
	size_t at = choice->len;

	int r = find_place(choice, path, one.place);
	if (r < 0)
		return r;
	while (at > 0 && strcmp(one.place, choice->best[at - 1].place) < 0)
		at--;
	if (at == SAMPLE_MAX)
		return 0;
	one.path = strdup(path);
	if (!one.path)
		return -ENOMEM;
	if (choice->len == SAMPLE_MAX)
		free(choice->best[--choice->len].path);
	memmove(&choice->best[at + 1], &choice->best[at],
		(choice->len - at) * sizeof(one));
	choice->best[at] = one;
	choice->len++;
	return 0;
}

static bool
is_good(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == 0 &&
	       (st->st_mode & 022) == 0 && st->st_size > 0;
}

static int walk(struct choice *choice, int dir, const char *path,
		unsigned int depth);

static int
see(struct choice *choice, int dir, const char *path, const char *name,
    unsigned int depth)
{
	char *under CLEANUP_FREE = NULL;
	struct stat st;

	choice->seen++;
	/* Like what it cannot read: there are others. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) && !is_good(&st))
		return 0;
	if (asprintf(&under, "%s/%s", path, name) < 0)
		return -ENOMEM;
	if (!S_ISDIR(st.st_mode))
		return choose(choice, under);
	if (depth == SAMPLE_DEPTH_MAX)
		return 0;
	int fd = openat(dir, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? 0 : walk(choice, fd, under, depth + 1);
}

/* Takes dir. */
static int
walk(struct choice *choice, int dir, const char *path, unsigned int depth)
{
	CLEANUP_FD int own = dir;
	CLEANUP(close_dirp) DIR *entries = fdopendir(own);

	if (!entries)
		return errno == ENOMEM ? -ENOMEM : 0;
	own = -1;
	while (choice->seen < SAMPLE_SEEN_MAX) {
		struct dirent *entry = readdir(entries);
		if (!entry)
			return 0;
		if (str_equal(entry->d_name, ".") ||
		    str_equal(entry->d_name, ".."))
			continue;
		int r = see(choice, dirfd(entries), path, entry->d_name, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

/* It may be another one by now. */
static void
open_one(struct sample *sample, struct chosen *one)
{
	CLEANUP_FD int fd = open(one->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
						    O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !is_good(&st))
		return;
	sample->files[sample->len++] =
		(struct sample_file){ .path = TAKE(one->path),
				      .fd = TAKE_FD(fd) };
}

static int
fill(struct choice *choice, const char *root)
{
	static const char *const folders[] = { "bin", "sbin", "lib" };
	char path[256];
	int r = 0;

	for (size_t i = 0; r == 0 && i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		/* Not a link, as in a merged /usr: it would be seen twice. */
		int dir = open(path,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir >= 0)
			r = walk(choice, dir, path, 0);
	}
	return r;
}

int
sample_open(struct sample *sample, const char *root, const char *seed)
{
	struct choice *choice CLEANUP_FREE = calloc(1, sizeof(*choice));

	if (!choice)
		return -ENOMEM;
	choice->seed = seed;
	choice->digest = digest_new();
	int r = choice->digest ? fill(choice, root) : -ENOMEM;
	for (size_t i = 0; i < choice->len; i++) {
		if (r == 0)
			open_one(sample, &choice->best[i]);
		free(choice->best[i].path);
	}
	digest_free(choice->digest);
	return r;
}

void
sample_done(struct sample *sample)
{
	for (size_t i = 0; i < sample->len; i++) {
		free(sample->files[i].path);
		file_closep(&sample->files[i].fd);
	}
	sample->len = 0;
}
