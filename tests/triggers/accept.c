/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accepts what a child connects: accept v4|v6|mapped [call|call4|compat|never].
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/triggers/loopback.h"

/* accept4(2) as a 32-bit program calls it; it is given no pointer. */
static int
accept_compat(int listener)
{
#if defined(__x86_64__)
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(364), "b"((long)listener), "c"(0L), "d"(0L),
			   "S"(0L)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return (int)r;
#else
	(void)listener;
	return -1;
#endif
}

static void
connect_and_wait(const struct loopback *end)
{
	struct loopback own = loopback_own(loopback_connect(end));

	/* The accepted end is named by what it is connected to. */
	(void)printf("{\"type\":\"accept\",\"child\":%d", getpid());
	loopback_print("", end);
	loopback_print("peer_", &own);
	(void)fflush(stdout);
	(void)raise(SIGSTOP);
	_exit(0);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "call";
	int status;

	loopback_raise();
	struct loopback end = loopback_make(argc > 1 ? argv[1] : "v4", 0);
	int listener = loopback_listen(&end);
	pid_t child = fork();
	if (child < 0)
		err(2, "fork");
	if (child == 0)
		connect_and_wait(&end);
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		errx(2, "the child did not connect");
	int fd = -1;
	if (strcmp(how, "call4") == 0)
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	else if (strcmp(how, "compat") == 0)
		fd = accept_compat(listener);
	else if (strcmp(how, "call") == 0)
		fd = accept(listener, NULL, NULL);
	if (fd < 0 && strcmp(how, "never") != 0)
		err(2, "accept by %s", how);
	if (strcmp(how, "never") == 0)
		(void)close(listener); /* which resets the connection */
	if (kill(child, SIGCONT) < 0 || waitpid(child, &status, 0) != child ||
	    status != 0)
		errx(2, "the child failed");
	(void)printf(",\"pid\":%d}\n", getpid());
	return 0;
}
