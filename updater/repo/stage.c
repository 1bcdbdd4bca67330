/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/index.h"
#include "updater/release/version.h"
#include "updater/release/wave.h"
#include "updater/repo/args.h"
#include "updater/repo/body.h"
#include "updater/repo/content.h"
#include "updater/repo/draft.h"
#include "updater/repo/repo.h"
#include "updater/repo/say.h"
#include "updater/tuf/date.h"
#include "updater/tuf/reason.h"

/* The first version that takes signed releases. */
#define ENGINE_MIN "0.1.0"
#define START_SIZE 32
#define HOUR_S 3600
#define AHEAD_MAX 3650 /* of the unit */

/* "+2d", "+3h": how long from now.  Returns 0 or -EINVAL. */
static int
parse_ahead(const char *text, int64_t *ret_s)
{
	char number[START_SIZE];
	size_t len = strlen(text);
	uint64_t count;

	if (len < 3 || text[0] != '+')
		return -EINVAL;
	char unit = text[len - 1];
	(void)snprintf(number, sizeof(number), "%.*s", (int)len - 2, text + 1);
	if (str_number(number, AHEAD_MAX, &count) < 0 ||
	    (unit != 'h' && unit != 'd'))
		return -EINVAL;
	*ret_s = (int64_t)count * (unit == 'h' ? HOUR_S : BODY_DAY_S);
	return 0;
}

int
stage_parse_wave(const char *text, int64_t now_s, struct wave *ret_wave,
		 struct reason *why)
{
	const char *colon = strrchr(text, ':');
	char start[START_SIZE] = "";
	int64_t start_s = 0;
	uint64_t percent = 0;
	bool good = colon && colon - text < START_SIZE;

	if (good)
		(void)snprintf(start, sizeof(start), "%.*s",
			       (int)(colon - text), text);
	good = good && str_number(colon + 1, WAVE_PERCENT_MAX, &percent) == 0 &&
	       percent;
	if (good && str_equal(start, "now"))
		start_s = now_s;
	else if (good && parse_ahead(start, &start_s) == 0)
		start_s += now_s;
	else
		good = good && date_parse(start, &start_s) == 0;
	if (!good)
		return reason_set(
			why, -EINVAL,
			"%.80s is no wave: START:PERCENT, where START "
			"is now, +3h, +2d or 2026-12-01T00:00:00Z, and "
			"PERCENT from 1 to 100",
			text);
	*ret_wave = (struct wave){ start_s, (uint32_t)percent };
	return 0;
}

static int
read_waves(const struct args *args, int64_t now_s,
	   struct index_release *release, struct reason *why)
{
	const char *text;

	while (text = args_nth(args, ARGS_WAVE, release->waves_len), text) {
		if (release->waves_len == INDEX_WAVES_MAX)
			return reason_set(why, -EINVAL, "more than %d waves",
					  INDEX_WAVES_MAX);
		int r = stage_parse_wave(
			text, now_s, &release->waves[release->waves_len], why);
		if (r < 0)
			return r;
		release->waves_len++;
	}
	return 0;
}

static int
read_engines(const struct args *args, struct index_release *release,
	     struct reason *why)
{
	const char *min = args_text(args, ARGS_ENGINE_MIN);
	const char *max = args_text(args, ARGS_ENGINE_MAX);
	struct version version;

	min = min ? min : ENGINE_MIN;
	max = max ? max : "";
	if (version_parse(min, &version) < 0 ||
	    (max[0] && version_parse(max, &version) < 0) ||
	    str_copy(release->engine_min, VERSION_SIZE, min) < 0 ||
	    str_copy(release->engine_max, VERSION_SIZE, max) < 0)
		return reason_set(why, -EINVAL,
				  "%.40s or %.40s is no version of an agent: "
				  "0.1.0 is one",
				  min, max[0] ? max : min);
	return 0;
}

/* Drops what is staged only: a release that is staged now takes its place. */
static void
drop_pending(struct index *index, int64_t newest)
{
	while (index->releases_len &&
	       index->releases[index->releases_len - 1].number > newest)
		index->releases_len--;
}

static int
add_release(struct index *index, const struct index_release *release)
{
	if (index->releases_len == INDEX_RELEASES_MAX)
		memmove(index->releases, index->releases + 1,
			--index->releases_len * sizeof(index->releases[0]));
	index->releases[index->releases_len++] = *release;
	return 0;
}

static int
read_release(const struct args *args, const struct repo *repo,
	     struct index_release *release, struct reason *why)
{
	int64_t newest = release->number;

	release->number = newest + 1;
	release->created_s = repo->now_s;
	int r = args_number(args, ARGS_NUMBER, INDEX_NUMBER_MAX,
			    &release->number, why);
	if (r == 0 && release->number <= newest)
		r = reason_set(why, -EINVAL,
			       "release %" PRId64 " is published already, and "
			       "numbers only rise: from %" PRId64 " on",
			       newest, newest + 1);
	if (r == 0)
		r = read_engines(args, release, why);
	return r < 0 ? r : read_waves(args, repo->now_s, release, why);
}

static int
stage_release(const struct args *args, struct repo *repo, struct draft *draft,
	      struct reason *why)
{
	CLEANUP(doc_freep) struct doc *fresh = NULL;
	struct index_release release = { 0 };
	const char *description = args_text(args, ARGS_DESCRIPTION);

