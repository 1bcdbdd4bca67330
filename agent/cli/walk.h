/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the regular files under a path, with the caller's rights: symbolic
 * links are followed for the path itself and never below it; other file
 * systems are entered; FIFOs, sockets and devices are passed over unopened.
 */
#pragma once

#include <stdint.h>

struct walk {
	void *arg;
	/*
	 * A file, open for reading at its beginning; fd stays the walker's.
	 * Below 0 ends the walk.
	 */
	int (*on_file)(void *arg, const char *path, int fd);
	/* Something that cannot be read; error is positive. */
	void (*on_error)(void *arg, const char *path, int error);
	/*
	 * How much of the whole is behind the walk, 0 to 1: an estimate, in
	 * which the entries of a folder are all of one size.
	 */
	double fraction;
};

/*
 * Walks what is under path, which is `share` of the whole.  Returns 0, or what
 * on_file() returned below 0.
 */
int walk_run(struct walk *walk, const char *path, double share);
