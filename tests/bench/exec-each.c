/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-each PATH COUNT: executes PATH0, PATH1, ... one after the other and
 * prints how many microseconds each took from before vfork(2) to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
run_one(char *path)
{
	char *args[] = { path, NULL };
	char *none[] = { NULL };
	int status;

	pid_t pid = vfork();
	if (pid == 0) {
		(void)execve(path, args, none);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status == 0 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	char path[4096];

	if (argc != 3)
		return 2;
	long count = strtol(argv[2], NULL, 10);
	for (long i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s%ld", argv[1], i);
		double began_us = now_us();
		if (run_one(path) < 0)
			return 1;
		(void)printf("%.1f\n", now_us() - began_us);
	}
	return 0;
}
