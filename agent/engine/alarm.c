/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/alarm.h"

#include <stdio.h>
#include <time.h>

#include "agent/engine/reason.h"
#include "agent/lib/msg_update.h"

#define DAY_SIZE 24

uint16_t
alarm_now(const struct msg_updated *updated, uint64_t now_s)
{
	uint64_t issued_s = updated->issued_s;
	uint64_t expires_s = updated->expires_s;

	/* Only it can tell these apart, from what the mirrors said. */
	if (updated->alarm == MSG_UPDATE_CLOCK ||
	    updated->alarm == MSG_UPDATE_FREEZE ||
	    updated->alarm == MSG_UPDATE_EXPIRED)
		return updated->alarm;
	if (!expires_s)
		return updated->alarm;
	if (now_s < updated->floor_s)
		return MSG_UPDATE_CLOCK;
	if (now_s >= expires_s)
		return MSG_UPDATE_EXPIRED;
	if (issued_s >= expires_s || now_s <= issued_s)
		return MSG_UPDATE_FINE;
	uint64_t age_s = now_s - issued_s;
	uint64_t life_s = expires_s - issued_s;
	if (age_s >= life_s - life_s / 5)
		return MSG_UPDATE_FIFTH;
	return age_s >= life_s - life_s / 2 ? MSG_UPDATE_HALF : MSG_UPDATE_FINE;
}

const char *
alarm_word(uint16_t alarm)
{
	static const char *const words[] = {
		[MSG_UPDATE_FINE] = "none",
		[MSG_UPDATE_CLOCK] = "clock",
		[MSG_UPDATE_FREEZE] = "freeze",
		[MSG_UPDATE_EXPIRED] = "expired",
		[MSG_UPDATE_HALF] = "half",
		[MSG_UPDATE_FIFTH] = "four_fifths",
	};

	return words[alarm];
}

/* 2026-01-31 08:15Z */
static const char *
day(uint64_t seconds, char *dst)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	dst[0] = '\0';
	if (gmtime_r(&time, &tm))
		(void)strftime(dst, DAY_SIZE, "%Y-%m-%d %H:%MZ", &tm);
	return dst;
}

static int
say_old(const struct msg_updated *updated, const char *how_much, char *dst)
{
	char when[DAY_SIZE];

	(void)snprintf(dst, ALARM_TEXT_SIZE,
		       "%s of the life of the signed %s is over, and nothing "
		       "newer was found: it ends at %s; rules stay as they are "
		       "(khienctl update now says what the mirrors answer)",
		       how_much, *updated->role ? updated->role : "metadata",
		       day(updated->expires_s, when));
	return REASON_DEGRADED;
}

int
alarm_write(const struct msg_updated *updated, uint16_t alarm, char *dst)
{
	const char *role = *updated->role ? updated->role : "metadata";
	char when[DAY_SIZE];

	dst[0] = '\0';
	switch (alarm) {
	case MSG_UPDATE_CLOCK:
		(void)snprintf(dst, ALARM_TEXT_SIZE,
			       "this machine's clock is behind %s, when rules "
			       "were signed that it has: set it, as nothing "
			       "can be said of the age of anything before",
			       day(updated->floor_s, when));
		return REASON_DEGRADED;
	case MSG_UPDATE_FREEZE:
		(void)snprintf(dst, ALARM_TEXT_SIZE,
			       "the mirrors hand out a signed %s that ended at "
			       "%s: somebody keeps newer rules from this "
			       "machine, or nobody signs any more; the last "
			       "good rules stay",
			       role, day(updated->expires_s, when));
		return REASON_AT_RISK;
	case MSG_UPDATE_EXPIRED:
		(void)snprintf(dst, ALARM_TEXT_SIZE,
			       "the signed %s ended at %s: either this "
			       "machine's clock is ahead or newer rules do not "
			       "arrive; the last good rules stay",
			       role, day(updated->expires_s, when));
		return REASON_AT_RISK;
	case MSG_UPDATE_HALF:
		return say_old(updated, "half", dst);
	case MSG_UPDATE_FIFTH:
		return say_old(updated, "four fifths", dst);
	default:
		return REASON_OK;
	}
}
