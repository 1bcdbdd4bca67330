/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that release themselves, and whole reads and writes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* close(2) unless it is -1; sets -1.  Keeps errno. */
void file_closep(int *fd);
void file_freep(void *pointer);

#define CLEANUP(fn) __attribute__((cleanup(fn), unused))
#define CLEANUP_FD CLEANUP(file_closep)
#define CLEANUP_FREE CLEANUP(file_freep)
/* Hands an owned pointer on. */
#define TAKE(pointer)                                                          \
	({                                                                     \
		__typeof__(pointer) taken_ = (pointer);                        \
		(pointer) = NULL;                                              \
		taken_;                                                        \
	})
#define TAKE_FD(fd)                                                            \
	({                                                                     \
		int taken_ = (fd);                                             \
		(fd) = -1;                                                     \
		taken_;                                                        \
	})

/*
 * The bytes of a regular file from where fd stands, and a NUL behind them, to
 * be freed with free().  Returns 0; -EINVAL when it is no file; -EFBIG when it
 * has more than size_max bytes; -ENOMEM; -errno.
 */
int file_read_all(int fd, size_t size_max, uint8_t **ret_bytes,
		  size_t *ret_len);

/*
 * Reads a small file whole, relative to dir (or AT_FDCWD), and ends it with
 * NUL.  Returns 0 and the length, -EFBIG when it does not fit, -errno.
 */
int file_read(int dir, const char *path, char *dst, size_t size,
	      size_t *ret_len);

/* Writes all of it, restarting when interrupted.  Returns 0 or -errno. */
int file_write_all(int fd, const void *bytes, size_t len);

/*
 * Where the descriptor's file is, by /proc/self/fd.  A deleted file's name
 * keeps " (deleted)".  Returns 0, -ENAMETOOLONG, -errno of readlink(2).
 */
int file_path(int fd, char *dst, size_t size);
