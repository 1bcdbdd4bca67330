/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/release.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/scan/rules.h"

#define FOLDER "releases/"
#define NUMBER_MAX (1ULL << 53) /* MSG_UPDATE_NUMBER_MAX */
#define LINK_MAX 64

void
release_name(char *dst, size_t size, uint64_t number)
{
	(void)snprintf(dst, size, "release-%" PRIu64, number);
}

int
release_current(int update, uint64_t *ret_number)
{
	char target[LINK_MAX];
	uint64_t number;

	ssize_t len = readlinkat(update, "current", target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	if (!str_starts(target, FOLDER) ||
	    str_number(target + sizeof(FOLDER) - 1, NUMBER_MAX, &number) < 0 ||
	    number == 0)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static int
open_beneath(int dir, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int
release_open(int update, uint64_t number)
{
	char path[LINK_MAX];

	(void)snprintf(path, sizeof(path), FOLDER "%" PRIu64, number);
	return open_beneath(update, path, O_PATH | O_DIRECTORY);
}

int
release_open_file(int folder, const char *path)
{
	struct stat st;
	CLEANUP_FD int fd =
		open_beneath(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return TAKE_FD(fd);
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

int
release_read_file(int fd, size_t max, uint8_t **ret_bytes, size_t *ret_len)
{
	uint8_t *bytes CLEANUP_FREE = NULL;
	struct stat st;
	size_t len = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;
	size_t size = (size_t)st.st_size;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	while (len < size) {
		ssize_t some = pread(fd, bytes + len, size - len, (off_t)len);
		if (some < 0 && errno == EINTR)
			continue;
		if (some < 0)
			return -errno;
		if (some == 0)
			break;
		len += (size_t)some;
	}
	bytes[len] = '\0';
	*ret_bytes = TAKE(bytes);
	*ret_len = len;
	return 0;
}

static bool
has_any(const struct rules *rules)
{
	for (size_t i = 0; i < rules->len; i++)
		if (rules_is_wanted(&rules->files[i]))
			return true;
	return false;
}

int
release_add(struct rules *rules, int update, uint64_t number)
{
	char name[RELEASE_NAME_SIZE];
	CLEANUP_FD int folder = release_open(update, number);

	if (folder < 0)
		return folder;
	release_name(name, sizeof(name), number);
	int r = rules_add_beneath(rules, folder, "rules", name);
	if (r == 0 && !has_any(rules))
		r = -ENODATA;
	if (r < 0)
		rules_done(rules);
	return r;
}
