/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens a file of /tmp that has the name of a Kerberos ticket, for reading:
 * read [plain|both|handle|vanished|other|fails], where
 *   both      is for writing, too
 *   handle    by the file's handle
 *   other     is a file that only begins like one
 *   fails     is not allowed to
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_handle(const char *path)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} name = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int mount;

	if (name_to_handle_at(AT_FDCWD, path, &name.handle, &mount, 0) < 0)
		err(2, "%s", path);
	int dir = open("/tmp", O_RDONLY | O_DIRECTORY);
	return open_by_handle_at(dir, &name.handle, O_RDONLY);
}

static int
act(const char *how, const char *path)
{
	if (strcmp(how, "both") == 0)
		return open(path, O_RDWR);
	if (strcmp(how, "handle") == 0)
		return open_handle(path);
	if (strcmp(how, "fails") != 0)
		return open(path, O_RDONLY);
	if (setgid(12346) < 0 || setuid(12345) < 0 || open(path, O_RDONLY) >= 0)
		errx(2, "%s could be opened", path);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "plain";
	const char *name = strcmp(how, "other") == 0 ? "krb5" : "krb5cc_khien";
	char path[128];

	(void)mkdir("/tmp", 01777);
	(void)snprintf(path, sizeof(path), "/tmp/%s.%d", name, getpid());
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		err(2, "%s", path);
	fd = act(how, path);
	int dir = open("/tmp", O_PATH | O_DIRECTORY);
	if (strcmp(how, "fails") != 0)
		(void)unlink(path);
	if (fd < 0)
		err(2, "%s by %s", path, how);
	(void)close(dir);
	(void)printf("{\"type\":\"read\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), path);
	return 0;
}
