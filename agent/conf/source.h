/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One configuration file: finds it, reads it whole, and takes it apart with
 * inih, whose header is included in source.c alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SOURCE_SIZE_MAX (256 * 1024) /* of a file, in bytes */
#define SOURCE_LINE_MAX 8192	     /* PATH_MAX twice; with its end */
#define SOURCE_ERRORS_MAX 50	     /* told of one file's form */

/* What is in a file, in order; lines count from 1.  Texts are borrowed. */
struct source_reader {
	void *arg;
	void (*on_section)(void *arg, unsigned int line, const char *name);
	void (*on_key)(void *arg, unsigned int line, const char *section,
		       const char *key, const char *value);
	/* A line (0: the file) is not of the form of such a file. */
	void (*on_error)(void *arg, unsigned int line, const char *why);
};

/*
 * Takes the bytes apart.  All sections come first, and all errors, then the
 * keys of those lines that are well formed.  Returns 0 or -ENOMEM.
 */
int source_parse(const struct source_reader *reader, const uint8_t *bytes,
		 size_t len);

/*
 * Reads the file and takes it apart.  Returns 0 when it could be read, else
 * -errno with *ret_why (static, or of strerror(3)): -ENOENT, -EISDIR, -EFBIG,
 * -EINVAL when it is no regular file, ...
 */
int source_read(const struct source_reader *reader, const char *path,
		const char **ret_why);

/*
 * The names ending in .conf in the folder, without hidden ones, sorted by
 * their bytes: *ret_names is the caller's, to be freed with
 * source_free_names().  Returns their number (0 when there is no such folder)
 * or -errno.
 */
int source_list(const char *folder, char ***ret_names);
void source_free_names(char **names, int len);
