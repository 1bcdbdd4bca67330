/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which alerts were raised a short while ago, so that the same one again only
 * counts up the first.  Pure: times and keys in, a decision out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From the first alert on: so a new row comes at least this often. */
#define FOLD_NS (UINT64_C(600) * 1000000000)
#define FOLD_LEN_MAX 256

/* What makes two alerts the same; "" where not known. */
struct fold_key {
	const char *rule;
	const char *sha256;
	const char *path;
	const char *executable;
};

struct fold_entry {
	char *key; /* the four texts, each with its NUL; owned */
	size_t len;
	uint64_t first_ns; /* boot time */
};

struct fold {
	struct fold_entry entries[FOLD_LEN_MAX];
	size_t len;
};

void fold_done(struct fold *fold);

/*
 * True when the same alert was raised less than FOLD_NS ago.  Otherwise it is
 * remembered as raised now; when the table is full, the oldest is forgotten.
 */
bool fold_repeats(struct fold *fold, const struct fold_key *key,
		  uint64_t now_ns);
