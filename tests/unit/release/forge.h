/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Archives that no archiver would write, and what is read of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct reason;

struct forge {
	uint8_t *bytes; /* owned */
	size_t len, size;
};

struct forge_entry {
	const char *name; /* at most 100 bytes */
	int type;	  /* tar's; 0: '0' */
	const char *link;
	const char *bytes; /* NULL: none */
	uint64_t size;	   /* that it says; 0: of bytes */
};

void forge_bytes(struct forge *forge, const void *bytes, size_t len);
void forge_zeros(struct forge *forge, size_t len);
/* A ustar header and the bytes, padded; no end. */
void forge_add(struct forge *forge, const struct forge_entry *entry);
/* An export_sink. */
int forge_sink(void *arg, const void *bytes, size_t len);
/* How long the archive is without what is behind its two blocks of zeros. */
size_t forge_end(const struct forge *forge);
void forge_done(struct forge *forge);

/* What export_read() told, as text: "NAME=LENGTH,". */
struct forge_seen {
	char text[4096];
	uint64_t size, got;
	size_t files; /* that were whole */
	int fail_at;  /* the callback that fails: 1, 2, 3; 0: none */
};

/* From a descriptor, and of the archive's first bytes. */
int forge_read_fd(int fd, struct forge_seen *seen, struct reason *why);
int forge_read(const struct forge *forge, size_t len, struct forge_seen *seen,
	       struct reason *why);
