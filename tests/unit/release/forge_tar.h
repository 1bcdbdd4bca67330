/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Archives that no archiver would write, and what is read of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct reason;

struct forge_tar {
	uint8_t *bytes; /* owned */
	size_t len, size;
};

struct forge_tar_entry {
	const char *name; /* at most 100 bytes */
	int type;	  /* tar's; 0: '0' */
	const char *link;
	const char *bytes; /* NULL: none */
	uint64_t size;	   /* that it says; 0: of bytes */
};

void forge_tar_bytes(struct forge_tar *forge, const void *bytes, size_t len);
void forge_tar_zeros(struct forge_tar *forge, size_t len);
/* A ustar header and the bytes, padded; no end. */
void forge_tar_add(struct forge_tar *forge,
		   const struct forge_tar_entry *entry);
/* An export_sink. */
int forge_tar_sink(void *arg, const void *bytes, size_t len);
/* How long the archive is without what is behind its two blocks of zeros. */
size_t forge_tar_end(const struct forge_tar *forge);
void forge_tar_done(struct forge_tar *forge);

/* What export_read() told, as text: "NAME=LENGTH,". */
struct forge_tar_seen {
	char text[4096];
	uint64_t size, got;
	size_t files; /* that were whole */
	int fail_at;  /* the callback that fails: 1, 2, 3; 0: none */
};

/* From a descriptor, and of the archive's first bytes. */
int forge_tar_read_fd(int fd, struct forge_tar_seen *seen, struct reason *why);
int forge_tar_read(const struct forge_tar *forge, size_t len,
		   struct forge_tar_seen *seen, struct reason *why);
