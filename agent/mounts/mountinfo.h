/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/PID/mountinfo, and what their file-system types mean to us.
   See proc_pid_mountinfo(5). */
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

enum mountinfo_kind {
	MOUNTINFO_LOCAL,   /* files on this machine: to be watched */
	MOUNTINFO_NODES,   /* device nodes, and files only by accident: what is
			     executed there is watched, writing is not */
	MOUNTINFO_KERNEL,  /* the kernel's own; nothing to scan, never hangs */
	MOUNTINFO_FOREIGN, /* a network, user space, or unknown: may hang */
};

/* By an explicit list: what is not in it is foreign. */
enum mountinfo_kind mountinfo_kind(const char *type);
