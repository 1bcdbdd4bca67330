/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes memory executable: map_exec both|written|part|file|memfd|compat, or
 * such that nobody wrote to: map_exec clean|data|fails.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 8192
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)

static char *
map(int protection, int flags, int fd)
{
	return mmap(NULL, SIZE, protection, flags, fd, 0);
}

/* mprotect by the 32-bit entry. */
static int
protect_by_other_entry(char *at, int protection)
{
#ifdef __x86_64__
	long r = 125;

	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(at), "c"((long)SIZE), "d"((long)protection)
			 : "memory");
	return (int)r;
#else
	return mprotect(at, SIZE, protection);
#endif
}

static char *
of_memfd(void)
{
	int fd = memfd_create("khien", 0);

	if (fd < 0 || ftruncate(fd, SIZE) < 0)
		return MAP_FAILED;
	return map(RX, MAP_SHARED, fd);
}

static char *
make(const char *how)
{
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int nobodys = MAP_PRIVATE | MAP_ANONYMOUS;
	char *at;
	int r = 0;

	if (strcmp(how, "both") == 0)
		return map(RW | PROT_EXEC, nobodys, -1);
	if (strcmp(how, "memfd") == 0)
		return of_memfd();
	if (strcmp(how, "clean") == 0)
		return map(RX, MAP_PRIVATE, own);
	if (strcmp(how, "file") == 0)
		at = map(RW, MAP_PRIVATE, own);
	else
		at = map(RW, nobodys | (strcmp(how, "compat") ? 0 : MAP_32BIT),
			 -1);
	if (at == MAP_FAILED)
		return at;
	/* The second page only: the first call makes two mappings of one. */
	if (strcmp(how, "part") == 0)
		r = mprotect(at, SIZE / 2, PROT_READ);
	at[SIZE / 2] = 1;
	if (strcmp(how, "data") == 0)
		r = mprotect(at, SIZE, PROT_READ);
	else if (strcmp(how, "compat") == 0)
		r = protect_by_other_entry(at, RX);
	else if (r == 0)
		r = mprotect(at, SIZE, RX);
	return r < 0 ? MAP_FAILED : at;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "both";
	char path[4096] = "";
	char *at = NULL;

	(void)!readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (strcmp(how, "fails") == 0) {
		if (mprotect((char *)64, SIZE, RW | PROT_EXEC) == 0 ||
		    map(RW | PROT_EXEC, MAP_PRIVATE, -1) != MAP_FAILED)
			errx(2, "what was to be refused was granted");
	} else {
		at = make(how);
		if (at == MAP_FAILED)
			err(2, "%s", how);
	}
	(void)printf("{\"type\":\"map_exec\",\"pid\":%d,\"path\":\"%s\","
		     "\"address\":\"%016jx\"}\n",
		     getpid(), path, (uintmax_t)(uintptr_t)at);
	return 0;
}
