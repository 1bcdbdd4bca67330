/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/PID/mountinfo, see proc_pid_mountinfo(5). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mountinfo {
	uint32_t id, parent;
	uint64_t device;   /* makedev() form */
	const char *root;  /* of the file system, as mounted */
	const char *point; /* where; any byte but NUL */
	const char *type;
};

/*
 * Reads one line (NUL-ended, no newline) and unescapes it in place; strings
 * point into it.  Returns 0, or -EBADMSG when it is not such a line.
 */
int mountinfo_parse(char *line, struct mountinfo *ret_mount);
