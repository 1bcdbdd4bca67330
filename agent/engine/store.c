/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "agent/engine/aside.h"
#include "agent/engine/db.h"
#include "agent/engine/progress.h"
#include "agent/engine/row.h"
#include "agent/engine/schema.h"
#include "agent/engine/spool.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"

#define SQL_MAX 2048
#define ROOM (64U << 10)

_Static_assert(SCHEMA_PROCESS < STORE_TOGETHER_TABLES &&
		       SCHEMA_FILE < STORE_TOGETHER_TABLES &&
		       SCHEMA_NETWORK < STORE_TOGETHER_TABLES,
	       "the tables that grow fastest are stored together");
_Static_assert((int)STORE_FOLD == (int)SCHEMA_TABLES, "inserts come first");

/* auto_vacuum only counts before the first table; all else is for each open. */
static const char settings[] = "PRAGMA auto_vacuum=INCREMENTAL;"
			       "PRAGMA journal_mode=WAL;"
			       "PRAGMA synchronous=NORMAL;"
			       "PRAGMA cache_size=-2048;"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA wal_autocheckpoint=1000;"
			       "PRAGMA journal_size_limit=4194304;";

static const char *const texts[STORE_STATEMENTS] = {
	[STORE_FOLD] =
		"UPDATE detection SET count=count+1, last_ns=?1 WHERE id="
		"(SELECT max(id) FROM detection WHERE rule=?2 AND"
		" sha256 IS ?3 AND path IS ?4 AND executable IS ?5)",
	/* Up only: what was worse for the file stays told. */
	[STORE_ACTION] = "UPDATE detection SET action=?1 WHERE last_ns>=?5 AND"
			 " sha256 IS ?3 AND path IS ?4 AND ?2>CASE action"
			 " WHEN 'quarantine' THEN 3 WHEN 'kill' THEN 2"
			 " WHEN 'block' THEN 1 ELSE 0 END",
	[STORE_ALLOW] =
		"INSERT OR REPLACE INTO allowed(sha256,time_ns,uid,entry,"
		"path,rule) VALUES(?,?,?,?,?,?)",
	[STORE_REVOKE] = "DELETE FROM allowed WHERE sha256=?",
	[STORE_PROGRESS] =
		"INSERT OR REPLACE INTO progress(boot,class,cpu,sequence,"
		"newest_ns,window) VALUES(?,?,?,?,?,?)",
	[STORE_LOST] = "INSERT INTO lost(boot,class,count) VALUES(?1,?2,?3)"
		       " ON CONFLICT(boot,class) DO UPDATE SET count=count+?3",
	[STORE_LIVE_PUT] =
		"INSERT OR REPLACE INTO live(entity_id,pid,start_boot_ns,"
		"start_ns,ppid,parent_start_boot_ns,uid,exec_boot_ns,comm,"
		"executable,cwd,args,args_cut,boot)"
		" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[STORE_LIVE_DROP] = "DELETE FROM live WHERE entity_id=?",
	[STORE_META_PUT] = "INSERT OR REPLACE INTO meta(key,value) VALUES(?,?)",
	[STORE_META_GET] = "SELECT value FROM meta WHERE key=?",
	[STORE_ARGS] = "SELECT args FROM process WHERE entity_id=? AND"
		       " args IS NOT NULL ORDER BY id DESC LIMIT 1",
};

static int
prepare_insert(struct store *store, unsigned int table, int rows,
	       struct db_stmt **ret_stmt)
{
	const char *before = " VALUES(?";
	char sql[SQL_MAX];

	size_t at = (size_t)snprintf(sql, sizeof(sql), "INSERT INTO %s(%s)",
				     schema_table_name(table),
				     schema_columns(table));
	for (; rows > 0; rows--) {
		at += (size_t)snprintf(sql + at, sizeof(sql) - at, "%s",
				       before);
		for (int i = schema_columns_len(table); i > 1; i--)
			at += (size_t)snprintf(sql + at, sizeof(sql) - at,
					       ",?");
		before = "),(?";
	}
	(void)snprintf(sql + at, sizeof(sql) - at, ")");
	return db_prepare(store->db, sql, ret_stmt);
}