	int r = draft_newest(repo, &release.number, why);
	if (r < 0)
		return r;
	drop_pending(draft->index, release.number);
	r = read_release(args, repo, &release, why);
	if (r < 0)
		return r;
	const struct content content = {
		.number = release.number,
		.rules = args->operands[0],
		.vectors = args_text(args, ARGS_VECTORS),
		.description = description ? description : "",
	};
	r = content_stage(repo, draft->area, &content, &fresh, why);
	if (r == 0)
		r = add_release(draft->index, &release);
	if (r == 0)
		r = draft_stage(draft, fresh, false, why);
	if (r == 0)
		say_line("staged: release %" PRId64, release.number);
	return r;
}

int
stage_run(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(draft_done) struct draft draft = { 0 };
	bool renew = args_has(args, ARGS_RENEW);
	struct reason ignored;

	if (renew == (args->operands_len == 1))
		return reason_set(why, -EINVAL,
				  "usage: khien-repo stage DIR, or stage "
				  "--renew");
	int r = repo_open(args->repo, true, &repo, why);
	if (r == 0)
		r = draft_begin(&repo, REPO_STAGED, &draft, why);
	if (r < 0)
		return r;
	draft.renew_targets = renew;
	bool staged = repo_is_staged(&repo, REPO_STAGED);
	r = renew ? draft_stage(&draft, NULL, false, why) :
		    stage_release(args, &repo, &draft, why);
	/* What was begun is no use to anybody, and may fill the disk. */
	if (r < 0 && !staged)
		(void)repo_remove_area(&repo, REPO_STAGED, &ignored);
	return r;
}

static struct index_release *
find(struct index *index, int64_t number)
{
	return (struct index_release *)(uintptr_t)index_find(index, number);
}

static int
read_number(const struct args *args, int64_t *ret_number, struct reason *why)
{
	uint64_t number;

	if (str_number(args->operands[0], INDEX_NUMBER_MAX, &number) < 0 ||
	    !number)
		return reason_set(why, -EINVAL, "%.60s is no release's number",
				  args->operands[0]);
	*ret_number = (int64_t)number;
	return 0;
}

/* What has begun stays; what was to come is what is asked for now. */
static int
promote(const struct args *args, const struct repo *repo,
	struct index_release *release, struct reason *why)
{
	struct index_release now = { 0 };
	size_t begun = 0;

	int r = read_waves(args, repo->now_s, &now, why);
	if (r < 0)
		return r;
	if (!now.waves_len)
		now.waves[now.waves_len++] =
			(struct wave){ repo->now_s, WAVE_PERCENT_MAX };
	if (!release->waves_len)
		return reason_set(why, -EALREADY,
				  "release %" PRId64 " is for everyone already",
				  release->number);
	while (begun < release->waves_len &&
	       release->waves[begun].start_s < now.waves[0].start_s &&
	       release->waves[begun].percent < now.waves[0].percent)
		begun++;
	if (begun + now.waves_len > INDEX_WAVES_MAX)
		return reason_set(why, -EINVAL, "more than %d waves",
				  INDEX_WAVES_MAX);
	memcpy(release->waves + begun, now.waves,
	       now.waves_len * sizeof(now.waves[0]));
	release->waves_len = begun + now.waves_len;
	return 0;
}

/* Opens an urgent draft, and finds the published release that it is about. */
static int
begin_urgent(const struct args *args, struct repo *repo, struct draft *draft,
	     struct index_release **ret_release, struct reason *why)
{
	int64_t number = 0;

	int r = read_number(args, &number, why);
	if (r == 0)
		r = repo_open(args->repo, true, repo, why);
	if (r == 0)
		r = draft_begin(repo, REPO_URGENT, draft, why);
	if (r < 0)
		return r;
	*ret_release = find(draft->index, number);
	if (!*ret_release)
		return reason_set(why, -ENOENT,
				  "release %" PRId64 " is not published",
				  number);
	return 0;
}

static int
end_urgent(struct draft *draft, int64_t number, const char *what,
	   struct reason *why)
{
	int r = draft_stage(draft, NULL, false, why);

	if (r == 0)
		say_line("staged: release %" PRId64 " %s; now sign (keys of "
			 "channel) and publish",
			 number, what);
	return r;
}

int
stage_promote(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(draft_done) struct draft draft = { 0 };
	struct index_release *release;

	int r = begin_urgent(args, &repo, &draft, &release, why);
	if (r == 0)
		r = promote(args, &repo, release, why);
	return r < 0 ? r :
		       end_urgent(&draft, release->number, "is promoted", why);
}

int
stage_withdraw(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(draft_done) struct draft draft = { 0 };
	const char *reason = args_text(args, ARGS_REASON);
	struct index_release *release;

	if (!reason)
		return reason_set(why, -EINVAL,
				  "option --reason TEXT is missing: endpoints "
				  "show it");
	int r = begin_urgent(args, &repo, &draft, &release, why);
	if (r < 0)
		return r;
	struct index *index = draft.index;
	if (index_revoked(index, release->number))
		return reason_set(why, -EALREADY,
				  "release %" PRId64 " is taken back already",
				  release->number);
	if (index->revoked_len == INDEX_REVOKED_MAX)
		memmove(index->revoked, index->revoked + 1,
			--index->revoked_len * sizeof(index->revoked[0]));
	struct index_revoked *revoked = &index->revoked[index->revoked_len++];
	revoked->number = release->number;
	if (str_copy(revoked->reason, sizeof(revoked->reason), reason) < 0)
		return reason_set(why, -EINVAL,
				  "the reason is longer than %d bytes",
				  INDEX_REASON_MAX);
	return end_urgent(&draft, release->number, "is taken back", why);
}
