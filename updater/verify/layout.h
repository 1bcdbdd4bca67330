/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is called how in the folder of updates; updater/README.md shows it. */
#pragma once

#include <stdint.h>

#define LAYOUT_TUF "tuf"
#define LAYOUT_RELEASES "releases"
#define LAYOUT_CURRENT "current" /* a link to releases/N */
#define LAYOUT_IMPORT "import"
#define LAYOUT_MANIFEST "manifest.json" /* and on, in a release */
#define LAYOUT_RULES "rules"
#define LAYOUT_VECTORS "vectors"
#define LAYOUT_NAME_SIZE 24

/* What a release's folder is called, and while it is being made. */
void layout_name(char dst[LAYOUT_NAME_SIZE], int64_t number);
void layout_draft(char dst[LAYOUT_NAME_SIZE], int64_t number);
/* 0: no release is called so. */
int64_t layout_number(const char *name);

/* Its folder in that of releases.  Returns 0, -ENOENT, -errno. */
int layout_open(int releases, int64_t number, int *ret_fd);
/*
 * Whether its folder is there with manifest and rules.  Returns 0; -ENOENT when
 * anything of that is missing, or is something else; -errno when that cannot
 * be found out.
 */
int layout_check(int releases, int64_t number);
