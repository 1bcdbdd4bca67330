/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/init.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/args.h"
#include "updater/repo/charter.h"
#include "updater/repo/draft.h"
#include "updater/repo/files.h"
#include "updater/repo/repo.h"
#include "updater/repo/say.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"

/* What each office takes its keys from, when it is given none of its own. */
static const struct {
	enum duty_office office, otherwise;
	enum args_option keys, threshold;
	bool few; /* as few as may be, by default; else most of them */
} offices[] = {
	{ DUTY_OFFICE_ROOT, DUTY_OFFICE_ROOT, ARGS_ROOT, ARGS_ROOT_THRESHOLD,
	  false },
	{ DUTY_OFFICE_TARGETS, DUTY_OFFICE_ROOT, ARGS_TARGETS,
	  ARGS_TARGETS_THRESHOLD, false },
	{ DUTY_OFFICE_CHANNEL, DUTY_OFFICE_TARGETS, ARGS_CHANNEL,
	  ARGS_CHANNEL_THRESHOLD, true },
	{ DUTY_OFFICE_SNAPSHOT, DUTY_OFFICE_SNAPSHOT, ARGS_ONLINE, ARGS_OPTIONS,
	  true },
	{ DUTY_OFFICE_TIMESTAMP, DUTY_OFFICE_SNAPSHOT, ARGS_ONLINE,
	  ARGS_OPTIONS, true },
};

