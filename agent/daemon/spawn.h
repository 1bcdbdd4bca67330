/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a program: fork(2), and in the child all that leads to execve(2). */
#pragma once

#include <stddef.h>

struct spawn {
	const char *folder;   /* where the programs are */
	const char *name;     /* role's name: the program is khien-<name> */
	const char *argument; /* argv[1]; NULL: none */
	int chan;	      /* becomes descriptor 3 */
	int leave;	      /* to read leave to execute from; -1: at once */
};

/*
 * The parent does not wait: execve(2) may block on a file system or on our own
 * gate.  The program starts in "/", in a session of its own (so that a
 * terminal's ^C reaches khiend alone, which stops it in order), with standard
 * input and output closed off, without signals blocked, with descriptors 0 to
 * 3 only, and dies with its parent.  When it cannot be executed the child says
 * why on standard error and exits with SPAWN_FAILED.  Returns 0 or -errno of
 * fork(2).
 */
int spawn_start(const struct spawn *spawn, int *ret_pid);

#define SPAWN_FAILED 127 /* as a shell does */

/* Writes <folder>/khien-<name>.  Returns 0 or -ENAMETOOLONG. */
int spawn_path(char *dst, size_t size, const char *folder, const char *name);
