/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reopen FOLDER TEXT COUNT UID: so often, as that user, a harmless file is
 * read, then overwritten with TEXT, and read again after a moment of another
 * length each time, up to 64 us.  Prints how often it was read, refused, and
 * could not be tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOMENTS 64
#define NS_PER_S 1000000000L

static const char harmless[] = "nothing of any interest";

static void
wait_ns(long ns)
{
	struct timespec begin, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * NS_PER_S + now.tv_nsec -
		       begin.tv_nsec <
	       ns);
}

static int
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	ssize_t len = write(fd, text, strlen(text));
	(void)close(fd);
	return len == (ssize_t)strlen(text) ? 0 : -1;
}

static int
get(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	long passed = 0, refused = 0, failed = 0;
	char path[4096];

	if (argc != 5)
		return 2;
	unsigned int id = (unsigned int)strtoul(argv[4], NULL, 10);
	if (setgid(id) < 0 || setuid(id) < 0)
		return 2;
	for (long i = 0; i < strtol(argv[3], NULL, 10); i++) {
		(void)snprintf(path, sizeof(path), "%s/%ld", argv[1], i);
		if (put(path, harmless) < 0 || get(path) < 0 ||
		    put(path, argv[2]) < 0) {
			failed++;
			continue;
		}
		wait_ns(i % MOMENTS * 1000);
		int r = get(path);
		passed += r == 0;
		refused += r == -EPERM;
		failed += r != 0 && r != -EPERM;
		(void)unlink(path);
	}
	printf("%ld %ld %ld\n", passed, refused, failed);
	return 0;
}
