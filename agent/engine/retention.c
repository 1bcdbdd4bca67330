/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/retention.h"

#include <errno.h>
#include <stdio.h>

#include "agent/engine/db.h"
#include "agent/engine/schema.h"
#include "agent/lib/file.h"

#define SQL_MAX 512
#define MIB (UINT64_C(1) << 20)
#define DAY_NS (INT64_C(86400) * 1000000000)
/* What the log may take beside the file: see wal_autocheckpoint in store.c. */
#define LOG_BYTES (4 * MIB)
/* Processes end: so what stayed is looked at again after an hour. */
#define CALLS_AROUND 3600
#define VACUUM_PAGES 256

_Static_assert(RETENTION_TABLES == SCHEMA_TABLES, "a cursor for each");

void
retention_set(struct retention *retention, uint32_t max_size_mb,
	      uint32_t retention_days)
{
	retention->max_bytes = max_size_mb * MIB;
	retention->max_age_ns = retention_days * DAY_NS;
}

static const char *
time_column(unsigned int table)
{
	return table == SCHEMA_DETECTION ? "last_ns" : "time_ns";
}

int
retention_used(struct db *db, uint64_t *ret_bytes)
{
	int64_t pages, free_pages, size;

	int r = db_number_of(db, "PRAGMA page_count", &pages);
	if (r == 0)
		r = db_number_of(db, "PRAGMA freelist_count", &free_pages);
	if (r == 0)
		r = db_number_of(db, "PRAGMA page_size", &size);
	if (r == 0)
		*ret_bytes = (uint64_t)((pages - free_pages) * size);
	return r;
}

/* Where deleting begins: a tenth, and the log, below what is allowed. */
static uint64_t
threshold(const struct retention *retention)
{
	uint64_t max = retention->max_bytes;
	uint64_t spare = max / 10 + LOG_BYTES;

	return max - (spare < max / 2 ? spare : max / 2);
}

/* The first row after the cursor: 1 and its time, 0 none, -errno. */
static int
peek(const struct retention *retention, struct db *db, unsigned int table,
     int64_t *ret_ns)
{
	char sql[SQL_MAX];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT %s FROM %s WHERE id>%lld ORDER BY id LIMIT 1",
		       time_column(table), schema_table_name(table),
		       (long long)retention->cursors[table]);
	int r = db_number_of(db, sql, ret_ns);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

/* Looks at the next `len` rows and deletes those before `before_ns`. */
static int
slice(struct retention *retention, struct db *db, unsigned int table,
      size_t len, int64_t before_ns)
{
	const char *name = schema_table_name(table);
	long long from = retention->cursors[table];
	char sql[SQL_MAX];
	int64_t last;

	(void)snprintf(sql, sizeof(sql),
		       "SELECT ifnull(max(id),0) FROM (SELECT id,%s AS at"
		       " FROM %s WHERE id>%lld ORDER BY id LIMIT %zu)"
		       " WHERE at<%lld",
		       time_column(table), name, from, len,
		       (long long)before_ns);
	int r = db_number_of(db, sql, &last);
	if (r < 0 || last == 0)
		return r;
	(void)snprintf(sql, sizeof(sql),
		       "DELETE FROM %s WHERE id>%lld AND id<=%lld AND"
		       " %s<%lld%s",
		       name, from, (long long)last, time_column(table),
		       (long long)before_ns,
		       table == SCHEMA_PROCESS ?
			       " AND ifnull(entity_id,'') NOT IN"
			       " (SELECT entity_id FROM live)" :
			       "");
	r = db_exec(db, sql);
	if (r < 0)
		return r;
	retention->removed += (uint64_t)db_changes(db);
	retention->cursors[table] = last;
	return 0;
}

/* The table whose oldest row is the oldest; detections only when alone. */
static int
oldest_table(const struct retention *retention, struct db *db,
	     unsigned int *ret_table)
{
	int64_t oldest = INT64_MAX, time_ns;
	int found = 0;

	for (unsigned int i = 0; i < SCHEMA_TABLES; i++) {
		if (i == SCHEMA_DETECTION)
			continue;
		int r = peek(retention, db, i, &time_ns);
		if (r < 0)
			return r;
		if (r == 0 || (found && time_ns >= oldest))
			continue;
		oldest = time_ns;
		*ret_table = i;
		found = 1;
	}
	if (found)
		return 1;
	*ret_table = SCHEMA_DETECTION;
	return peek(retention, db, SCHEMA_DETECTION, &time_ns);
}

int
retention_room(struct retention *retention, struct db *db, size_t len)
{
	uint64_t used;

	if (!retention->max_bytes)
		return 0;
	int r = retention_used(db, &used);
	if (r < 0 || used <= threshold(retention))
		return r;
	/* More than was added, or it would never become less. */
	for (size_t left = 2 * len + RETENTION_SLICE; left > 0;) {
		size_t some = left < RETENTION_SLICE ? left : RETENTION_SLICE;
		unsigned int table = SCHEMA_PROCESS;
		r = oldest_table(retention, db, &table);
		if (r <= 0)
			return r;
		r = slice(retention, db, table, some, INT64_MAX);
		if (r < 0)
			return r;
		left -= some;
	}
	return 0;
}

static int
by_age(struct retention *retention, struct db *db, int64_t wall_ns)
{
	int64_t before_ns = wall_ns - retention->max_age_ns, time_ns;

	if (!retention->max_age_ns)
		return 0;
	for (unsigned int i = 0; i < SCHEMA_TABLES; i++) {
		int r = peek(retention, db, i, &time_ns);
		if (r > 0 && time_ns < before_ns)
			r = slice(retention, db, i, RETENTION_SLICE, before_ns);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Gives pages back only when there are many: rows to come need some anyway. */
static int
vacuum(struct db *db)
{
	int64_t pages, free_pages;
	char sql[64];

	int r = db_number_of(db, "PRAGMA page_count", &pages);
	if (r == 0)
		r = db_number_of(db, "PRAGMA freelist_count", &free_pages);
	if (r < 0 || free_pages < VACUUM_PAGES || free_pages < pages / 8)
		return r;
	(void)snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)",
		       VACUUM_PAGES);
	return db_exec(db, sql);
}

int
retention_second(struct retention *retention, struct db *db, int64_t wall_ns)
{
	if (++retention->calls % CALLS_AROUND == 0)
		for (size_t i = 0; i < RETENTION_TABLES; i++)
			retention->cursors[i] = 0;
	int r = db_exec(db, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = by_age(retention, db, wall_ns);
	if (r == 0)
		r = retention_room(retention, db, 0);
	if (r == 0)
		r = db_exec(db, "COMMIT");
	if (r < 0) {
		(void)db_exec(db, "ROLLBACK");
		return r;
	}
	return vacuum(db);
}
