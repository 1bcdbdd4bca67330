/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/spaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define NAME_SIZE 32

/* "mnt:[4026531841]"; 0: it has ended, or may not be looked at. */
static uint64_t
number_of(int proc, const char *pid)
{
	char name[NAME_SIZE], text[NAME_SIZE];
	uint64_t number;

	(void)snprintf(name, sizeof(name), "%s/ns/mnt", pid);
	ssize_t len = readlinkat(proc, name, text, sizeof(text) - 1);
	if (len < 6 || text[len - 1] != ']')
		return 0;
	text[len - 1] = '\0';
	if (!str_starts(text, "mnt:[") ||
	    str_number(text + 5, UINT64_MAX, &number) < 0)
		return 0;
	return number;
}

static void
add(struct spaces *spaces, uint64_t number, uint32_t pid)
{
	struct space *space = NULL;

	for (size_t i = 0; i < spaces->len && !space; i++)
		if (spaces->list[i].number == number)
			space = &spaces->list[i];
	if (!space && spaces->len == SPACES_MAX) {
		spaces->beyond++;
		return;
	}
	if (!space) {
		space = &spaces->list[spaces->len++];
		*space = (struct space){ .number = number };
	}
	if (space->len < SPACES_PIDS_MAX)
		space->pids[space->len++] = pid;
}

int
spaces_find(struct spaces *spaces, int proc)
{
	uint64_t own = number_of(proc, "self");
	int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	spaces->len = 0;
	spaces->beyond = 0;
	if (fd < 0)
		return -errno;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int r = -errno;
		file_closep(&fd);
		return r;
	}
	for (;;) {
		const struct dirent *entry = readdir(dir);
		uint64_t pid;

		if (!entry)
			break;
		if (str_number(entry->d_name, UINT32_MAX, &pid) < 0)
			continue;
		uint64_t number = number_of(proc, entry->d_name);
		if (number != 0 && number != own)
			add(spaces, number, (uint32_t)pid);
	}
	(void)closedir(dir);
	return 0;
}

int
spaces_open(const struct space *space, size_t which, int proc, int *ret_table,
	    int *ret_root)
{
	char pid[NAME_SIZE], name[2 * NAME_SIZE];

	(void)snprintf(pid, sizeof(pid), "%u", space->pids[which]);
	(void)snprintf(name, sizeof(name), "%s/root", pid);
	CLEANUP_FD int root =
		openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "%s/mountinfo", pid);
	CLEANUP_FD int table = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (table < 0)
		return -errno;
	/* Its number may be another's by now. */
	if (number_of(proc, pid) != space->number)
		return -ESRCH;
	*ret_table = TAKE_FD(table);
	*ret_root = TAKE_FD(root);
	return 0;
}
