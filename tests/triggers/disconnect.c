/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends a connection between two sockets of its own, 5 bytes one way and 70,000
 * the other: disconnect v4|v6|mapped [close|reset|shared].
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/triggers/loopback.h"

#define LONG 70000
#define STACK 65536

static struct loopback end;
static int connected;

/* In a process that has all descriptors in common, and ends before the
   connection does. */
static int
connect_for_parent(void *arg)
{
	(void)arg;
	connected = loopback_connect(&end);
	return 0;
}

static pid_t
connect_by_child(void)
{
	static char stack[STACK] __attribute__((aligned(16)));
	int status;
	pid_t child = clone(connect_for_parent, stack + STACK,
			    CLONE_FILES | CLONE_VM | SIGCHLD, NULL);

	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		errx(2, "the child did not connect");
	return child;
}

static void
exchange(int accepted)
{
	static char bytes[LONG];

	if (write(connected, "hello", 5) != 5 ||
	    recv(accepted, bytes, 5, MSG_WAITALL) != 5)
		err(2, "hello");
	if (write(accepted, bytes, LONG) != LONG ||
	    recv(connected, bytes, LONG, MSG_WAITALL) != LONG)
		err(2, "answer");
}

/* Whose end has come: it reads the other one's. */
static void
await_end(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) > 0)
		errx(2, "more than was sent");
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "close";
	struct linger at_once = { .l_onoff = 1 };
	pid_t child = 0;

	loopback_raise();
	end = loopback_make(argc > 1 ? argv[1] : "v4", 0);
	int listener = loopback_listen(&end);
	if (strcmp(how, "shared") == 0)
		child = connect_by_child();
	else
		connected = loopback_connect(&end);
	int accepted = accept(listener, NULL, NULL);
	if (accepted < 0)
		err(2, "accept");
	exchange(accepted);
	struct loopback own = loopback_own(connected);
	if (strcmp(how, "reset") == 0 &&
	    setsockopt(connected, SOL_SOCKET, SO_LINGER, &at_once,
		       sizeof(at_once)) < 0)
		err(2, "SO_LINGER");
	(void)close(connected);
	await_end(accepted);
	(void)close(accepted);
	(void)printf("{\"type\":\"disconnect\",\"pid\":%d,\"child\":%d",
		     getpid(), child);
	loopback_print("", &end);
	loopback_print("own_", &own);
	(void)printf("}\n");
	return 0;
}
