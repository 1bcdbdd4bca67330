/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Releases of rules, in the folder that khien-verify keeps and khiend hands
 * out: releases/N/ with rules/, vectors/ and manifest.json, and `current`, a
 * symbolic link to the one that is in force.  Used before the seal.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rules;

#define RELEASE_NAME_SIZE 32

/* "release-7": what its rules are told under, with a slash behind it. */
void release_name(char *dst, size_t size, uint64_t number);

/*
 * Which one is in force.  Returns 0; -ENOENT: none; -EINVAL: the link names
 * something else; -errno.
 */
int release_current(int update, uint64_t *ret_number);

/*
 * Opens the folder of one, the caller's.  Nothing on the way may be a symbolic
 * link.  Returns a descriptor (O_PATH) or -errno.
 */
int release_open(int update, uint64_t number);

/*
 * Opens a regular file beneath such a folder for reading; nothing on the way
 * may be a symbolic link.  Returns a descriptor; -EINVAL: it is something else;
 * -errno.
 */
int release_open_file(int folder, const char *path);

/*
 * Reads a whole file, at most `max` bytes, with a NUL behind; the caller's, to
 * be freed with free().  Returns 0; -EFBIG; -ENOMEM; -errno.
 */
int release_read_file(int fd, size_t max, uint8_t **ret_bytes, size_t *ret_len);

/*
 * Adds the rules of one to `rules`, which must hold none yet.  Returns 0;
 * -ENODATA when not one file of them could be read; -errno as of
 * rules_add_folder().  When it fails rules hold none.
 */
int release_add(struct rules *rules, int update, uint64_t number);
