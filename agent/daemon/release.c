/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/release.h"

#include <stdio.h>

#define RELEASE_WATCH_S (RELEASE_WATCH_MS / 1000)

void
release_init(struct release *release)
{
	*release = (struct release){ .loaded = RELEASE_UNKNOWN };
}

bool
release_ask(struct release *release, uint16_t kind)
{
	if (release->at != RELEASE_IDLE)
		return false;
	release->at = RELEASE_ASKING;
	release->kind = kind;
	release->staged = 0;
	return true;
}

static void
watch(struct release *release, uint64_t now_ms)
{
	release->watched = release->active;
	release->watch_end_ms = now_ms + RELEASE_WATCH_MS;
	release->deaths = 0;
}

static bool
is_fresh(const struct msg_updated *updated, uint64_t wall_s)
{
	return updated->active && updated->activated_s &&
	       updated->activated_s <= wall_s &&
	       wall_s - updated->activated_s < RELEASE_WATCH_S;
}

/* What is active now is what scanners are to read. */
static enum release_do
come_to_rest(struct release *release)
{
	bool other = release->active != release->loaded;

	release->at = RELEASE_IDLE;
	release->staged = 0;
	release->loaded = release->active;
	return other ? RELEASE_REPLACE : RELEASE_END;
}

static enum release_do
settled(struct release *release, uint64_t now_ms)
{
	if (release->kind == MSG_UPDATE_ACTIVATE &&
	    release->active == release->staged)
		watch(release, now_ms);
	if (release->active != release->watched)
		release->watched = 0;
	/* It could not be done: the disk may be full. */
	if (release->bad && release->bad == release->active)
		release->bad_from_ms = now_ms + RELEASE_RETRY_MS;
	else
		release->bad = 0;
	return come_to_rest(release);
}

static bool
is_to_be_tried(const struct release *release, const struct msg_updated *updated)
{
	return (release->kind == MSG_UPDATE_NOW ||
		release->kind == MSG_UPDATE_IMPORT) &&
	       updated->staged && updated->staged != updated->active;
}

enum release_do
release_answered(struct release *release, const struct msg_updated *updated,
		 uint64_t wall_s, uint64_t now_ms)
{
	bool first = release->loaded == RELEASE_UNKNOWN;

	release->active = updated->active;
	if (release->at == RELEASE_SETTLING)
		return settled(release, now_ms);
	if (first && is_fresh(updated, wall_s))
		watch(release, now_ms);
	/* Scanners began with what is in force. */
	if (first && release->kind == MSG_UPDATE_STATUS)
		release->loaded = release->active;
	if (release->active != release->watched)
		release->watched = 0;
	if (!is_to_be_tried(release, updated))
		return come_to_rest(release);
	release->at = RELEASE_TRYING;
	release->staged = updated->staged;
	return RELEASE_GO_ON;
}

enum release_do
release_unanswered(struct release *release, uint64_t now_ms)
{
	release->at = RELEASE_IDLE;
	release->staged = 0;
	if (release->bad)
		release->bad_from_ms = now_ms + RELEASE_RETRY_MS;
	return RELEASE_END;
}

enum release_do
release_tried(struct release *release, const char *why)
{
	if (release->bad) {
		release->at = RELEASE_IDLE;
		return RELEASE_END;
	}
	release->at = RELEASE_SETTLING;
	release->kind = *why ? MSG_UPDATE_REFUSE : MSG_UPDATE_ACTIVATE;
	(void)snprintf(release->why, sizeof(release->why), "%s", why);
	return RELEASE_GO_ON;
}

void
release_died(struct release *release, uint64_t now_ms)
{
	char why[128];

	if (!release->watched || now_ms >= release->watch_end_ms)
		return;
	if (++release->deaths < RELEASE_DEATHS)
		return;
	(void)snprintf(why, sizeof(why),
		       "%u scanners died within %d minutes of its activation",
		       release->deaths, RELEASE_WATCH_S / 60);
	release_condemn(release, release->watched, why, now_ms);
}

void
release_condemn(struct release *release, uint64_t number, const char *why,
		uint64_t now_ms)
{
	if (!number || number != release->active || release->bad)
		return;
	release->bad = number;
	release->bad_from_ms = now_ms;
	(void)snprintf(release->bad_why, sizeof(release->bad_why), "%s", why);
}

bool
release_next(struct release *release, uint64_t now_ms)
{
	if (release->at != RELEASE_IDLE || !release->bad ||
	    now_ms < release->bad_from_ms)
		return false;
	release->at = RELEASE_SETTLING;
	release->kind = MSG_UPDATE_TAKE_BACK;
	release->staged = release->bad;
	return true;
}

uint64_t
release_due_ms(const struct release *release)
{
	if (release->at != RELEASE_IDLE || !release->bad)
		return UINT64_MAX;
	return release->bad_from_ms;
}
