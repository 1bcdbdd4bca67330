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

#define GUARD_PATH_MAX 512 /* a longer one is not told */

/* All zero is the beginning. */
struct guard {
	bool known; /* state is what khiend said */
	struct msg_guarded state;
	struct client *client; /* who waits for khiend, or NULL */
	uint16_t what;	       /* ... and what for: enum msg_guard_what */
	uint64_t id, begun_ns;
	uint64_t last_id;
	char folder
		[GUARD_PATH_MAX]; /* of the agent's programs; "": not known */
	char khiend[GUARD_PATH_MAX];	   /* its program */
	char program[GUARD_PATH_MAX + 64]; /* told last */
};

/* Before the seal: where the agent's own programs are. */
void guard_look_around(struct engine *engine);

/*
 * The program of the agent's process with that number, until it is asked again;
 * "": there is none.
 */
const char *guard_program(struct engine *engine, uint32_t pid);

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

/* Whether the kernel program of that name is one of the guard's. */
bool guard_has(const char *program);

/* All of them are absent, which one sentence says as well as 34. */
bool guard_is_absent(const struct engine *engine);

/*
 * A sentence, or "" when all is as configured, and how grave it is: an enum
 * reason_state.
 */
void guard_say(const struct engine *engine, char *dst, size_t size,
	       int *ret_grave);

/* The same for `doctor`: a sentence in any case, and whether all is well. */
bool guard_check(const struct engine *engine, char *dst, size_t size);
