/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process that khiend started: its life, its channel, what it is sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/daemon/backoff.h"

struct buf;
struct conf;
struct keep;
struct loop_watch;

#define CHILD_HELLO_MS 20000 /* from its start until it said hello */
/* The sensor: the kernel reads each of its programs through, and on a processor
   that is slow or emulated and has other things to do that is long.  One that
   is ended begins anew, and would never be up. */
#define CHILD_SENSOR_HELLO_MS 120000
#define CHILD_EXIT_MS 1000 /* from the end of its channel to its own */
#define CHILD_GONE_MS 2000 /* from SIGKILL until we stop waiting for it */

/* Why a scanner is killed that hangs on a file; any other why is a fault. */
#define CHILD_STUCK "did not answer the gate"

enum child_state {
	CHILD_DOWN = 0, /* no process */
	CHILD_STARTING, /* has not said hello */
	CHILD_UP,
	CHILD_ENDING, /* told to end, or killed */
};

struct child {
	uint16_t role; /* enum role_id */
	uint16_t index;
	enum child_state state;
	bool wanted;  /* started again when it ends */
	bool planned; /* its end is our wish, not a fault */
	bool stale;   /* to be replaced: started before the last reload */
	bool killed;  /* SIGKILL was sent */
	int pid;      /* 0: none */
	int chan;     /* our end, or -1 */
	struct loop_watch *watch; /* of chan; the supervisor's */
	void *owner;		  /* the supervisor */
	uint64_t due_ms;   /* when the state has lasted too long; 0: never */
	uint64_t began_ms; /* when the process was started; 0: never was */
	uint64_t since_ns; /* boot time of its hello */
	uint32_t restarts;
	uint64_t beat;	 /* number of the last heartbeat sent */
	uint32_t missed; /* heartbeats since the last answer */
	uint64_t ran_ms; /* of a processor, when the second of them was due */
	struct backoff backoff;
	const char *why; /* why we killed it; NULL: we did not */
};

/* Milliseconds that do not count while the machine sleeps. */
uint64_t child_now_ms(void);

/* Zero but for role and index; its chan is -1. */
void child_init(struct child *child, uint16_t role, uint16_t index);

/*
 * Starts its program from `folder`, with a new channel: CHILD_STARTING.  It
 * executes once it has read from `leave` (borrowed), or at once when that is
 * -1.  Returns 0 or -errno; then it is as before.
 */
int child_start(struct child *child, const char *folder, int leave);

/* True when it may be sent messages. */
bool child_is_there(const struct child *child);

/*
 * Ends the message in buf and sends it with fd, unless that is -1.  Returns 0,
 * -ENOTCONN when there is no channel, -EPIPE when it has ended, or as
 * chan_write().
 */
int child_write(struct child *child, struct buf *buf, int fd);

/* One message each; `bytes` holds MSG_MAX.  All return as child_write(). */
int child_write_conf(struct child *child, uint8_t *bytes,
		     const struct conf *conf);
int child_write_kept(struct child *child, uint8_t *bytes,
		     const struct keep *keep);
int child_write_link(struct child *child, uint8_t *bytes,
		     const struct child *other, int fd);
int child_write_ready(struct child *child, uint8_t *bytes);

/* Sends the next heartbeat and counts it as missed until it is answered. */
int child_write_beat(struct child *child, uint8_t *bytes);

/* Its answer.  Returns 0, or -EBADMSG when that number was never sent. */
int child_take_beat(struct child *child, uint64_t number);

/*
 * Ends the channel from our side, which every program takes as its orderly end;
 * the process has limit_ms for it.
 */
void child_end(struct child *child, uint64_t limit_ms);

/* It closed its channel: its end is due within CHILD_EXIT_MS. */
void child_hang_up(struct child *child);

/* Kills it; `why` (static) is told with its end.  Nothing when it is dead. */
void child_kill(struct child *child, const char *why);

/*
 * After waitpid(2): writes how it ended and forgets pid and channel.
 * CHILD_DOWN with due_ms 0.
 */
void child_reap(struct child *child, int status, char *dst, size_t size);
