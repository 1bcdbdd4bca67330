/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a child that ends by itself or by a signal: exit CODE | exit -SIGNAL.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int code = argc > 1 ? atoi(argv[1]) : 3;
	pid_t child = fork();

	if (child < 0)
		err(2, "fork");
	if (child == 0 && code < 0)
		(void)raise(-code);
	if (child == 0)
		_exit(code);
	(void)waitpid(child, NULL, 0);
	(void)printf("{\"type\":\"exit\",\"pid\":%d,\"code\":%d,"
		     "\"signal\":%d}\n",
		     child, code < 0 ? 0 : code, code < 0 ? -code : 0);
	return 0;
}
