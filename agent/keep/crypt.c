/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/crypt.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define STREAM_HEAD crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define EXTRA crypto_secretstream_xchacha20poly1305_ABYTES
#define LENGTH_SIZE 4
#define NAME_MAX_LEN 64

_Static_assert(CRYPT_KEY_LEN == crypto_secretstream_xchacha20poly1305_KEYBYTES,
	       "the key's length is libsodium's");

struct crypt {
	crypto_secretstream_xchacha20poly1305_state state;
	int fd;
	char name[NAME_MAX_LEN]; /* bound to the first piece, then "" */
	bool ended;
	uint8_t sealed[LENGTH_SIZE + CRYPT_PIECE_MAX + EXTRA];
};

struct crypt_sum {
	crypto_hash_sha256_state state;
};

int
crypt_init(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

void
crypt_random(void *bytes, size_t len)
{
	randombytes_buf(bytes, len);
}

void
crypt_forget(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}

/* Returns how many bytes there were, fewer only at the end, or -errno. */
static ssize_t
read_up_to(int fd, void *bytes, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, (uint8_t *)bytes + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static int
read_all(int fd, void *bytes, size_t size)
{
	ssize_t len = read_up_to(fd, bytes, size);

	if (len < 0)
		return (int)len;
	return (size_t)len == size ? 0 : -EBADMSG;
}

static int
new_crypt(int fd, const char *name, struct crypt **ret_crypt)
{
	struct crypt *crypt = calloc(1, sizeof(*crypt));

	if (!crypt)
		return -ENOMEM;
	crypt->fd = fd;
	if (str_copy(crypt->name, sizeof(crypt->name), name) < 0) {
		crypt_free(crypt);
		return -ENAMETOOLONG;
	}
	*ret_crypt = crypt;
	return 0;
}

int
crypt_create(int fd, const uint8_t *key, const char *name,
	     struct crypt **ret_crypt)
{
	CLEANUP(crypt_freep) struct crypt *crypt = NULL;
	uint8_t head[STREAM_HEAD];

	int r = new_crypt(fd, name, &crypt);
	if (r < 0)
		return r;
	if (crypto_secretstream_xchacha20poly1305_init_push(&crypt->state, head,
							    key) != 0)
		return -EIO;
	r = file_write_all(fd, CRYPT_MAGIC, sizeof(CRYPT_MAGIC));
	if (r == 0)
		r = file_write_all(fd, head, sizeof(head));
	if (r == 0)
		*ret_crypt = TAKE(crypt);
	return r;
}

int
crypt_open(int fd, const uint8_t *key, const char *name,
	   struct crypt **ret_crypt)
{
	CLEANUP(crypt_freep) struct crypt *crypt = NULL;
	char magic[sizeof(CRYPT_MAGIC)];
	uint8_t head[STREAM_HEAD];

	int r = new_crypt(fd, name, &crypt);
	if (r == 0)
		r = read_all(fd, magic, sizeof(magic));
	if (r == 0)
		r = read_all(fd, head, sizeof(head));
	if (r < 0)
		return r;
	if (memcmp(magic, CRYPT_MAGIC, sizeof(magic)) != 0 ||
	    crypto_secretstream_xchacha20poly1305_init_pull(&crypt->state, head,
							    key) != 0)
		return -EBADMSG;
	*ret_crypt = TAKE(crypt);
	return 0;
}

void
crypt_free(struct crypt *crypt)
{
	if (!crypt)
		return;
	sodium_memzero(crypt, sizeof(*crypt));
	free(crypt);
}

void
crypt_freep(struct crypt **crypt)
{
	crypt_free(*crypt);
}

int
crypt_put(struct crypt *crypt, const void *bytes, size_t len, bool last)
{
	unsigned char tag =
		last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
	struct buf length;

	if (len > CRYPT_PIECE_MAX || crypt->ended)
		return -EINVAL;
	buf_init_write(&length, crypt->sealed, LENGTH_SIZE);
	buf_put_u32(&length, (uint32_t)len);
	if (crypto_secretstream_xchacha20poly1305_push(
		    &crypt->state, crypt->sealed + LENGTH_SIZE, NULL, bytes,
		    len, (const uint8_t *)crypt->name, strlen(crypt->name),
		    tag) != 0)
		return -EIO;
	crypt->name[0] = '\0';
	crypt->ended = last;
	return file_write_all(crypt->fd, crypt->sealed,
			      LENGTH_SIZE + len + EXTRA);
}

/* The whole next piece into crypt->sealed. */
static int
read_piece(struct crypt *crypt, size_t size, size_t *ret_len)
{
	struct buf length;

	if (crypt->ended)
		return -EBADMSG;
	int r = read_all(crypt->fd, crypt->sealed, LENGTH_SIZE);
	if (r < 0)
		return r;
	buf_init_read(&length, crypt->sealed, LENGTH_SIZE);
	size_t len = buf_get_u32(&length);
	if (len > size || len > CRYPT_PIECE_MAX)
		return -EBADMSG;
	r = read_all(crypt->fd, crypt->sealed + LENGTH_SIZE, len + EXTRA);
	if (r < 0)
		return r;
	*ret_len = len;
	return 0;
}

int
crypt_get(struct crypt *crypt, void *bytes, size_t size, size_t *ret_len,
	  bool *ret_last)
{
	unsigned char tag;
	size_t len = 0;
	uint8_t after;

	int r = read_piece(crypt, size, &len);
	if (r < 0)
		return r;
	if (crypto_secretstream_xchacha20poly1305_pull(
		    &crypt->state, bytes, NULL, &tag,
		    crypt->sealed + LENGTH_SIZE, len + EXTRA,
		    (const uint8_t *)crypt->name, strlen(crypt->name)) != 0)
		return -EBADMSG;
	crypt->name[0] = '\0';
	crypt->ended = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	if (crypt->ended) {
		ssize_t more = read_up_to(crypt->fd, &after, 1);
		if (more)
			return more < 0 ? (int)more : -EBADMSG;
	}
	*ret_len = len;
	*ret_last = crypt->ended;
	return 0;
}

struct crypt_sum *
crypt_sum_new(void)
{
	struct crypt_sum *sum = calloc(1, sizeof(*sum));

	if (sum)
		(void)crypto_hash_sha256_init(&sum->state);
	return sum;
}

void
crypt_sum_add(struct crypt_sum *sum, const void *bytes, size_t len)
{
	(void)crypto_hash_sha256_update(&sum->state, bytes, len);
}

void
crypt_sum_end(struct crypt_sum *sum, char *dst)
{
	uint8_t digest[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256_final(&sum->state, digest);
	str_hex(dst, digest, sizeof(digest));
}

void
crypt_sum_freep(struct crypt_sum **sum)
{
	free(*sum);
}
