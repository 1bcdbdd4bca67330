/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"

/* Longer than any checkpoint or read of khien-query holds a lock. */
#define BUSY_MS 2000
/* All of SQLite's memory, page caches included. */
#define HEAP_MAX (6 * 1024 * 1024)
#define VFS_NAME "khien"

struct db {
	sqlite3 *handle;
};

static int
to_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return -EUCLEAN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_IOERR:
		return -EIO;
	default:
		return -EINVAL;
	}
}

/*
 * SQLite makes every path absolute and would then walk folders that a sealed
 * process with its own uid may not enter.
 */
static int
keep_path(sqlite3_vfs *vfs, const char *path, int size, char *dst)
{
	(void)vfs;
	if (strlen(path) >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(dst, path, strlen(path) + 1);
	return SQLITE_OK;
}

static int
init_once(void)
{
	static sqlite3_vfs vfs;

	if (vfs.zName)
		return 0;
	/* The engine has one thread: no lock around each piece of memory. */
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	int r = sqlite3_initialize();
	if (r != SQLITE_OK)
		return to_errno(r);
	(void)sqlite3_hard_heap_limit64(4 * HEAP_MAX);
	(void)sqlite3_soft_heap_limit64(HEAP_MAX);
	vfs = *sqlite3_vfs_find("unix");
	vfs.zName = VFS_NAME;
	vfs.xFullPathname = keep_path;
	return to_errno(sqlite3_vfs_register(&vfs, 0));
}

int
db_open(const char *path, bool writing, struct db **ret_db)
{
	int flags = writing ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE :
			      SQLITE_OPEN_READONLY;

	int r = init_once();
	if (r < 0)
		return r;
	CLEANUP(db_closep) struct db *db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	r = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX,
			    VFS_NAME);
	if (r != SQLITE_OK)
		return to_errno(r);
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_timeout(db->handle, BUSY_MS);
	*ret_db = TAKE(db);
	return 0;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	(void)sqlite3_close_v2(db->handle);
	free(db);
}

void
db_closep(struct db **db)
{
	db_close(*db);
	*db = NULL;
}

const char *
db_error(struct db *db)
{
	return sqlite3_errmsg(db->handle);
}

int
db_exec(struct db *db, const char *sql)
{
	return to_errno(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int
db_number_of(struct db *db, const char *sql, int64_t *ret_number)
{
	CLEANUP(db_finishp) struct db_stmt *stmt = NULL;

	int r = db_prepare(db, sql, &stmt);
	if (r < 0)
		return r;
	r = db_step(stmt);
	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret_number = db_number(stmt, 0);
	return 0;
}

/* struct db_stmt is never defined: it is SQLite's own, under our name. */
static sqlite3_stmt *
native(struct db_stmt *stmt)
{
	return (sqlite3_stmt *)stmt;
}

int
db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt)
{
	sqlite3_stmt *stmt;

	int r = sqlite3_prepare_v3(db->handle, sql, -1,
				   SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (r != SQLITE_OK)
		return to_errno(r);
	*ret_stmt = (struct db_stmt *)stmt;
	return 0;
}

void
db_finish(struct db_stmt *stmt)
{
	(void)sqlite3_finalize(native(stmt));
}

void
db_finishp(struct db_stmt **stmt)
{
	db_finish(*stmt);
	*stmt = NULL;
}

void
db_bind_number(struct db_stmt *stmt, int at, int64_t number)
{
	(void)sqlite3_bind_int64(native(stmt), at, number);
}

void
db_bind_text(struct db_stmt *stmt, int at, const char *text, size_t len)
{
	(void)sqlite3_bind_text64(native(stmt), at, text, len, SQLITE_STATIC,
				  SQLITE_UTF8);
}

void
db_bind_blob(struct db_stmt *stmt, int at, const void *bytes, size_t len)
{
	(void)sqlite3_bind_blob64(native(stmt), at, bytes, len, SQLITE_STATIC);
}

void
db_bind_null(struct db_stmt *stmt, int at)
{
	(void)sqlite3_bind_null(native(stmt), at);
}

int
db_step(struct db_stmt *stmt)
{
	int r = sqlite3_step(native(stmt));

	if (r == SQLITE_ROW)
		return 1;
	(void)sqlite3_reset(native(stmt));
	return to_errno(r);
}

void
db_reset(struct db_stmt *stmt)
{
	(void)sqlite3_reset(native(stmt));
}

int64_t
db_number(struct db_stmt *stmt, int at)
{
	return sqlite3_column_int64(native(stmt), at);
}

const char *
db_text(struct db_stmt *stmt, int at)
{
	const unsigned char *text = sqlite3_column_text(native(stmt), at);

	return text ? (const char *)text : "";
}

const void *
db_blob(struct db_stmt *stmt, int at, size_t *ret_len)
{
	const void *bytes = sqlite3_column_blob(native(stmt), at);

	*ret_len = (size_t)sqlite3_column_bytes(native(stmt), at);
	return bytes;
}

int64_t
db_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}
