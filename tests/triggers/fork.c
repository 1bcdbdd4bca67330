/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a child that executes nothing: fork.
 */
#include <err.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	pid_t child = fork();

	(void)argc;
	(void)argv;
	if (child < 0)
		err(2, "fork");
	if (child == 0)
		_exit(0);
	(void)waitpid(child, NULL, 0);
	(void)printf("{\"type\":\"fork\",\"pid\":%d,\"ppid\":%d}\n", child,
		     getpid());
	return 0;
}
