/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What khien-keep is asked to do, through khiend, and what came of it: for
 * verdicts by policy, and for clients that ask about the quarantine.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct act;
struct buf;
struct client;
struct engine;
struct msg_act;
struct msg_verdict;

#define ACT_SENT_MAX 64	   /* not answered yet */
#define ACT_FILES_MAX 32   /* of these: other files wait, see backlog.h */
#define ACT_REMEMBERED 128 /* files that were acted on */
/* khiend answers in the place of a khien-keep that took longer: 10 minutes. */
#define ACT_NS (620 * UINT64_C(1000000000))
/* A file that was dealt with and is denied since needs it no sooner again. */
#define ACT_REST_NS (2 * UINT64_C(1000000000))

/* NULL: no memory. */
struct act *act_new(struct engine *engine);
void act_free(struct act *act);

/*
 * A verdict arrived, with the file's descriptor (borrowed) or -1: has done what
 * the policy says.
 */
void act_on_verdict(struct engine *engine, const struct msg_verdict *verdict,
		    int fd);

/*
 * The rows of its detections are made: adds what was done about the file, as
 * far as it is known now.
 */
void act_mark(struct engine *engine, const struct msg_verdict *verdict);

/* MSG_ACTED of khiend.  Returns 0 or -EBADMSG. */
int act_take(struct engine *engine, struct buf *buf);

/*
 * Sends a request of a client, for keeping_answer() to answer.  Fills in its
 * id.  Returns 0; -EBUSY when too many wait; -errno.
 */
int act_ask(struct client *client, struct msg_act *what);

/* The client is gone. */
void act_leave(struct client *client);

/* Once a second. */
void act_second(struct engine *engine, uint64_t now_ns);
