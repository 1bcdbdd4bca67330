/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a type of file system means to us. */
#pragma once

enum kind {
	KIND_LOCAL,   /* files on this machine: to be watched */
	KIND_NODES,   /* device nodes, and files only by accident: what is
			executed there is watched, writing is not */
	KIND_KERNEL,  /* the kernel's own; nothing to scan, never hangs */
	KIND_FOREIGN, /* a network, user space, or unknown: may hang */
};

/* By an explicit list: what is not in it is foreign. */
enum kind kind_of(const char *type);
