/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one thing by a call that younger kernels, or few programs, have:
 * newer DIR HOW, where HOW is
 *   openat2 handle truncate exchange linkfd fchmodat2 setxattrat
 *   fails  all of them, none of which succeeds
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_OPENAT2 437
#define NR_FCHMODAT2 452
#define NR_SETXATTRAT 463
#define EXCHANGE 2

/* struct open_how of linux/openat2.h. */
struct how {
	uint64_t flags, mode, resolve;
};

/* struct xattr_args of linux/xattr.h. */
struct value {
	uint64_t value;
	uint32_t size, flags;
};

static char dir[3000], path[4096], path2[4096];

static long
open2(const char *name, uint64_t flags)
{
	struct how how = { .flags = flags };

	return syscall(NR_OPENAT2, AT_FDCWD, name, &how, sizeof(how));
}

static long
open_handle(uint8_t spoil)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} name = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int mount;

	if (name_to_handle_at(AT_FDCWD, path, &name.handle, &mount, 0) < 0)
		err(2, "%s", path);
	for (size_t i = 0; i < 8; i++)
		name.handle.f_handle[i] ^= spoil;
	int at = open(dir, O_RDONLY | O_DIRECTORY);
	return open_by_handle_at(at, &name.handle, O_WRONLY);
}

/* A file that never had a name gets one. */
static long
link_nameless(void)
{
	int fd = open(dir, O_TMPFILE | O_RDWR, 0600);

	if (fd < 0)
		err(2, "%s", dir);
	return linkat(fd, "", AT_FDCWD, path2, AT_EMPTY_PATH);
}

static long
set_attribute(const char *name)
{
	static const char text[] = "x";
	struct value value = { (uintptr_t)text, sizeof(text), 0 };

	return syscall(NR_SETXATTRAT, AT_FDCWD, name, 0, "security.khien",
		       &value, sizeof(value));
}

static long
exchange(const char *other)
{
	return syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other,
		       EXCHANGE);
}

static long
fail(void)
{
	const long results[] = {
		open2(path2, O_RDWR),
		open2(path, ~0ull),
		open_handle(0xff),
		truncate(path2, 0),
		exchange(path2),
		linkat(-1, "", AT_FDCWD, path2, AT_EMPTY_PATH),
		syscall(NR_FCHMODAT2, AT_FDCWD, path2, 04711, 0),
		set_attribute(path2),
	};

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (results[i] >= 0)
			errx(2, "call %zu succeeded: %ld", i, results[i]);
	return 0;
}

static long
act(const char *how)
{
	if (strcmp(how, "openat2") == 0)
		return open2(path, O_WRONLY);
	if (strcmp(how, "handle") == 0)
		return open_handle(0);
	if (strcmp(how, "truncate") == 0)
		return truncate(path, 0);
	if (strcmp(how, "exchange") == 0)
		return exchange(path2);
	if (strcmp(how, "linkfd") == 0)
		return link_nameless();
	if (strcmp(how, "fchmodat2") == 0)
		return syscall(NR_FCHMODAT2, AT_FDCWD, path, 04711, 0);
	if (strcmp(how, "setxattrat") == 0)
		return set_attribute(path);
	return strcmp(how, "fails") == 0 ? fail() : -1;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "openat2";

	(void)snprintf(dir, sizeof(dir), "%s", argc > 1 ? argv[1] : "/tmp");
	(void)snprintf(path, sizeof(path), "%s/khien-newer.%d", dir, getpid());
	(void)snprintf(path2, sizeof(path2), "%s/khien-newer2.%d", dir,
		       getpid());
	if (creat(path, 0600) < 0 ||
	    (strcmp(how, "exchange") == 0 && creat(path2, 0600) < 0))
		err(2, "%s", path);
	if (act(how) < 0)
		err(2, "%s", how);
	(void)printf("{\"type\":\"newer\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"%s\",\"dir\":\"%s\"}\n",
		     getpid(), path, path2, dir);
	return 0;
}
