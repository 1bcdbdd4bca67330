/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child that does nothing, for triggers that reach into another process. */
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends with its parent's end of the pipe.  Its number, or -1. */
static inline int
pause_child(void)
{
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	int child = fork();
	if (child == 0) {
		char byte;
		(void)close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	return child;
}

static inline void
pause_end(int child)
{
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}