static const struct {
	enum args_option option;
	enum duty_office office;
} days[] = {
	{ ARGS_ROOT_DAYS, DUTY_OFFICE_ROOT },
	{ ARGS_TARGETS_DAYS, DUTY_OFFICE_TARGETS },
	{ ARGS_CHANNEL_DAYS, DUTY_OFFICE_CHANNEL },
	{ ARGS_SNAPSHOT_DAYS, DUTY_OFFICE_SNAPSHOT },
	{ ARGS_TIMESTAMP_DAYS, DUTY_OFFICE_TIMESTAMP },
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* NAME.key beside NAME.pub, if it is there: its absolute path. */
static void
find_online(const char *public, struct settings *settings)
{
	char path[PATH_MAX], real[PATH_MAX];
	size_t len = strlen(public);

	if (len < 4 || len >= sizeof(path) ||
	    !str_equal(public + len - 4, ".pub"))
		return;
	(void)snprintf(path, sizeof(path), "%.*s.key", (int)(len - 4), public);
	if (realpath(path, real) &&
	    str_copy(settings->online, sizeof(settings->online), real) < 0)
		settings->online[0] = '\0';
}

static int
read_settings(const struct args *args, struct settings *settings,
	      struct reason *why)
{
	const struct policy policy = { .hybrid = args_has(args, ARGS_HYBRID) };
	int r = policy_check_machine(&policy, why);

	settings_init(settings);
	settings->hybrid = policy.hybrid;
	for (size_t i = 0; i < LEN(days) && r == 0; i++)
		r = args_number(args, days[i].option, SETTINGS_DAYS_MAX,
				&settings->days[days[i].office], why);
	if (r < 0)
		return r;
	if (!args_has(args, ARGS_ROOT) || !args_has(args, ARGS_ONLINE))
		return reason_set(
			why, -EINVAL,
			"options --root PUB (one for each person) and "
			"--online PUB are missing: khien-repo key new "
			"makes keys");
	find_online(args_nth(args, ARGS_ONLINE, 0), settings);
	return 0;
}

static int
fill_office(const struct args *args, struct charter *charter, size_t which,
	    bool hybrid, struct reason *why)
{
	struct charter_office *office =
		&charter->offices[offices[which].office];
	int r = 0;

	for (size_t i = 0; args_nth(args, offices[which].keys, i) && r == 0;
	     i++) {
		size_t at;
		r = charter_add_file(charter,
				     args_nth(args, offices[which].keys, i),
				     &at, why);
		if (r == 0)
			office->has[at] = true;
	}
	if (r < 0)
		return r;
	if (!charter_count(charter, offices[which].office))
		*office = charter->offices[offices[which].otherwise];
	int64_t count = (int64_t)charter_count(charter, offices[which].office);
	bool both = hybrid && offices[which].keys != ARGS_ONLINE;
	office->threshold = offices[which].few ? 1 + both : count / 2 + 1;
	if (offices[which].threshold == ARGS_OPTIONS)
		return 0;
	return args_number(args, offices[which].threshold, CHARTER_KEYS_MAX,
			   &office->threshold, why);
}

static void
say_offices(const struct charter *charter)
{
	assert(charter);
	for (unsigned int i = 0; i < DUTY_OFFICES; i++)
		say_line("%-9s %" PRId64 " of %zu must sign",
			 duty_office_name(i), charter->offices[i].threshold,
			 charter_count(charter, i));
}

static int
fill(const struct args *args, struct charter *charter, bool hybrid,
     struct reason *why)
{
	int r = 0;

	for (size_t i = 0; i < LEN(offices) && r == 0; i++)
		r = fill_office(args, charter, i, hybrid, why);
	return r < 0 ? r : charter_check(charter, hybrid, why);
}

/* Settings come last: until then it is no repository, and init begins anew. */
static int
create(const struct args *args, const struct settings *settings,
       const struct charter *charter, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(draft_done) struct draft draft = { 0 };

	int r = repo_create(args->repo, settings, &repo, why);
	if (r == 0)
		r = repo_remove_area(&repo, REPO_STAGED, why);
	if (r == 0)
		r = draft_begin(&repo, REPO_STAGED, &draft, why);
	if (r == 0)
		r = charter_copy(draft.charter, charter);
	if (r == 0)
		r = draft_stage(&draft, NULL, true, why);
	if (r < 0)
		return r;
	r = settings_write(repo.dir, settings);
	return r < 0 ? reason_set(why, r, SETTINGS_FILE ": %s", strerror(-r)) :
		       0;
}

int
init_run(const struct args *args, struct reason *why)
{
	CLEANUP(charter_freep) struct charter *charter = charter_new();
	struct settings settings;

	if (!charter)
		return -ENOMEM;
	int r = read_settings(args, &settings, why);
	if (r == 0)
		r = fill(args, charter, settings.hybrid, why);
	if (r == 0)
		r = create(args, &settings, charter, why);
	if (r < 0)
		return r;
	say_offices(charter);
	say_line("staged: now each person signs (khien-repo sign --key FILE), "
		 "then publish; a first release may be staged before");
	return 0;
}

static int
change_keys(const struct args *args, struct charter *charter,
	    enum duty_office office, struct reason *why)
{
	size_t at;
	int r = 0;

	for (size_t i = 0; args_nth(args, ARGS_REMOVE, i) && r == 0; i++) {
		r = charter_find(charter, args_nth(args, ARGS_REMOVE, i), &at,
				 why);
		if (r == 0 && !charter->offices[office].has[at])
			r = reason_set(why, -ENOENT, "%s has no key called %s",
				       duty_office_name(office),
				       charter->keys[at].name);
		if (r == 0)
			charter->offices[office].has[at] = false;
	}
	for (size_t i = 0; args_nth(args, ARGS_ADD, i) && r == 0; i++) {
		r = charter_add_file(charter, args_nth(args, ARGS_ADD, i), &at,
				     why);
		if (r == 0)
			charter->offices[office].has[at] = true;
	}
	return r < 0 ? r :
		       args_number(args, ARGS_THRESHOLD, CHARTER_KEYS_MAX,
				   &charter->offices[office].threshold, why);
}

static int
change(const struct args *args, struct charter *charter, struct reason *why)
{
	bool asked = args_has(args, ARGS_ADD) || args_has(args, ARGS_REMOVE) ||
		     args_has(args, ARGS_THRESHOLD);
	enum duty_office office;

	if (!args->operands_len && args_has(args, ARGS_RENEW) && !asked)
		return 0;
	if (!args->operands_len || !asked)
		return reason_set(why, -EINVAL,
				  "usage: khien-repo rotate ROLE [--add PUB] "
				  "[--remove NAME] [--threshold N], or rotate "
				  "--renew");
	if (duty_office_find(args->operands[0], &office) < 0)
		return reason_set(why, -EINVAL,
				  "no role is called %.60s: root, targets, "
				  "channel, snapshot and timestamp are",
				  args->operands[0]);
	return change_keys(args, charter, office, why);
}

int
init_rotate(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(draft_done) struct draft draft = { 0 };

	int r = repo_open(args->repo, true, &repo, why);
	if (r == 0)
		r = draft_begin(&repo, REPO_STAGED, &draft, why);
	if (r == 0)
		r = change(args, draft.charter, why);
	draft.renew_root = args_has(args, ARGS_RENEW);
	if (r == 0)
		r = draft_stage(&draft, NULL, true, why);
	if (r < 0)
		return r;
	say_offices(draft.charter);
	say_line(
		"staged: now old and new keys of root sign, and those of every "
		"role that khien-repo status names");
	return 0;
}
