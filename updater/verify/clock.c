/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/clock.h"

#include <stdbool.h>

#include "agent/lib/msg_update.h"
#include "agent/lib/str.h"

int64_t
clock_time(int64_t now_s, int64_t floor_s)
{
	return now_s > floor_s ? now_s : floor_s;
}

/* Signed by several people, far from any network. */
static bool
is_offline(const char *role)
{
	return str_equal(role, "root") || str_equal(role, "targets");
}

int64_t
clock_floor(int64_t floor_s, int64_t now_s, const struct clock_life *lives,
	    size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int64_t issued_s = lives[i].issued_s;
		if (issued_s > now_s && !is_offline(lives[i].role))
			issued_s = now_s;
		if (issued_s > floor_s)
			floor_s = issued_s;
	}
	return floor_s;
}

/* Whether so many tenths of it are over. */
static bool
is_worn(const struct clock_life *life, int64_t time_s, int64_t tenths)
{
	if (life->issued_s <= 0 || life->issued_s >= life->expires_s)
		return false;
	return (time_s - life->issued_s) * 10 >=
	       (life->expires_s - life->issued_s) * tenths;
}

/* The first to end of those of which so many tenths are over; -1: none. */
static ptrdiff_t
find(const struct clock_look *look, int64_t tenths)
{
	int64_t time_s = clock_time(look->now_s, look->floor_s);
	ptrdiff_t found = -1;

	for (size_t i = 0; i < look->len; i++) {
		const struct clock_life *life = &look->lives[i];
		if (tenths && !is_worn(life, time_s, tenths))
			continue;
		if (found < 0 || life->expires_s < look->lives[found].expires_s)
			found = (ptrdiff_t)i;
	}
	return found;
}

/* Something is too old: for whom? */
static uint16_t
judge_expired(const struct clock_look *look, const char **ret_note)
{
	if (look->now_s + CLOCK_SLACK_S < look->floor_s) {
		*ret_note = "the metadata ended before the newest time that "
			    "was ever signed, and this machine's clock is "
			    "behind that: set the clock, and ask the "
			    "publisher";
		return MSG_UPDATE_FREEZE;
	}
	if (!look->server_s) {
		*ret_note = "either this machine's clock is ahead, or nothing "
			    "new was published, or somebody holds it back: "
			    "look at the clock first";
		return MSG_UPDATE_EXPIRED;
	}
	if (look->server_s + CLOCK_SLACK_S < look->now_s) {
		*ret_note = "this machine's clock is ahead of the mirror's: "
			    "set the clock";
		return MSG_UPDATE_CLOCK;
	}
	*ret_note = "the mirror's clock agrees with this machine's: nothing "
		    "new was published, or somebody holds it back; ask the "
		    "publisher";
	return MSG_UPDATE_FREEZE;
}

static uint16_t
judge_age(const struct clock_look *look, ptrdiff_t *ret_life,
	  const char **ret_note)
{
	ptrdiff_t worn = find(look, 8);

	if (look->now_s + CLOCK_SLACK_S < look->floor_s) {
		*ret_note = "this machine's clock is behind what was signed "
			    "already, which is used instead: set the clock";
		return MSG_UPDATE_CLOCK;
	}
	if (worn >= 0) {
		*ret_life = worn;
		*ret_note = "four fifths of its life are over and it was not "
			    "renewed: ask the publisher";
		return MSG_UPDATE_FIFTH;
	}
	worn = find(look, 5);
	if (worn < 0)
		return MSG_UPDATE_FINE;
	*ret_life = worn;
	*ret_note = "half of its life is over and it was not renewed";
	return MSG_UPDATE_HALF;
}

uint16_t
clock_judge(const struct clock_look *look, int expired, ptrdiff_t *ret_life,
	    const char **ret_note)
{
	int64_t time_s = clock_time(look->now_s, look->floor_s);

	*ret_note = "";
	*ret_life = find(look, 0);
	if (*ret_life >= 0 && look->lives[*ret_life].expires_s <= time_s)
		expired = 1;
	return expired ? judge_expired(look, ret_note) :
			 judge_age(look, ret_life, ret_note);
}
