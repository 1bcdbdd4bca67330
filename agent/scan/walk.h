/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All regular files at and beneath some paths.  A path that is given is
 * followed if it is a symbolic link; beneath a folder none is.  Devices, FIFOs
 * and sockets are never opened.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WALK_DEPTH_MAX 512 /* folders within folders: a descriptor each */

struct walk {
	/* A regular file, open for reading; fd is borrowed.  Below 0 ends the
	   walk. */
	int (*on_file)(void *arg, int fd, const char *path);
	/* Something that cannot be read, and why; the walk goes on. */
	void (*on_error)(void *arg, const char *path, const char *why);
	void *arg;
};

/*
 * Visits a path.  Returns 0, also after on_error(); -ENOMEM; or what on_file
 * returned.
 */
int walk_path(const struct walk *walk, const char *path);
