/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-many COUNT PATH: COUNT processes execute PATH at the same moment; where
 * PATH has a "%d", a file each.  Prints how many ended with 0, how many were
 * refused by which errno, and the longest wait in milliseconds.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 20000
#define ERRNO_MAX 128

static uint64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

__attribute__((noreturn)) static void
child(const char *path, int number, const int *go)
{
	char name[4096];
	char *argv[] = { name, NULL };
	char *environment[] = { NULL };
	const char *hole = strstr(path, "%d");
	char byte;

	if (hole)
		(void)snprintf(name, sizeof(name), "%.*s%d%s",
			       (int)(hole - path), path, number, hole + 2);
	else
		(void)snprintf(name, sizeof(name), "%s", path);
	(void)close(go[1]);
	if (read(go[0], &byte, 1) < 0)
		_exit(ERRNO_MAX - 1);
	(void)execve(name, argv, environment);
	_exit(errno < ERRNO_MAX ? errno : ERRNO_MAX - 1);
}

int
main(int argc, char **argv)
{
	static unsigned int ends[ERRNO_MAX];
	int count = argc == 3 ? atoi(argv[1]) : 0;
	uint64_t longest = 0;
	int go[2];

	if (count < 1 || count > COUNT_MAX || pipe(go) < 0)
		return 2;
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 2;
		if (pid == 0)
			child(argv[2], i, go);
	}
	uint64_t began = now_ms();
	(void)close(go[1]);
	for (int i = 0; i < count; i++) {
		int status = 0;

		if (wait(&status) < 0)
			return 2;
		longest = now_ms() - began;
		ends[WIFEXITED(status) ? WEXITSTATUS(status) % ERRNO_MAX :
					 ERRNO_MAX - 1]++;
	}
	for (int i = 0; i < ERRNO_MAX; i++)
		if (ends[i])
			(void)printf("%d:%u ", i, ends[i]);
	(void)printf("ms:%llu\n", (unsigned long long)longest);
	return 0;
}
