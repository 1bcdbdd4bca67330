/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel program that stops executions is told, and whom it holds, by
 * the mapped pages alone: a sealed process may not call bpf(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sensor/ring.h"

struct conf;
struct khien_reach;
struct khien_stop;
struct msg_cover;

struct reach {
	struct khien_reach *area; /* mapped; NULL: not open */
	size_t size;
	struct ring stops;
	uint32_t mode;	   /* as configured; in force once there is a list */
	uint32_t list_len; /* of the list that is being put together */
	uint32_t left_out; /* of it: found no place */
	uint32_t gate;	   /* see reach_set_gate() */
	bool listed;	   /* a list came since that */
};

/*
 * Maps both (borrowed).  Where they are -1 nobody in the kernel reads what is
 * said, and nobody is held.  Returns 0 or -errno; reach_close() in any case.
 */
int reach_open(struct reach *reach, int area, int stops);
void reach_close(struct reach *reach);

/* The cgroup's id by its folder; 0: there is no such cgroup.  Opens it. */
uint64_t reach_find_scope(const char *folder);

/*
 * Arms, or disarms.  `scope` is what reach_find_scope() found; with a scope
 * configured and 0 nobody is stopped.
 */
void reach_set(struct reach *reach, const struct conf *conf, uint64_t scope,
	       uint32_t khiend);

/*
 * The gate there is, by process; 0: it is gone.  It counts from the next list
 * on: that is of what it watches.
 */
void reach_set_gate(struct reach *reach, uint32_t gate);

/* For good: we are to end, and nobody comes after us. */
void reach_disarm(struct reach *reach);

/*
 * A part of the list of file systems, which counts as a whole with its last
 * one.  What finds no place is treated as known but not asked about.
 */
void reach_put(struct reach *reach, const struct msg_cover *covers,
	       uint32_t len, bool last);

/*
 * The list may be out of date: what is not in it is no proof of anything until
 * the next one.
 */
void reach_doubt(struct reach *reach);

/* Whether it is configured that anybody is to be stopped. */
bool reach_is_wanted(const struct reach *reach);

/* Whether anybody may be stopped now. */
bool reach_is_armed(const struct reach *reach);

/* Whether the file system (makedev form) is known: nobody of it is stopped. */
bool reach_is_listed(const struct reach *reach, uint64_t device);

/* We are at work; to be called at least once a second. */
void reach_beat(struct reach *reach, uint64_t now_ns);

/*
 * The next process that is held; the record stays until reach_took(), also
 * for a successor.  False when there is none.
 */
bool reach_next(struct reach *reach, struct khien_stop *ret_stop);
void reach_took(struct reach *reach);

/* Executions that were killed; held; let go; not to be stopped; followed.  And
   lists of file systems that were taken up. */
#define REACH_COUNTS 6
void reach_count(const struct reach *reach, uint64_t *ret_counts);

/* "off", "kill", "hold", or why it is not armed. */
const char *reach_state(const struct reach *reach);
