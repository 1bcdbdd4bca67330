/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-storm COUNT WORKERS TAG [PROGRAM]: executes PROGRAM (/bin/true) with
 * the arguments TAG and a number, COUNT times, as fast as WORKERS processes
 * can.  vfork(2) is the fastest way there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int
run_one(char *program, char *tag, long number)
{
	char text[24];
	char *args[] = { program, tag, text, NULL };
	char *none[] = { NULL };
	int status;

	(void)snprintf(text, sizeof(text), "%ld", number);
	pid_t pid = vfork();
	if (pid == 0) {
		(void)execve(program, args, none);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status == 0 ? 0 : -1;
}

static int
work(long from, long to, char *tag, char *program)
{
	for (long i = from; i < to; i++)
		if (run_one(program, tag, i) < 0)
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	static char usual[] = "/bin/true";
	char *program = argc > 4 ? argv[4] : usual;
	int bad = 0, status;

	if (argc < 4)
		return 2;
	long count = strtol(argv[1], NULL, 10);
	long workers = strtol(argv[2], NULL, 10);
	for (long i = 0; i < workers; i++) {
		pid_t pid = fork();
		if (pid < 0)
			return 1;
		if (pid == 0)
			_exit(work(count * i / workers,
				   count * (i + 1) / workers, argv[3],
				   program));
	}
	while (wait(&status) > 0)
		bad |= status;
	return bad ? 1 : 0;
}
