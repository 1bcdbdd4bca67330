/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes into a child's memory by one call: vm_write [other|own|fails]. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/triggers/pause.h"

int
main(int argc, char **argv)
{
	static char there[16], digits[] = "0123456789";
	const char *how = argc > 1 ? argv[1] : "other";
	struct iovec from = { digits, 10 };
	struct iovec to = { there, 10 };
	struct iovec nowhere = { NULL, 10 };
	int child = pause_child();
	ssize_t r = 10;

	if (strcmp(how, "other") == 0)
		r = process_vm_writev(child, &from, 1, &to, 1, 0);
	else if (strcmp(how, "own") == 0)
		r = process_vm_writev(getpid(), &from, 1, &to, 1, 0);
	else if (process_vm_writev(child, &from, 1, &nowhere, 1, 0) >= 0 ||
		 process_vm_writev(0x7ffffff0, &from, 1, &to, 1, 0) >= 0 ||
		 process_vm_writev(child, &from, 1, &to, 0, 0) != 0)
		errx(2, "what was to be refused was granted");
	if (r != 10)
		err(2, "%s", how);
	pause_end(child);
	(void)printf("{\"type\":\"vm_write\",\"pid\":%d,\"child\":%d}\n",
		     getpid(), child);
	return 0;
}
