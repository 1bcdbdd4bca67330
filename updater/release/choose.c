/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/choose.h"

#include <errno.h>
#include <inttypes.h>

#include "updater/release/index.h"
#include "updater/release/version.h"
#include "updater/release/wave.h"
#include "updater/tuf/date.h"
#include "updater/tuf/reason.h"

/* What one release is to one host. */
enum verdict {
	FITS = 0,
	REVOKED,
	BAD,
	OLD,
	ENGINE_OLD, /* the engine is */
	ENGINE_NEW,
};

struct question {
	const struct index *index;
	const struct choose_host *host;
	struct version engine;
};

static bool
is_bad(const struct choose_host *host, int64_t number)
{
	for (size_t i = 0; i < host->bad_len; i++)
		if (host->bad[i] == number)
			return true;
	return false;
}

/* What index_check() passed can be parsed. */
static int
compare(const struct question *q, const char *version)
{
	struct version other = { 0 };

	(void)version_parse(version, &other);
	return version_compare(&q->engine, &other);
}

/* Of a release that need not be listed: then its engines are not known. */
static enum verdict
judge(const struct question *q, int64_t number)
{
	const struct index_release *release = index_find(q->index, number);

	if (index_revoked(q->index, number))
		return REVOKED;
	if (is_bad(q->host, number))
		return BAD;
	if (number < q->host->floor)
		return OLD;
	if (!release)
		return FITS;
	if (compare(q, release->engine_min) < 0)
		return ENGINE_OLD;
	if (release->engine_max[0] && compare(q, release->engine_max) > 0)
		return ENGINE_NEW;
	return FITS;
}

static void
explain(const struct question *q, int64_t number, enum verdict verdict,
	struct reason *ret_text)
{
	const struct index_release *release = index_find(q->index, number);
	const char *engine = q->host->engine;

	if (verdict == REVOKED)
		(void)reason_set(ret_text, 0,
				 "release %" PRId64 " was taken back: %s",
				 number, index_revoked(q->index, number));
	else if (verdict == BAD)
		(void)reason_set(ret_text, 0,
				 "release %" PRId64
				 " failed on this host and is not tried again",
				 number);
	else if (verdict == OLD)
		(void)reason_set(ret_text, 0,
				 "release %" PRId64 " is older than %" PRId64
				 ", the oldest that this package allows",
				 number, q->host->floor);
	else if (verdict == ENGINE_OLD)
		(void)reason_set(ret_text, 0,
				 "release %" PRId64 " is for agents from %s "
				 "on, and this one is %s: install a newer one",
				 number, release->engine_min, engine);
	else if (verdict == ENGINE_NEW)
		(void)reason_set(ret_text, 0,
				 "release %" PRId64 " is for agents up to %s, "
				 "and this one is %s: a release for it must "
				 "be published",
				 number, release->engine_max, engine);
}

/*
 * 0, -ENOMEM or -EIO.  Who does not know who he is comes last, and goes on
 * hearing what was taken back.
 */
static int
find_start(const struct choose_host *host, const struct index_release *release,
	   int64_t *ret_s)
{
	uint32_t place = 0;
	int r = 0;

	if (host->place == CHOOSE_ANY_PLACE)
		r = wave_place(host->seed, release->number, &place);
	else
		place = wave_place_fixed((uint32_t)host->place);
	if (r == -EINVAL) {
		place = WAVE_PLACES - 1;
		r = 0;
	}
	if (r == 0)
		*ret_s = wave_start(release->waves, release->waves_len, place);
	return r;
}

static enum choose_active
active_of(enum verdict verdict)
{
	static const enum choose_active of[] = {
		[FITS] = CHOOSE_STAYS,	      [REVOKED] = CHOOSE_REVOKED,
		[BAD] = CHOOSE_BAD,	      [OLD] = CHOOSE_OLD,
		[ENGINE_OLD] = CHOOSE_ENGINE, [ENGINE_NEW] = CHOOSE_ENGINE,
	};

	return of[verdict];
}

/* Goes through the releases, the newest first, until one may be brought. */
static int
find_target(const struct question *q, struct choose_result *result)
{
	int64_t above = result->target;

	for (size_t i = q->index->releases_len; i > 0; i--) {
		const struct index_release *release =
			&q->index->releases[i - 1];
		int64_t start_s = WAVE_NEVER;
		if (release->number <= above)
			break;
		if (judge(q, release->number) != FITS)
			continue;
		int r = find_start(q->host, release, &start_s);
		if (r < 0)
			return r;
		if (start_s <= q->host->now_s) {
			result->target = release->number;
			break;
		}
		if (!result->waiting) {
			result->waiting = release->number;
			result->waiting_s = start_s;
		}
	}
	return 0;
}

static void
find_newest(const struct question *q, struct choose_result *result)
{
	for (size_t i = q->index->releases_len; i > 0; i--) {
		int64_t number = q->index->releases[i - 1].number;
		if (index_revoked(q->index, number))
			continue;
		result->newest = number;
		return;
	}
}

static void
note_newest(const struct question *q, struct choose_result *result)
{
	enum verdict verdict = judge(q, result->newest);
	char when[DATE_SIZE];

	/* The index may be behind what is active, which is no news. */
	if (result->newest <= result->target)
		return;
	if (verdict != FITS) {
		explain(q, result->newest, verdict, &result->note);
		return;
	}
	if (date_write(when, result->waiting_s) < 0)
		(void)reason_set(&result->note, 0,
				 "release %" PRId64
				 " is not for this host yet: no wave that has "
				 "it is announced",
				 result->waiting);
	else
		(void)reason_set(&result->note, 0,
				 "release %" PRId64
				 " is for this host from %s on",
				 result->waiting, when);
}

static int
check_host(const struct choose_host *host, struct version *ret_engine,
	   struct reason *why)
{
	if (version_parse(host->engine, ret_engine) < 0)
		return reason_set(why, -EINVAL,
				  "\"%.64s\" is no version of an engine, like "
				  "0.1.0",
				  host->engine);
	if (host->place != CHOOSE_ANY_PLACE &&
	    (host->place < 0 || host->place > WAVE_PERCENT_MAX))
		return reason_set(why, -EINVAL,
				  "the place %d is not from 0 to %d; correct "
				  "[update] place",
				  host->place, WAVE_PERCENT_MAX);
	return 0;
}

int
choose_release(const struct index *index, const struct choose_host *host,
	       struct choose_result *ret_result, struct reason *why)
{
	struct question q = { index, host, { { 0 } } };
	struct choose_result result = { .waiting_s = 0 };
	enum verdict verdict = FITS;

	int r = check_host(host, &q.engine, why);
	if (r < 0)
		return r;
	if (host->active)
		verdict = judge(&q, host->active);
	result.active = active_of(verdict);
	explain(&q, host->active, verdict, &result.reason);
	if (result.active == CHOOSE_STAYS)
		result.target = host->active;
	r = find_target(&q, &result);
	if (r < 0)
		return r;
	find_newest(&q, &result);
	note_newest(&q, &result);
	*ret_result = result;
	return 0;
}
