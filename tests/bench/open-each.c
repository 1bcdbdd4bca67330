/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open-each PATH COUNT [write]: opens, reads and closes PATH0, PATH1, ..., or
 * writes them before; prints the seconds it took.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIZE 512

static double
now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
use(const char *path, bool writing, long number)
{
	char bytes[SIZE] = { 0 };
	ssize_t len;

	int fd = open(path,
		      writing ? O_WRONLY | O_CREAT | O_CLOEXEC :
				O_RDONLY | O_CLOEXEC,
		      0644);
	if (fd < 0)
		return -1;
	if (writing) {
		(void)snprintf(bytes, sizeof(bytes), "file %ld\n", number);
		len = write(fd, bytes, sizeof(bytes));
	} else {
		len = read(fd, bytes, sizeof(bytes));
	}
	(void)close(fd);
	return len == SIZE ? 0 : -1;
}

int
main(int argc, char **argv)
{
	char path[4096];

	if (argc < 3)
		return 2;
	long count = strtol(argv[2], NULL, 10);
	bool writing = argc > 3;
	double began_s = now_s();
	for (long i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s%ld", argv[1], i);
		if (use(path, writing, i) < 0) {
			perror(path);
			return 1;
		}
	}
	(void)printf("%.6f\n", now_s() - began_s);
	return 0;
}
