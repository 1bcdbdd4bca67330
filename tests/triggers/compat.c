/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one thing by a 32-bit system call, int 0x80, from a 64-bit program:
 * compat DIR HOW, where HOW is
 *   chmod create write truncate rename unlink mkdir rmdir link symlink chown
 *   secret  opens a file for reading that has the name of a Kerberos ticket
 *   fails   all of them, none of which succeeds
 * Ends with 77 where there are no such calls.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_CALLS 77

enum number {
	NR_OPEN = 5,
	NR_LINK = 9,
	NR_UNLINK = 10,
	NR_CHMOD = 15,
	NR_GETPID = 20,
	NR_RENAME = 38,
	NR_MKDIR = 39,
	NR_RMDIR = 40,
	NR_SYMLINK = 83,
	NR_CHOWN16 = 182,
	NR_TRUNCATE64 = 193,
};

/* Names below 4 GiB, which is all that a 32-bit call can point at. */
struct names {
	char path[4096], path2[4096], there[8];
};

static struct names *names;

static int
call(enum number number, uintptr_t first, uintptr_t second, uintptr_t third)
{
	int result = -ENOSYS;

#if defined(__x86_64__)
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(third)
			 : "memory", "r8", "r9", "r10", "r11");
#else
	(void)number;
	(void)first;
	(void)second;
	(void)third;
#endif
	return result;
}

static int
fail(uintptr_t path, uintptr_t path2)
{
	const int results[] = {
		call(NR_CHMOD, path2, 04711, 0),
		call(NR_OPEN, path, O_CREAT | O_EXCL | O_WRONLY, 0600),
		call(NR_OPEN, path2, O_WRONLY, 0),
		call(NR_OPEN, 8, O_WRONLY, 0),
		call(NR_TRUNCATE64, path2, 0, 0),
		call(NR_RENAME, path2, path, 0),
		call(NR_UNLINK, path2, 0, 0),
		call(NR_MKDIR, path, 0700, 0),
		call(NR_RMDIR, path, 0, 0),
		call(NR_LINK, path2, path, 0),
		call(NR_SYMLINK, (uintptr_t)names->there, path, 0),
		call(NR_CHOWN16, path2, 1, 1),
	};

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (results[i] >= 0)
			errx(2, "call %zu succeeded: %d", i, results[i]);
	return 0;
}

static int
act(const char *how)
{
	uintptr_t path = (uintptr_t)names->path;
	uintptr_t path2 = (uintptr_t)names->path2;

	if (strcmp(how, "chmod") == 0)
		return call(NR_CHMOD, path, 04711, 0);
	if (strcmp(how, "create") == 0)
		return call(NR_OPEN, path2, O_CREAT | O_EXCL | O_WRONLY, 0640);
	if (strcmp(how, "write") == 0)
		return call(NR_OPEN, path, O_WRONLY, 0);
	if (strcmp(how, "secret") == 0)
		return call(NR_OPEN, path, O_RDONLY, 0);
	if (strcmp(how, "truncate") == 0)
		return call(NR_TRUNCATE64, path, 0, 0);
	if (strcmp(how, "rename") == 0)
		return call(NR_RENAME, path, path2, 0);
	if (strcmp(how, "unlink") == 0)
		return call(NR_UNLINK, path, 0, 0);
	if (strcmp(how, "mkdir") == 0)
		return call(NR_MKDIR, path2, 0750, 0);
	if (strcmp(how, "rmdir") == 0)
		return call(NR_RMDIR, path2, 0, 0);
	if (strcmp(how, "link") == 0)
		return call(NR_LINK, path, path2, 0);
	if (strcmp(how, "symlink") == 0)
		return call(NR_SYMLINK, (uintptr_t)names->there, path2, 0);
	if (strcmp(how, "chown") == 0)
		return call(NR_CHOWN16, path, 12345, 0xffff);
	return strcmp(how, "fails") == 0 ? fail(path, path2) : -EINVAL;
}

int
main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	const char *how = argc > 2 ? argv[2] : "chmod";
	const char *name =
		strcmp(how, "secret") == 0 ? "krb5cc_khien" : "khien-compat";
	int low = 0;

#if defined(__x86_64__)
	low = MAP_32BIT;
#endif
	if (call(NR_GETPID, 0, 0, 0) != getpid())
		return NO_CALLS;
	names = mmap(NULL, sizeof(*names), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | low, -1, 0);
	if (names == MAP_FAILED)
		err(2, "names");
	(void)strcpy(names->there, "there");
	(void)snprintf(names->path, sizeof(names->path), "%s/%s.%d", dir, name,
		       getpid());
	(void)snprintf(names->path2, sizeof(names->path2), "%s/%s2.%d", dir,
		       name, getpid());
	if (creat(names->path, 0600) < 0)
		err(2, "%s", names->path);
	if (strcmp(how, "rmdir") == 0 && mkdir(names->path2, 0700) < 0)
		err(2, "%s", names->path2);
	(void)umask(022);
	int result = act(how);
	if (result < 0)
		errx(2, "%s: %s", how, strerror(-result));
	(void)printf("{\"type\":\"compat\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"%s\"}\n",
		     getpid(), names->path, names->path2);
	if (strcmp(how, "secret") == 0)
		(void)unlink(names->path);
	return 0;
}
