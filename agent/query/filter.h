/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The condition on one table that a request amounts to, as SQL with
 * parameters: what somebody said never becomes part of the SQL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;
struct request;
struct store_cell;

/* Parameters that a caller may add behind the filter's own. */
#define FILTER_ROOM 2
/* Bytes of any condition. */
#define FILTER_SQL_MAX 2048

/*
 * The column by which the family's rows are in order of time.  `family` is of
 * enum record_family.
 */
const char *filter_time_column(unsigned int family);

/*
 * Makes the condition on the family's table t; it borrows from the request.
 * Returns 1; 0 when no row of the family can match; -ENOMEM.  The filter is
 * the caller's, to be freed with filter_free(), and NULL after -ENOMEM.
 *
 * A path ending in '/' stands for all below it, '*' and '?' make it a pattern
 * as in GLOB of SQLite, "\xNN" also stands for that byte: so a path can be
 * asked for as records escape it.
 */
int filter_new(unsigned int family, const struct request *request,
	       struct filter **ret_filter);
void filter_free(struct filter *filter);
void filter_freep(struct filter **filter);

/* The condition, never empty, with parameters ?1 to ?len. */
const char *filter_sql(const struct filter *filter);
/* They, and FILTER_ROOM unset ones after them. */
struct store_cell *filter_params(struct filter *filter, size_t *ret_len);
