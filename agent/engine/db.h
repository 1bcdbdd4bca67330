/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SQLite with errno: the only file of this program that knows it.
 *
 * Errors: -EUCLEAN the file is no database or is damaged, -ENOSPC, -EIO,
 * -ENOMEM, -EBUSY, -EROFS, -EACCES it cannot be opened, -EINVAL a mistake of
 * ours in the statement or a constraint that does not hold.
 *
 * Paths are used as they are, relative to the working folder: the folders
 * above it are closed to this process once it is sealed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_stmt;

/* Opens or creates for writing, or opens an existing file only for reading. */
int db_open(const char *path, bool writing, struct db **ret_db);
/* All statements must be finished.  NULL is fine. */
void db_close(struct db *db);
void db_closep(struct db **db);

/* What the last failed call on db said, in words; static or until the next. */
const char *db_error(struct db *db);

/* Runs statements that give no rows, separated by ';'. */
int db_exec(struct db *db, const char *sql);

/* The first column of the only row as a number; -ENOENT when there is none. */
int db_number_of(struct db *db, const char *sql, int64_t *ret_number);

/* The statement is the caller's, to be freed with db_finish(). */
int db_prepare(struct db *db, const char *sql, struct db_stmt **ret_stmt);
void db_finish(struct db_stmt *stmt);
void db_finishp(struct db_stmt **stmt);

/* Parameters count from 1.  Text is borrowed until the statement is reset. */
void db_bind_number(struct db_stmt *stmt, int at, int64_t number);
void db_bind_text(struct db_stmt *stmt, int at, const char *text, size_t len);
void db_bind_blob(struct db_stmt *stmt, int at, const void *bytes, size_t len);
void db_bind_null(struct db_stmt *stmt, int at);

/* Returns 1 with a row, 0 at the end, -errno; reset in the latter cases. */
int db_step(struct db_stmt *stmt);
void db_reset(struct db_stmt *stmt);

/* Columns of the current row, from 0; valid until the next step. */
int64_t db_number(struct db_stmt *stmt, int at);
const char *db_text(struct db_stmt *stmt, int at); /* never NULL */
const void *db_blob(struct db_stmt *stmt, int at, size_t *ret_len);

/* Rows changed by the last statement that was run. */
int64_t db_changes(struct db *db);
