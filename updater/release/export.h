/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An export file: what one release needs of a repository, in one file that is
 * carried by hand.  An uncompressed pax archive of regular files only, named
 * as on the server, "metadata/NAME" or "targets/PATH", in rising order
 * (path_compare()); so metadata comes first and nothing twice.  Wraps
 * libarchive, whose functions are all archive_*: hence this file's name.
 *
 * Names have letters, digits, "-", "_" and "." only, and no part that begins
 * with a dot.  Nothing here writes a file: bytes go to a sink.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reason;

#define EXPORT_ENTRIES_MAX 20000
/* Two parts of 64 digits, in a file whose hash may be a SHA-512. */
#define EXPORT_NAME_MAX 240 /* bytes */
/* All rules and vectors of a release, packed as badly as can be, and its
   metadata. */
#define EXPORT_SIZE_MAX (512LL * 1024 * 1024)

/*
 * Once, before the seal: what reading a name loads on its first use.  Returns
 * 0; -ENOTSUP when this libarchive cannot read what it writes; -ENOMEM.
 */
int export_init(void);

/* -EINVAL and why, when no export file has that name. */
int export_check_name(const char *name, struct reason *why);

/*
 * Writing: the same bytes for the same files.  The sink returns 0 or -errno,
 * which ends it.
 */
struct export;
typedef int (*export_sink)(void *arg, const void *bytes, size_t len);
/* 0 or -ENOMEM. */
int export_new(export_sink sink, void *arg, struct export **ret_export);
/*
 * Adds a file.  Returns 0; -EINVAL and why when its name is none or not behind
 * that of the one before; -EFBIG above a bound; -ENOMEM; the sink's error.
 */
int export_put(struct export *export, const char *name, const void *bytes,
	       size_t len, struct reason *why);
/* Writes the end.  Returns as export_put(). */
int export_end(struct export *export, struct reason *why);
/* Without export_end(), what was written is no export file. */
void export_free(struct export *export);
void export_freep(struct export **export);

/* Reading.  Each returns 0; below 0 ends it, and is what is returned. */
struct export_reader {
	/* A file begins, of that many bytes. */
	int (*begin)(void *arg, const char *name, uint64_t size);
	int (*bytes)(void *arg, const void *bytes, size_t len);
	/* It is whole. */
	int (*end)(void *arg);
	void *arg;
};

/*
 * Reads from the descriptor, which need not be a file, to its end.  Returns
 * 0; -EBADMSG and why, naming the entry, when it is no such archive, is cut
 * off, or has anything behind its end but zeros; -EFBIG when it has more than
 * a bound above; -ENOMEM; -errno of read(2); the reader's error.
 */
int export_read(int fd, const struct export_reader *reader, struct reason *why);
