/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes, paths and rules cost most: counts what comes by, for
 * `khienctl status --hot`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/engine/hot.h"

struct buf;
struct doc;
struct engine;
struct event;
struct tree_process;

enum heat_table {
	HEAT_PROCESS_EVENTS,
	HEAT_PROCESS_QUESTIONS, /* for which somebody waited */
	HEAT_PROCESS_SCANS,	/* that it caused */
	HEAT_FOLDER_EVENTS,
	HEAT_FOLDER_SCANS, /* microseconds of scanners */
	HEAT_FILE_SCANS,   /* the same */
	HEAT_RULE_MATCHES,
	HEAT_TABLES,
};

/* All zero is empty. */
struct heat {
	struct hot tables[HEAT_TABLES];
	uint64_t turned_ns[2]; /* when the halves began; 0: there is none */
};

/* Something that `process` (NULL: not known) did. */
void heat_event(struct engine *engine, const struct event *event,
		struct tree_process *process);

/* A rule found something. */
void heat_rule(struct engine *engine, const char *rule, uint32_t pid);

/* MSG_SCANS.  0 or -EBADMSG. */
int heat_take(struct engine *engine, struct buf *buf);

void heat_second(struct engine *engine, uint64_t now_ns);

/* The answer to status with "hot".  NULL or incomplete: no memory. */
struct doc *heat_write(struct engine *engine);
