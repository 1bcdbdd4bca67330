/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages about the agent's guard of itself; msg.h says how a message begins
 * and ends.
 *
 *   khienctl -> engine -> khiend   MSG_GUARD
 *   khiend -> engine               MSG_GUARDED
 *
 * Each get returns 0, or -EBADMSG when anything is out of its bounds.
 */
#pragma once

#include <stdint.h>

struct buf;

#define MSG_GUARD_FOR_MAX_S 3600
#define MSG_GUARD_FOR_S 600 /* when nobody says how long */
#define MSG_GUARD_ENDLESS UINT64_MAX

enum msg_guard_what {
	MSG_GUARD_TELL = 1, /* how it is */
	MSG_GUARD_OFF,	    /* nobody is refused anything for a while */
	MSG_GUARD_ON,	    /* that while is over */
	MSG_GUARD_STOP,	    /* off, and then khiend's orderly end */
	MSG_GUARD_ALONE,    /* the service manager was refused to stop the
			       agent, and gives it up */
};

/* MSG_GUARD: answered by MSG_GUARDED. */
struct msg_guard {
	uint64_t id;	/* the answer carries the same; never 0 */
	uint16_t what;	/* enum msg_guard_what */
	uint32_t for_s; /* of off: 1 to MSG_GUARD_FOR_MAX_S; else 0 */
};
void msg_guard_put(struct buf *buf, const struct msg_guard *guard);
int msg_guard_get(struct buf *buf, struct msg_guard *ret_guard);

enum msg_guard_state {
	MSG_GUARD_IS_OFF = 1,  /* [guard] mode */
	MSG_GUARD_IS_DISARMED, /* by the kernel's command line */
	MSG_GUARD_IS_AWAITED,  /* the sensor has not loaded anything yet */
	MSG_GUARD_IS_ABSENT,   /* the kernel takes none of its programs */
	MSG_GUARD_IS_PAUSED,   /* by a command, until `until_ns` */
	MSG_GUARD_IS_ARMED,
};

/* MSG_GUARDED: also unasked (id 0), when anything of it changes. */
struct msg_guarded {
	uint64_t id;
	uint16_t state;	   /* enum msg_guard_state */
	uint32_t pid;	   /* khiend's */
	uint32_t programs; /* that are attached */
	uint64_t until_ns; /* boot time; 0: not paused */
	uint64_t denied;   /* attempts since the programs were loaded */
};
void msg_guard_put_state(struct buf *buf, const struct msg_guarded *guarded);
int msg_guard_get_state(struct buf *buf, struct msg_guarded *ret_guarded);
