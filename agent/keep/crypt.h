/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encrypted files and checksums.  Wraps libsodium, the only file that knows it:
 * secretstream (XChaCha20-Poly1305), so that no piece can be changed, moved,
 * left out or cut off, and SHA-256.
 *
 * A file is a magic number, the stream's header, and pieces: a length and the
 * sealed bytes.  The first piece is bound to the file's name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crypt;

#define CRYPT_KEY_LEN 32
#define CRYPT_PIECE_MAX (1024 * 1024) /* clear bytes of one piece */
#define CRYPT_MAGIC "KHIENQ1"	      /* with its NUL */

/* Before anything else, and before the seal.  Returns 0 or -EIO. */
int crypt_init(void);

void crypt_random(void *bytes, size_t len);

/* Overwrites, and is never optimised away. */
void crypt_forget(void *bytes, size_t len);

/*
 * A stream into or out of fd (borrowed), under `key` (CRYPT_KEY_LEN bytes)
 * for the entry `name`.  Returns 0; -ENOMEM; -EBADMSG when what is read is no
 * such file; -errno.  crypt_free() in any case but an error.
 */
int crypt_create(int fd, const uint8_t *key, const char *name,
		 struct crypt **ret_crypt);
int crypt_open(int fd, const uint8_t *key, const char *name,
	       struct crypt **ret_crypt);
void crypt_free(struct crypt *crypt);
void crypt_freep(struct crypt **crypt);

/* The next piece; `last` ends the stream.  Returns 0, -errno of write(2). */
int crypt_put(struct crypt *crypt, const void *bytes, size_t len, bool last);

/*
 * Reads the next piece.  Returns 0; -EBADMSG when it was changed, is longer
 * than `size`, or something follows the last one; -errno of read(2).
 */
int crypt_get(struct crypt *crypt, void *bytes, size_t size, size_t *ret_len,
	      bool *ret_last);

/* SHA-256 of what is added, as 64 hexadecimal digits. */
struct crypt_sum;
#define CRYPT_SUM_SIZE 65

/* NULL: no memory. */
struct crypt_sum *crypt_sum_new(void);
void crypt_sum_add(struct crypt_sum *sum, const void *bytes, size_t len);
void crypt_sum_end(struct crypt_sum *sum, char *dst);
void crypt_sum_freep(struct crypt_sum **sum);
