/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens a child's memory as a file: mem_open [write|compat|thread|read|own|
 * fails].  Needs root.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/triggers/pause.h"

/* open by the 32-bit entry: the name must lie below 4 GiB. */
static int
open_by_other_entry(const char *path)
{
#ifdef __x86_64__
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long r = 5;

	if (low == MAP_FAILED)
		return -1;
	(void)strcpy(low, path);
	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(low), "c"(O_RDWR), "d"(0)
			 : "memory");
	errno = r < 0 ? (int)-r : 0;
	return r < 0 ? -1 : (int)r;
#else
	return open(path, O_RDWR);
#endif
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "write";
	int child = pause_child();
	int fd = 0;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", child);
	if (strcmp(how, "write") == 0) {
		fd = open(path, O_RDWR);
	} else if (strcmp(how, "compat") == 0) {
		fd = open_by_other_entry(path);
	} else if (strcmp(how, "thread") == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/mem",
			       child, child);
		fd = open(path, O_WRONLY);
	} else if (strcmp(how, "read") == 0) {
		fd = open(path, O_RDONLY);
	} else if (strcmp(how, "own") == 0) {
		fd = open("/proc/self/mem", O_RDWR);
	} else {
		(void)snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
		pause_end(child);
		if (setuid(12345) < 0 || open(path, O_RDWR) >= 0 ||
		    open("/proc/0/mem", O_RDWR) >= 0)
			errx(2, "what was to be refused was granted");
	}
	if (fd < 0)
		err(2, "%s", how);
	if (fd > 0)
		pause_end(child);
	(void)printf("{\"type\":\"mem_open\",\"pid\":%d,\"child\":%d}\n",
		     getpid(), child);
	return 0;
}
