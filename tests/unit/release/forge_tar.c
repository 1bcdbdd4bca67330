/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/release/forge_tar.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"
#include "updater/release/export.h"

#define BLOCK 512

/* POSIX.1-1988, "ustar". */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[6], version[2], rest[247];
};
_Static_assert(sizeof(struct header) == BLOCK, "a block");

void
forge_tar_bytes(struct forge_tar *forge, const void *bytes, size_t len)
{
	if (forge->len + len > forge->size) {
		forge->size = 2 * (forge->len + len);
		forge->bytes = realloc(forge->bytes, forge->size);
		assert_non_null(forge->bytes);
	}
	if (bytes && len)
		memcpy(forge->bytes + forge->len, bytes, len);
	else if (len)
		memset(forge->bytes + forge->len, 0, len);
	forge->len += len;
}

void
forge_tar_zeros(struct forge_tar *forge, size_t len)
{
	forge_tar_bytes(forge, NULL, len);
}

static void
seal(uint8_t *block)
{
	struct header *header = (struct header *)block;
	unsigned int sum = 0;

	memset(header->sum, ' ', sizeof(header->sum));
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	(void)snprintf(header->sum, sizeof(header->sum), "%06o", sum);
}

void
forge_tar_add(struct forge_tar *forge, const struct forge_tar_entry *entry)
{
	uint8_t block[BLOCK] = { 0 };
	struct header *header = (struct header *)block;
	size_t len = entry->bytes ? strlen(entry->bytes) : 0;
	char size[sizeof(header->size) + 12];

	assert_true(strlen(entry->name) <= sizeof(header->name));
	memcpy(header->name, entry->name, strlen(entry->name));
	memcpy(header->mode, "0000644", sizeof(header->mode));
	memcpy(header->uid, "0000000", sizeof(header->uid));
	memcpy(header->gid, "0000000", sizeof(header->gid));
	memcpy(header->mtime, "00000000000", sizeof(header->mtime));
	memcpy(header->magic, "ustar", sizeof(header->magic));
	memcpy(header->version, "00", sizeof(header->version));
	(void)snprintf(size, sizeof(size), "%011llo",
		       (unsigned long long)(entry->size ? entry->size : len));
	memcpy(header->size, size, sizeof(header->size));
	header->type = (char)(entry->type ? entry->type : '0');
	if (entry->link)
		memcpy(header->link, entry->link, strlen(entry->link));
	seal(block);
	forge_tar_bytes(forge, block, BLOCK);
	forge_tar_bytes(forge, entry->bytes, len);
	forge_tar_zeros(forge, (BLOCK - len % BLOCK) % BLOCK);
}

int
forge_tar_sink(void *arg, const void *bytes, size_t len)
{
	forge_tar_bytes(arg, bytes, len);
	return 0;
}

size_t
forge_tar_end(const struct forge_tar *forge)
{
	static const uint8_t zeros[BLOCK] = { 0 };
	size_t len = forge->len;

	while (len >= BLOCK &&
	       memcmp(forge->bytes + len - BLOCK, zeros, BLOCK) == 0)
		len -= BLOCK;
	return len + 2 * (size_t)BLOCK;
}

void
forge_tar_done(struct forge_tar *forge)
{
	free(forge->bytes);
}

static int
begin(void *arg, const char *name, uint64_t size)
{
	struct forge_tar_seen *seen = arg;
	size_t at = strlen(seen->text);

	assert_int_equal(export_check_name(name, NULL), 0);
	(void)snprintf(seen->text + at, sizeof(seen->text) - at, "%s=%u,", name,
		       (unsigned int)size);
	seen->size = size;
	seen->got = 0;
	return seen->fail_at == 1 ? -ENOSPC : 0;
}

static int
take(void *arg, const void *bytes, size_t len)
{
	struct forge_tar_seen *seen = arg;

	(void)bytes;
	seen->got += len;
	assert_true(len > 0 && seen->got <= seen->size);
	return seen->fail_at == 2 ? -ENOSPC : 0;
}

static int
end(void *arg)
{
	struct forge_tar_seen *seen = arg;

	assert_int_equal(seen->got, seen->size);
	seen->files++;
	return seen->fail_at == 3 ? -ENOSPC : 0;
}

int
forge_tar_read_fd(int fd, struct forge_tar_seen *seen, struct reason *why)
{
	const struct export_reader reader = { begin, take, end, seen };

	return export_read(fd, &reader, why);
}

int
forge_tar_read(const struct forge_tar *forge, size_t len,
	       struct forge_tar_seen *seen, struct reason *why)
{
	CLEANUP_FD int fd = memfd_create("export", MFD_CLOEXEC);

	assert_int_equal(file_write_all(fd, forge->bytes, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return forge_tar_read_fd(fd, seen, why);
}
