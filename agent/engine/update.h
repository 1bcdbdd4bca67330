/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Releases of rules as the engine knows them: what khien-verify said last, who
 * waits for it to say more, what of it becomes a row, and whether the release
 * in force finds too much.  khiend does the work; see agent/daemon/update.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct client;
struct doc;
struct engine;
struct msg_updated;
struct msg_verdict;
struct update;

/* khiend gives up after 30 minutes of each step. */
#define UPDATE_NS (4000 * UINT64_C(1000000000))

/* NULL: no memory. */
struct update *update_new(struct engine *engine);
void update_free(struct update *update);

/* What khien-verify said last; NULL: nothing, or there is no update. */
const struct msg_updated *update_state(const struct engine *engine);

/* enum msg_update_alarm as of now; dst, *ret_state: see alarm_write(). */
uint16_t update_alarm(const struct engine *engine, char *dst, int *ret_state);

/* A client's request, whose options are in the line. */
void update_request(struct client *client, const char *line, size_t len);

/* The client is gone. */
void update_leave(struct client *client);

/* MSG_UPDATED of khiend.  Returns 0 or -EBADMSG. */
int update_take(struct engine *engine, struct buf *buf);

/* Counts a verdict, and has the release taken back when it finds too much. */
void update_saw(struct engine *engine, const struct msg_verdict *verdict);

/* True: what was found is told, but nothing is done about the file. */
bool update_spares(const struct engine *engine,
		   const struct msg_verdict *verdict);

/* Once a second. */
void update_second(struct engine *engine, uint64_t now_ns);

/* khien.update.* */
void update_write(const struct engine *engine, struct doc *doc);
