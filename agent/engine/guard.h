/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's guard of itself, as clients see it: how khiend says it is, and
 * the commands that turn it off for a while, on, or stop the agent.  Each is in
 * the store, with who asked, before khiend hears of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/msg_guard.h"

struct buf;
struct client;
struct doc;
struct engine;
struct request;

/* All zero is the beginning. */
struct guard {
	bool known; /* state is what khiend said */
	struct msg_guarded state;
	struct client *client; /* who waits for khiend, or NULL */
	uint16_t what;	       /* ... and what for: enum msg_guard_what */
	uint64_t id, begun_ns;
	uint64_t last_id;
};

/* "guard" and "stop" of a client. */
void guard_request(struct client *client, const char *line, size_t len,
		   const struct request *request);

/* The client is gone. */
void guard_leave(struct client *client);

/* MSG_GUARDED.  Returns 0 or -EBADMSG. */
int guard_take(struct engine *engine, struct buf *buf);

/* Once a second: khiend may not answer. */
void guard_second(struct engine *engine, uint64_t now_ns);

/* khien.guard.* of a status. */
void guard_write(const struct engine *engine, struct doc *doc);

/*
 * A sentence, or "" when all is as configured, and how grave it is: an enum
 * reason_state.
 */
void guard_say(const struct engine *engine, char *dst, size_t size,
	       int *ret_grave);

/* The same for `doctor`: a sentence in any case, and whether all is well. */
bool guard_check(const struct engine *engine, char *dst, size_t size);
