/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/alive.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/procstat.h"
#include "agent/lib/str.h"

#define PID_MAX 4194304 /* PID_MAX_LIMIT of linux/threads.h */

static void
closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int
add(struct alive *alive, size_t *size, struct alive_entry entry)
{
	if (alive->len == *size) {
		size_t more = *size ? 2 * *size : 512;
		void *entries =
			reallocarray(alive->entries, more, sizeof(entry));
		if (!entries)
			return -ENOMEM;
		alive->entries = entries;
		*size = more;
	}
	alive->entries[alive->len++] = entry;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct alive_entry *left = a, *right = b;

	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

int
alive_read(struct alive *alive)
{
	CLEANUP(closedirp) DIR *dir = opendir("/proc");
	size_t size = 0;

	*alive = (struct alive){ 0 };
	if (!dir)
		return -errno;
	alive->tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		struct procstat stat;
		uint64_t pid;
		if (str_number(entry->d_name, PID_MAX, &pid) < 0 ||
		    procstat_read(dirfd(dir), (uint32_t)pid, &stat) < 0)
			continue;
		int r = add(alive, &size,
			    (struct alive_entry){ (uint32_t)pid,
						  stat.start_ticks });
		if (r < 0)
			return r;
	}
	if (alive->len > 0)
		qsort(alive->entries, alive->len, sizeof(*alive->entries),
		      compare);
	return 0;
}

void
alive_done(struct alive *alive)
{
	free(alive->entries);
	*alive = (struct alive){ 0 };
}

bool
alive_has(const struct alive *alive, uint32_t pid, uint64_t start_ns)
{
	struct alive_entry key = { .pid = pid };
	const struct alive_entry *entry = NULL;

	if (alive->len)
		entry = bsearch(&key, alive->entries, alive->len, sizeof(key),
				compare);
	if (!entry)
		return false;
	uint64_t ticks = start_ns / alive->tick_ns;
	return ticks <= entry->start_ticks + 1 &&
	       ticks + 1 >= entry->start_ticks;
}
