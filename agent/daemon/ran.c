/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/ran.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"

#define NAME_SIZE 32
/* Its name has 64 bytes at most, its 50 numbers 20 digits. */
#define TEXT_SIZE 2048

int
ran_read(int pid, struct ran *ret_ran)
{
	char name[NAME_SIZE], text[TEXT_SIZE], state;
	unsigned long long user, system;
	long ticks = sysconf(_SC_CLK_TCK);
	size_t len;

	(void)snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	int r = file_read(AT_FDCWD, name, text, sizeof(text), &len);
	if (r < 0)
		return r;
	/* The name may hold anything, but no bracket comes after it. */
	const char *rest = strrchr(text, ')');
	if (!rest ||
	    sscanf(rest,
		   ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		   &state, &user, &system) != 3)
		return -EBADMSG;
	ret_ran->ms = (user + system) * 1000 / (unsigned long)ticks;
	ret_ran->ready = state == 'R';
	return 0;
}
