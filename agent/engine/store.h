/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: store.db in the working folder.  Written by this process only;
 * khien-query reads it.
 *
 * A file that is damaged, or that a newer version of the agent wrote, is
 * renamed and a new one is begun; it is never written to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_stmt;
struct progress;
struct progress_line;
struct spool;
struct spool_row;
struct tree;

#define STORE_FILE "store.db"
#define STORE_TEXT_MAX 256

enum store_statement {
	/* enum schema_table, the inserts, come first */
	STORE_FOLD = 7,
	STORE_ACTION,
	STORE_ALLOW,
	STORE_REVOKE,
	STORE_PROGRESS,
	STORE_LOST,
	STORE_LIVE_PUT,
	STORE_LIVE_DROP,
	STORE_META_PUT,
	STORE_META_GET,
	STORE_ARGS,
	STORE_STATEMENTS,
};

/* Rows of one table that one statement stores: beginning and ending it costs
   a fifth of a row.  More gain nothing that can be measured. */
#define STORE_TOGETHER 8
/* The tables that have such a statement: those that grow fastest. */
#define STORE_TOGETHER_TABLES 3

struct store {
	struct db *db; /* NULL: not open */
	struct db_stmt *statements[STORE_STATEMENTS];
	struct db_stmt *together[STORE_TOGETHER_TABLES];
	int64_t boot;		    /* key of the current boot */
	int error;		    /* 0, or why it does not work now: -errno */
	char why[STORE_TEXT_MAX];   /* error in words */
	char aside[STORE_TEXT_MAX]; /* what was set aside at the last opening:
				       a sentence, or "" */
};

/*
 * Opens the store.  Returns 0 or -errno, which is also in store->error; the
 * store is closed then.
 */
int store_open(struct store *store, const char *boot_id, int64_t wall_ns);
void store_close(struct store *store);

/*
 * Remembers why a call failed.  A damaged store is closed and will be set aside
 * by the next store_open().
 */
void store_fail(struct store *store, int error);

/* A transaction; what fails in between must end in store_rollback(). */
int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* Inside a transaction.  0 or -errno. */
int store_row(struct store *store, const struct spool_row *row);
/*
 * The same for the row and those of its table that follow at once, up to
 * STORE_TOGETHER; *ret_next: the first that was not stored, or NULL.
 */
int store_rows(struct store *store, const struct spool_row *row,
	       const struct spool_row **ret_next);
int store_progress(struct store *store, const struct progress_line *line);
/* Adds to the total of events lost in this boot. */
int store_lost(struct store *store, const char *class, uint64_t count);
int store_meta_put(struct store *store, const char *key, const char *value);

/* -ENOENT: no such key; -ENAMETOOLONG. */
int store_meta_get(struct store *store, const char *key, char *dst,
		   size_t size);

/* The arguments of a process as they were stored; NULL: none.  To be freed. */
char *store_args(struct store *store, const char *entity_id);

/* What was stored in this boot: for a new engine after a death.  */
int store_load_progress(struct store *store, struct progress *progress);
int store_load_lost(struct store *store, const char *class, uint64_t *ret_sum);
/* Boot time of the newest row that tells of a loss; 0: there is none. */
int store_load_last_loss(struct store *store, uint64_t *ret_boot_ns);
