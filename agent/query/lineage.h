/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who descends from whom, by the rows of `process`. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct doc;
struct job;
struct store_cell;

/* Longer lines are cut. */
#define LINEAGE_MAX 64
/* 32 digits and a NUL, with room. */
#define LINEAGE_ENTITY_SIZE 72

struct lineage {
	char entity_id[LINEAGE_ENTITY_SIZE];
	int64_t pid; /* of an ancestor whose own rows are gone */
	char executable[1024];
};

/* Its text, cut at size; "" when it has none. */
void lineage_copy(char *dst, size_t size, const struct store_cell *cell);

/* Returns 1 and the parent; 0 when none is known; -errno, said. */
int lineage_parent(struct job *job, const struct lineage *process,
		   struct lineage *ret_parent);

/*
 * Adds khien.ancestors, the parent first, to the record of a process's doing.
 * Returns 0, also when nothing is known; -errno, said.
 */
int lineage_add(struct job *job, struct doc *record);
