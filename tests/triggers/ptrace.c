/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces a child: ptrace [attach|seize|poke|poke_often|regs|fails]. */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/triggers/pause.h"

#define OFTEN 9
#define NT_PRSTATUS 1

static long word;

static int
attach(int child)
{
	if (ptrace(PTRACE_ATTACH, child, NULL, NULL) < 0 ||
	    waitpid(child, NULL, __WALL) < 0)
		return -1;
	return 0;
}

static int
poke(int child, int times)
{
	for (int i = 0; i < times; i++)
		if (ptrace(PTRACE_POKEDATA, child, &word, (void *)1L) < 0)
			return -1;
	return 0;
}

static int
set_registers(int child)
{
	struct user_regs_struct regs;
	struct iovec io = { &regs, sizeof(regs) };
	void *kind = (void *)(uintptr_t)NT_PRSTATUS;

	if (ptrace(PTRACE_GETREGSET, child, kind, &io) < 0)
		return -1;
	return (int)ptrace(PTRACE_SETREGSET, child, kind, &io);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "attach";
	int child = pause_child();
	int r = 0;

	if (strcmp(how, "seize") == 0) {
		r = (int)ptrace(PTRACE_SEIZE, child, NULL, NULL);
	} else if (strcmp(how, "fails") == 0) {
		if (ptrace(PTRACE_ATTACH, getpid(), NULL, NULL) == 0 ||
		    ptrace(PTRACE_POKEDATA, child, &word, NULL) == 0 ||
		    ptrace(PTRACE_ATTACH, 0x7ffffff0, NULL, NULL) == 0)
			errx(2, "what was to be refused was granted");
	} else {
		r = attach(child);
		if (r == 0 && strcmp(how, "poke") == 0)
			r = poke(child, 1);
		if (r == 0 && strcmp(how, "poke_often") == 0)
			r = poke(child, OFTEN);
		if (r == 0 && strcmp(how, "regs") == 0)
			r = set_registers(child);
	}
	if (r < 0)
		err(2, "%s", how);
	pause_end(child);
	(void)printf("{\"type\":\"ptrace\",\"pid\":%d,\"child\":%d}\n",
		     getpid(), child);
	return 0;
}
