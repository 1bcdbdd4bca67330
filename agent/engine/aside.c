/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/aside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/engine/db.h"
#include "agent/engine/schema.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

/* Names tried when the clock stands still or went back. */
#define TRIES 1000
#define SIDE_MAX 160
#define SQL_MAX 2048

/* 0 when SQLite finds nothing wrong in the whole file. */
static int
whole_check(struct db *db)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;

	int r = db_prepare(db, "PRAGMA quick_check(1)", &stmt);
	if (r < 0)
		return r;
	r = db_step(stmt);
	if (r < 0)
		return r;
	return r && str_equal(db_text(stmt, 0), "ok") ? 0 : -EUCLEAN;
}

/* Whether it is a store at all, and not somebody else's database. */
static int
check_tables(struct db *db, int64_t version)
{
	char sql[SQL_MAX];

	for (unsigned int i = 0; i < SCHEMA_TABLES; i++) {
		CLEANUP(db_finishp) struct db_stmt *stmt = NULL;
		if (schema_table_since(i) > version)
			continue;
		(void)snprintf(sql, sizeof(sql), "SELECT id,%s FROM %s LIMIT 0",
			       schema_columns(i), schema_table_name(i));
		int r = db_prepare(db, sql, &stmt);
		if (r < 0)
			return r == -EINVAL ? -EUCLEAN : r;
	}
	return 0;
}

int
aside_check(const char *path)
{
	CLEANUP(db_closep) struct db *db = NULL;
	int64_t version;
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return -EUCLEAN;
	int r = db_open(path, false, &db);
	if (r == 0)
		r = db_number_of(db, "PRAGMA user_version", &version);
	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION)
		return -ENOTSUP;
	if (version < 0)
		return -EUCLEAN;
	/* No step has changed a table since the version that made it. */
	r = check_tables(db, version);
	if (r < 0 || st.st_size > ASIDE_CHECK_MAX)
		return r;
	return whole_check(db);
}

static int
move_one(const char *path, const char *side, const char *to)
{
	char old[SIDE_MAX], new[SIDE_MAX];

	(void)snprintf(old, sizeof(old), "%s%s", path, side);
	(void)snprintf(new, sizeof(new), "%s%s", to, side);
	if (rename(old, new) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int
aside_move(const char *path, const char *kind, int64_t wall_ns, char *ret_name,
	   size_t size)
{
	time_t seconds = (time_t)(wall_ns / 1000000000);
	char date[32], shm[SIDE_MAX];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return -EINVAL;
	(void)strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(ret_name, size, "%s.%s-%s", path, kind, date);
	for (int i = 2; access(ret_name, F_OK) == 0; i++) {
		if (i > TRIES)
			return -EEXIST;
		(void)snprintf(ret_name, size, "%s.%s-%s-%d", path, kind, date,
			       i);
	}
	int r = move_one(path, "-wal", ret_name);
	if (r == 0)
		r = move_one(path, "", ret_name);
	/* Only an index into the log, made anew when it is missing. */
	(void)snprintf(shm, sizeof(shm), "%s-shm", path);
	if (unlink(shm) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r;
}
