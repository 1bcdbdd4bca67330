/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store's tables, and how an older store becomes one of this version. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct db;

#define SCHEMA_VERSION 3

/* The tables that rows are appended to. */
enum schema_table {
	SCHEMA_PROCESS,
	SCHEMA_FILE,
	SCHEMA_NETWORK,
	SCHEMA_PRIVILEGE,
	SCHEMA_AGENT,
	SCHEMA_DETECTION,
	SCHEMA_ASKED,
	SCHEMA_TABLES,
};

const char *schema_table_name(unsigned int table);

/* The version that has it first. */
int64_t schema_table_since(unsigned int table);

/* All columns but id, separated by commas, in the order rows are written. */
const char *schema_columns(unsigned int table);

/* How many there are. */
int schema_columns_len(unsigned int table);

/*
 * Brings the store to SCHEMA_VERSION in one transaction a step.  Returns 0;
 * -ENOTSUP when it is newer than this program (it is not touched); what
 * db_exec() returns.
 */
int schema_migrate(struct db *db);
