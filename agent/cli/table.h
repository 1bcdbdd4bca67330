/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of a query, kept until all are there, so that columns can be aligned. */
#pragma once

#include <stddef.h>

struct doc;

struct table {
	struct doc **rows; /* owned, and each of them */
	size_t len, size;
};

/* Takes the row.  Returns 0 or -ENOMEM. */
int table_add(struct table *table, struct doc *row);
/* Prints all rows under the first one's names. */
void table_print(const struct table *table);
void table_done(struct table *table);