static int
prepare(struct store *store)
{
	for (unsigned int i = 0; i < STORE_STATEMENTS; i++) {
		int r = texts[i] ? db_prepare(store->db, texts[i],
					      &store->statements[i]) :
				   prepare_insert(store, i, 1,
						  &store->statements[i]);
		if (r < 0)
			return r;
	}
	for (unsigned int i = 0; i < STORE_TOGETHER_TABLES; i++) {
		int r = prepare_insert(store, i, STORE_TOGETHER,
				       &store->together[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
find_boot(struct store *store, const char *boot_id, int64_t wall_ns)
{
	CLEANUP(db_finishp) struct db_stmt *insert = NULL;
	CLEANUP(db_finishp) struct db_stmt *find = NULL;

	int r = db_prepare(store->db,
			   "INSERT OR IGNORE INTO boot(boot_id,first_ns)"
			   " VALUES(?,?)",
			   &insert);
	if (r < 0)
		return r;
	db_bind_text(insert, 1, boot_id, strlen(boot_id));
	db_bind_number(insert, 2, wall_ns);
	r = db_step(insert);
	if (r < 0)
		return r;
	r = db_prepare(store->db, "SELECT id FROM boot WHERE boot_id=?", &find);
	if (r < 0)
		return r;
	db_bind_text(find, 1, boot_id, strlen(boot_id));
	r = db_step(find);
	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	store->boot = db_number(find, 0);
	/* Their processes are gone and their numbers mean nothing any more. */
	return db_exec(
		store->db,
		"DELETE FROM live WHERE boot<>(SELECT max(id) FROM boot);"
		"DELETE FROM progress WHERE boot<>"
		"(SELECT max(id) FROM boot)");
}

static int
open_file(struct store *store, const char *boot_id, int64_t wall_ns)
{
	int r = db_open(STORE_FILE, true, &store->db);
	if (r < 0)
		return r;
	r = db_exec(store->db, settings);
	if (r == 0)
		r = schema_migrate(store->db);
	if (r == 0)
		r = prepare(store);
	if (r == 0)
		r = find_boot(store, boot_id, wall_ns);
	/* A table that lacks a column is damage too. */
	return r == -EINVAL ? -EUCLEAN : r;
}

static int
set_aside(struct store *store, int error, int64_t wall_ns)
{
	const char *kind = error == -ENOTSUP ? "newer" : "corrupt";
	char name[128];

	store_close(store);
	int r = aside_move(STORE_FILE, kind, wall_ns, name, sizeof(name));
	if (r < 0)
		return r;
	(void)snprintf(store->aside, sizeof(store->aside),
		       "the store %s; it was set aside as %s and a new one"
		       " begun",
		       error == -ENOTSUP ?
			       "was written by a newer version of the agent" :
			       "was damaged",
		       name);
	log_error("%s", store->aside);
	return 0;
}

int
store_open(struct store *store, const char *boot_id, int64_t wall_ns)
{
	store_close(store);
	store->aside[0] = '\0';
	int r = aside_check(STORE_FILE);
	if (r == 0)
		r = open_file(store, boot_id, wall_ns);
	if (r == -EUCLEAN || r == -ENOTSUP) {
		r = set_aside(store, r, wall_ns);
		if (r == 0)
			r = open_file(store, boot_id, wall_ns);
	}
	store->error = 0;
	store->why[0] = '\0';
	if (r < 0) {
		store_fail(store, r);
		store_close(store);
	}
	return r;
}

void
store_close(struct store *store)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		db_finishp(&store->statements[i]);
	for (size_t i = 0; i < STORE_TOGETHER_TABLES; i++)
		db_finishp(&store->together[i]);
	db_closep(&store->db);
}

static const char *
words_of(int error)
{
	switch (error) {
	case -EUCLEAN:
		return "the file is damaged";
	case -ENOSPC:
		return "no space left on its file system";
	case -EROFS:
		return "its file system is mounted read-only";
	case -EBUSY:
		return "another process holds it locked";
	default:
		return strerror(-error);
	}
}

/*
 * SQLite says of a file that cannot be made, or grow, no more than that.  It
 * needs 32 KiB at once, for what it shares with readers.
 */
static int
find_cause(int error)
{
	struct statfs fs;

	if ((error != -EACCES && error != -EIO && error != -EROFS) ||
	    statfs(".", &fs) < 0)
		return error;
	if (fs.f_flags & ST_RDONLY)
		return -EROFS;
	return fs.f_bavail * (uint64_t)fs.f_bsize < ROOM ? -ENOSPC : error;
}

void
store_fail(struct store *store, int error)
{
	error = find_cause(error);
	if (store->error != error)
		log_error("%s: %s, rows wait in memory", STORE_FILE,
			  words_of(error));
	store->error = error;
	(void)snprintf(store->why, sizeof(store->why), "%s: %s", STORE_FILE,
		       words_of(error));
	if (error == -EUCLEAN)
		store_close(store);
}

int
store_begin(struct store *store)
{
	return store->db ? db_exec(store->db, "BEGIN IMMEDIATE") : -ENODEV;
}

int
store_commit(struct store *store)
{
	return db_exec(store->db, "COMMIT");
}

void
store_rollback(struct store *store)
{
	if (store->db)
		(void)db_exec(store->db, "ROLLBACK");
}

static int
run(struct db_stmt *stmt)
{
	int r = db_step(stmt);

	if (r > 0)
		db_reset(stmt);
	return r < 0 ? r : 0;
}

int
store_row(struct store *store, const struct spool_row *row)
{
	struct db_stmt *stmt = store->statements[row->table];

	(void)row_bind(row->bytes, row->len, store->boot, stmt, 0);
	return run(stmt);
}

/* Whether one statement can take it and those behind it. */
static bool
goes_together(const struct spool_row *row)
{
	unsigned int table = row->table;
	int len = 0;

	if (table >= STORE_TOGETHER_TABLES)
		return false;
	while (row && row->table == table && len < STORE_TOGETHER) {
		row = row->next;
		len++;
	}
	return len == STORE_TOGETHER;
}

int
store_rows(struct store *store, const struct spool_row *row,
	   const struct spool_row **ret_next)
{
	int at = 0;

	if (!goes_together(row)) {
		*ret_next = row->next;
		return store_row(store, row);
	}
	struct db_stmt *stmt = store->together[row->table];
	for (int i = 0; i < STORE_TOGETHER; i++) {
		at = row_bind(row->bytes, row->len, store->boot, stmt, at);
		row = row->next;
	}
	*ret_next = row;
	return run(stmt);
}

int
store_progress(struct store *store, const struct progress_line *line)
{
	struct db_stmt *stmt = store->statements[STORE_PROGRESS];

	db_bind_number(stmt, 1, store->boot);
	db_bind_number(stmt, 2, line->class);
	db_bind_number(stmt, 3, line->cpu);
	db_bind_number(stmt, 4, (int64_t)line->sequence);
	db_bind_number(stmt, 5, (int64_t)line->newest_ns);
	db_bind_blob(stmt, 6, line->window, sizeof(line->window));
	return run(stmt);
}

int
store_lost(struct store *store, const char *class, uint64_t count)
{
	struct db_stmt *stmt = store->statements[STORE_LOST];

	db_bind_number(stmt, 1, store->boot);
	db_bind_text(stmt, 2, class, strlen(class));
	db_bind_number(stmt, 3, (int64_t)count);
	return run(stmt);
}

int
store_meta_put(struct store *store, const char *key, const char *value)
{
	struct db_stmt *stmt = store->statements[STORE_META_PUT];

	db_bind_text(stmt, 1, key, strlen(key));
	db_bind_text(stmt, 2, value, strlen(value));
	return run(stmt);
}

int
store_meta_get(struct store *store, const char *key, char *dst, size_t size)
{
	if (!store->db)
		return -ENODEV;
	struct db_stmt *stmt = store->statements[STORE_META_GET];
	db_bind_text(stmt, 1, key, strlen(key));
	int r = db_step(stmt);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = str_copy(dst, size, db_text(stmt, 0));
	db_reset(stmt);
	return r;
}

char *
store_args(struct store *store, const char *entity_id)
{
	if (!store->db)
		return NULL;
	struct db_stmt *stmt = store->statements[STORE_ARGS];
	db_bind_text(stmt, 1, entity_id, strlen(entity_id));
	if (db_step(stmt) <= 0)
		return NULL;
	char *args = strdup(db_text(stmt, 0));
	db_reset(stmt);
	return args;
}

static void
load_line(struct progress *progress, struct db_stmt *stmt)
{
	struct progress_line *line =
		progress_line(progress, (uint16_t)db_number(stmt, 0),
			      (uint32_t)db_number(stmt, 1));
	size_t len;

	if (!line)
		return;
	line->sequence = (uint64_t)db_number(stmt, 2);
	line->newest_ns = (uint64_t)db_number(stmt, 3);
	const void *window = db_blob(stmt, 4, &len);
	if (window && len == sizeof(line->window))
		memcpy(line->window, window, len);
}

int
store_load_progress(struct store *store, struct progress *progress)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;

	int r = db_prepare(store->db,
			   "SELECT class,cpu,sequence,newest_ns,window"
			   " FROM progress WHERE boot=?",
			   &stmt);
	if (r < 0)
		return r;
	db_bind_number(stmt, 1, store->boot);
	for (;;) {
		r = db_step(stmt);
		if (r <= 0)
			return r;
		load_line(progress, stmt);
	}
}

int
store_load_lost(struct store *store, const char *class, uint64_t *ret_sum)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;

	int r = db_prepare(store->db,
			   "SELECT count FROM lost WHERE boot=? AND class=?",
			   &stmt);
	if (r < 0)
		return r;
	db_bind_number(stmt, 1, store->boot);
	db_bind_text(stmt, 2, class, strlen(class));
	r = db_step(stmt);
	if (r < 0)
		return r;
	*ret_sum = r ? (uint64_t)db_number(stmt, 0) : 0;
	return 0;
}

int
store_load_last_loss(struct store *store, uint64_t *ret_boot_ns)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;

	int r = db_prepare(store->db,
			   "SELECT max(boot_ns) FROM agent WHERE boot=? AND"
			   " type='loss'",
			   &stmt);
	if (r < 0)
		return r;
	db_bind_number(stmt, 1, store->boot);
	r = db_step(stmt);
	if (r < 0)
		return r;
	*ret_boot_ns = r ? (uint64_t)db_number(stmt, 0) : 0;
	return 0;
}
