/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Export files as somebody may hand them to an endpoint.  Whatever is told of
 * one has a name that is checked, in order, and as many bytes as were said;
 * what is taken whole is written anew and read as the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "updater/release/export.h"
#include "updater/tuf/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* POSIX.1-1988, "ustar". */
#define BLOCK 512
#define SUM_AT 148
#define MAGIC_AT 257

static int from = -1, to = -1; /* descriptors in memory */

struct seen {
	struct export *copy; /* NULL: only compare */
	char name[EXPORT_NAME_MAX + 1];
	uint8_t *bytes; /* of this file */
	uint64_t size, len, sum;
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	from = memfd_create("from", MFD_CLOEXEC);
	to = memfd_create("to", MFD_CLOEXEC);
	return from < 0 || to < 0 || export_init() < 0;
}

/* Order matters here, so the sum is one of everything in its order. */
static void
mix(struct seen *seen, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		seen->sum = (seen->sum ^ at[i]) * 1099511628211U;
}

static int
begin(void *arg, const char *name, uint64_t size)
{
	struct seen *seen = arg;

	if (export_check_name(name, NULL) < 0 || strstr(name, "..") == name ||
	    strstr(name, "/.") || name[0] == '/' || size > EXPORT_SIZE_MAX)
		abort();
	memcpy(seen->name, name, strlen(name) + 1);
	mix(seen, name, strlen(name) + 1);
	seen->size = size;
	seen->len = 0;
	free(seen->bytes);
	seen->bytes = NULL;
	return 0;
}

static int
take(void *arg, const void *bytes, size_t len)
{
	struct seen *seen = arg;

	if (!len || len > seen->size - seen->len)
		abort();
	seen->bytes = realloc(seen->bytes, seen->len + len);
	if (!seen->bytes)
		abort();
	memcpy(seen->bytes + seen->len, bytes, len);
	seen->len += len;
	mix(seen, bytes, len);
	return 0;
}

static int
end(void *arg)
{
	struct seen *seen = arg;

	if (seen->len != seen->size)
		abort();
	if (seen->copy && export_put(seen->copy, seen->name, seen->bytes,
				     seen->len, NULL) < 0)
		abort();
	return 0;
}

static int
write_fd(void *arg, const void *bytes, size_t len)
{
	return file_write_all(*(int *)arg, bytes, len);
}

static int
read_again(int fd, struct seen *seen)
{
	const struct export_reader reader = { begin, take, end, seen };
	struct reason why = { "" };

	if (lseek(fd, 0, SEEK_SET) < 0)
		abort();
	int r = export_read(fd, &reader, &why);
	if ((r < 0) != !!why.text[0])
		abort();
	free(seen->bytes);
	seen->bytes = NULL;
	return r;
}

/*
 * Headers whose sum is wrong are all refused at once: so each is also tried
 * with the right one.
 */
static void
seal(uint8_t *bytes, size_t size)
{
	for (; size >= BLOCK; bytes += BLOCK, size -= BLOCK) {
		char digits[8];
		unsigned int sum = 0;
		if (memcmp(bytes + MAGIC_AT, "ustar", 5) != 0)
			continue;
		memset(bytes + SUM_AT, ' ', sizeof(digits));
		for (size_t i = 0; i < BLOCK; i++)
			sum += bytes[i];
		(void)snprintf(digits, sizeof(digits), "%06o", sum);
		memcpy(bytes + SUM_AT, digits, sizeof(digits));
	}
}

static void
empty(int fd)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
}

static void
try(const uint8_t *bytes, size_t size)
{
	struct seen first = { .sum = 1 }, second = { .sum = 1 };

	empty(from);
	empty(to);
	if (file_write_all(from, bytes, size) < 0 ||
	    export_new(write_fd, &to, &first.copy) < 0)
		abort();
	int r = read_again(from, &first);
	if (r == 0 && export_end(first.copy, NULL) < 0)
		abort();
	export_free(first.copy);
	if (r == 0 && (read_again(to, &second) < 0 || first.sum != second.sum))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP_FREE uint8_t *sealed = malloc(size + 1);

	if (!sealed)
		abort();
	memcpy(sealed, bytes, size);
	seal(sealed, size);
	try(bytes, size);
	try(sealed, size);
	return 0;
}
