/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What time it is to metadata, and what its age says.  Pure: the machine's
 * clock, the newest time that was ever signed, and a mirror's clock come in.
 *
 * A mirror's clock is anybody's word: it chooses between two alarms, and
 * nothing else.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Two clocks that differ by less agree. */
#define CLOCK_SLACK_S 600

/* When a role was signed (0: it does not say so), and until when it holds. */
struct clock_life {
	const char *role; /* borrowed */
	int64_t issued_s, expires_s;
};

struct clock_look {
	int64_t now_s;	  /* of this machine */
	int64_t floor_s;  /* or 0 */
	int64_t server_s; /* the mirror's, or 0 */
	const struct clock_life *lives;
	size_t len;
};

/* The time by which metadata is judged: never before the floor. */
int64_t clock_time(int64_t now_s, int64_t floor_s);

/*
 * The floor after these roles were verified.  What one key that lies about on
 * a server signs (timestamp, snapshot, channel) raises it up to this machine's
 * own time only: whoever stole it could move the floor into the next century
 * otherwise, and nothing would ever be good again.
 */
int64_t clock_floor(int64_t floor_s, int64_t now_s,
		    const struct clock_life *lives, size_t len);

/*
 * The alarm (enum msg_update_alarm): `expired` says that something was refused
 * for its age.  *ret_life is the role to name: the one that is most worn when
 * the alarm is of its age, else the one that ends first; -1: there is none.
 * Text for people in *ret_note, static, "" when there is nothing to say.
 */
uint16_t clock_judge(const struct clock_look *look, int expired,
		     ptrdiff_t *ret_life, const char **ret_note);
