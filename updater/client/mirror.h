/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository in a folder as a mirror: what a file server would answer that
 * has this folder as its root.  No link is followed and nothing outside of the
 * folder is read.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct client_mirror;
struct mirror;

/*
 * The folder has metadata/ and targets/; `path` is relative to dir, or
 * AT_FDCWD.  Returns 0 or -errno.
 */
int mirror_open(int dir, const char *path, struct mirror **ret_mirror);
void mirror_close(struct mirror *mirror);
void mirror_closep(struct mirror **mirror);

/* For client_open(); borrows `mirror`. */
void mirror_use(struct mirror *mirror, struct client_mirror *ret_mirror);
