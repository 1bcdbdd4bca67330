/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-many COUNT PATH: COUNT processes execute PATH at the same moment; where
 * PATH has a "%d", a file each.  Prints how many ended with 0, how many were
 * refused by which errno, the longest that any of them waited for its own
 * execution, and how long all took, both in milliseconds.
 */
#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 20000
#define ERRNO_MAX 128

static uint32_t *waits_ms; /* of each process; shared by all */

static uint64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* posix_spawn() returns when the file was executed, or could not be. */
__attribute__((noreturn)) static void
child(const char *path, int number, const int *go)
{
	char name[4096];
	char *argv[] = { name, NULL };
	char *environment[] = { NULL };
	const char *hole = strstr(path, "%d");
	int status = -1;
	pid_t pid;
	char byte;

	if (hole)
		(void)snprintf(name, sizeof(name), "%.*s%d%s",
			       (int)(hole - path), path, number, hole + 2);
	else
		(void)snprintf(name, sizeof(name), "%s", path);
	(void)close(go[1]);
	if (read(go[0], &byte, 1) < 0)
		_exit(ERRNO_MAX - 1);
	uint64_t began = now_ms();
	int error = posix_spawn(&pid, name, NULL, NULL, argv, environment);
	waits_ms[number] = (uint32_t)(now_ms() - began);
	if (error)
		_exit(error < ERRNO_MAX ? error : ERRNO_MAX - 1);
	_exit(waitpid(pid, &status, 0) == pid && status == 0 ? 0 :
							       ERRNO_MAX - 1);
}

static int
start(int count, const char *path)
{
	int go[2];

	waits_ms =
		mmap(NULL, (size_t)count * sizeof(*waits_ms),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (waits_ms == MAP_FAILED || pipe(go) < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -1;
		if (pid == 0)
			child(path, i, go);
	}
	(void)close(go[1]);
	return 0;
}

int
main(int argc, char **argv)
{
	static unsigned int ends[ERRNO_MAX];
	int count = argc == 3 ? atoi(argv[1]) : 0;
	uint32_t longest_ms = 0;

	if (count < 1 || count > COUNT_MAX || start(count, argv[2]) < 0)
		return 2;
	uint64_t began = now_ms();
	for (int i = 0; i < count; i++) {
		int status = 0;

		if (wait(&status) < 0)
			return 2;
		ends[WIFEXITED(status) ? WEXITSTATUS(status) % ERRNO_MAX :
					 ERRNO_MAX - 1]++;
	}
	for (int i = 0; i < ERRNO_MAX; i++)
		if (ends[i])
			(void)printf("%d:%u ", i, ends[i]);
	for (int i = 0; i < count; i++)
		if (waits_ms[i] > longest_ms)
			longest_ms = waits_ms[i];
	(void)printf("ms:%u all:%llu\n", longest_ms,
		     (unsigned long long)(now_ms() - began));
	return 0;
}
