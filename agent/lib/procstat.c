/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/procstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/file.h"

#define PATH_SIZE 32
/* The name, and 50 numbers of 20 digits at most. */
#define TEXT_SIZE 2048

/* All but what is converted is skipped, from the state on. */
#define FORMAT                                                                 \
	") %c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu "               \
	"%*d %*d %*d %*d %*d %*d %llu"
#define CONVERTED 5

int
procstat_parse(const char *text, struct procstat *ret)
{
	unsigned long long user, system, start;
	/* The name may hold anything, but no bracket comes after it. */
	const char *begin = strchr(text, '('), *end = strrchr(text, ')');

	*ret = (struct procstat){ 0 };
	if (!begin || !end || end < begin ||
	    sscanf(end, FORMAT, &ret->state, &ret->parent, &user, &system,
		   &start) != CONVERTED)
		return -EBADMSG;
	(void)snprintf(ret->name, sizeof(ret->name), "%.*s",
		       (int)(end - begin - 1), begin + 1);
	ret->ran_ticks = user + system;
	ret->start_ticks = start;
	return 0;
}

int
procstat_read(int proc, uint32_t pid, struct procstat *ret)
{
	char path[PATH_SIZE], text[TEXT_SIZE];
	size_t len;

	(void)snprintf(path, sizeof(path), "%s%u/stat",
		       proc == AT_FDCWD ? "/proc/" : "", pid);
	int r = file_read(proc, path, text, sizeof(text), &len);
	return r < 0 ? r : procstat_parse(text, ret);
}
