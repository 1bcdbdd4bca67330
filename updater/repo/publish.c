/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/args.h"
#include "updater/repo/body.h"
#include "updater/repo/draft.h"
#include "updater/repo/outcome.h"
#include "updater/repo/paper.h"
#include "updater/repo/repo.h"
#include "updater/repo/say.h"
#include "updater/repo/secret.h"
#include "updater/repo/server.h"
#include "updater/repo/show.h"
#include "updater/repo/signing.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"

#define HALF 50 /* percent of a life */

static int
check_signed(const struct repo *repo, enum repo_area area,
	     const struct paper *paper, struct reason *why)
{
	struct signing_side sides[SIGNING_SIDES_MAX];

	int len = signing_count(repo, area, paper, sides, why);
	if (len < 0)
		return reason_about(why, len, duty_name(paper->id));
	for (int i = 0; i < len; i++)
		if ((int64_t)sides[i].good < sides[i].threshold)
			return reason_set(
				why, -EKEYREJECTED,
				"%s has %zu of %" PRId64 " signatures%s: "
				"khien-repo sign adds one, khien-repo status "
				"says whose are there",
				duty_name(paper->id), sides[i].good,
				sides[i].threshold,
				i ? " by the keys of the root before" : "");
	return 0;
}

static int
check_all_signed(const struct repo *repo, enum repo_area area,
		 struct reason *why)
{
	int r = 0;

	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++)
		if (repo->staged[area].papers[i])
			r = check_signed(repo, area,
					 repo->staged[area].papers[i], why);
	return r;
}

/* Makes a snapshot or timestamp, and signs it. */
static int
put_online(struct repo *repo, enum repo_area area, enum duty_id id,
	   struct doc *meta, const struct secrets *secrets, struct reason *why)
{
	struct set *next = &repo->staged[area];
	struct doc *body =
		body_new(id, set_version(&repo->published, id) + 1, repo->now_s,
			 repo->settings.days[duty_office(id)]);
	struct paper *paper;
	size_t count;

	doc_set(body, "meta", meta);
	int r = paper_new(id, body, &paper, why);
	if (r < 0)
		return reason_about(why, r, duty_name(id));
	set_put(next, paper);
	const struct paper *root = set_get(next, &repo->published, DUTY_ROOT);
	r = secrets_sign(secrets, paper, root->metadata, &count, why);
	if (r == 0 && !count)
		r = reason_set(why, -ENOKEY,
			       "the key is not one of %s's: --key names the "
			       "online key's file",
			       duty_name(id));
	return r;
}

static int
put_snapshot(struct repo *repo, enum repo_area area,
	     const struct secrets *secrets, struct reason *why)
{
	struct doc *meta = doc_new_flat();

	for (unsigned int i = 0; i < DUTY_LEN; i++) {
		const struct paper *paper =
			set_get(&repo->staged[area], &repo->published, i);
		if (paper && duty_type(i) == METADATA_TARGETS)
			body_list(meta, paper);
	}
	return put_online(repo, area, DUTY_SNAPSHOT, meta, secrets, why);
}

static int
put_timestamp(struct repo *repo, enum repo_area area,
	      const struct secrets *secrets, struct reason *why)
{
	struct doc *meta = doc_new_flat();

	body_list(meta, set_get(&repo->staged[area], &repo->published,
				DUTY_SNAPSHOT));
	return put_online(repo, area, DUTY_TIMESTAMP, meta, secrets, why);
}

/* Refuses what a client of ours would refuse: one that begins, and one that
   has seen what is published now. */
static int
ask_clients(const struct repo *repo, enum repo_area area, struct reason *why)
{
	const struct outcome outcome = { .repo = repo,
					 .next = &repo->staged[area],
					 .area = area };
	struct outcome_seen seen;
	char cause[REASON_SIZE];

	int r = outcome_follow(&outcome, why);
	if (r == 0)
		r = outcome_walk(&outcome, &seen, why);
	if (r == 0)
		return 0;
	memcpy(cause, why->text, sizeof(cause));
	return reason_set(
		why, r,
		"clients would refuse this, so nothing was published: "
		"%.500s",
		cause[0] ? cause : strerror(-r));
}

/* The key that this machine signs with from now on. */
static int
remember_key(struct repo *repo, const struct args *args, struct reason *why)
{
	const char *path = args_text(args, ARGS_KEY_FILE);
	struct settings *settings = &repo->settings;
	char real[PATH_MAX];

	if (!path || args_nth(args, ARGS_KEY_FILE, 1) ||
	    !realpath(path, real) || str_equal(real, settings->online) ||
	    str_copy(settings->online, sizeof(settings->online), real) < 0)
		return 0;
	int r = settings_write(repo->dir, settings);
	return r < 0 ? reason_set(why, r, SETTINGS_FILE ": %s", strerror(-r)) :
		       0;
}

/* Signs what is online's, asks the clients, and shows it to the world. */
static int
put_out(const struct args *args, struct repo *repo, enum repo_area area,
	bool with_snapshot, struct reason *why)
{
	const struct policy policy = { .hybrid = repo->settings.hybrid };
	CLEANUP(secrets_done) struct secrets secrets = { 0 };

	int r = policy_check_machine(&policy, why);
	if (r == 0)
		r = secrets_open(&secrets, args, repo->dir,
				 repo->settings.online, why);
	if (r == 0 && with_snapshot)
		r = put_snapshot(repo, area, &secrets, why);
	if (r == 0)
		r = put_timestamp(repo, area, &secrets, why);
	if (r == 0)
		r = check_all_signed(repo, area, why);
	if (r == 0)
		r = ask_clients(repo, area, why);
	if (r == 0)
		r = server_write(repo, area, why);
	return r < 0 ? r : remember_key(repo, args, why);
}

/* See draft_rebase(): at once, so that nobody signs in vain. */
static int
rebase(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };

	int r = repo_open(args->repo, true, &repo, why);
	return r < 0 ? r : draft_rebase(&repo, why);
}

static int
publish(const struct args *args, enum repo_area *ret_area, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	enum repo_area area = REPO_STAGED;

	int r = repo_open(args->repo, true, &repo, why);
	if (r == 0)
		r = draft_rebase(&repo, why);
	if (r == 0 && repo_is_staged(&repo, REPO_URGENT))
		area = REPO_URGENT;
	if (r == 0 && !repo_is_staged(&repo, area))
		r = reason_set(why, -ENOENT,
			       "nothing is staged: stage, promote, withdraw or "
			       "rotate come first; refresh only renews");
	if (r == 0)
		r = signing_check_versions(&repo, area, why);
	if (r == 0)
		r = signing_check_targets(&repo, area, why);
	if (r == 0)
		r = check_all_signed(&repo, area, why);
	if (r == 0)
		r = put_out(args, &repo, area, true, why);
	if (r == 0)
		say_line("published: timestamp %" PRId64,
			 repo.staged[area]
				 .papers[DUTY_TIMESTAMP]
				 ->metadata->version);
	if (r == 0)
		r = repo_remove_area(&repo, area, why);
	*ret_area = area;
	return r;
}

int
publish_run(const struct args *args, struct reason *why)
{
	enum repo_area area;

	int r = publish(args, &area, why);
	if (r == 0 && area == REPO_URGENT)
		r = rebase(args, why);
	return r;
}

int
publish_refresh(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };

	int r = repo_open(args->repo, true, &repo, why);
	if (r < 0)
		return r;
	const struct paper *snapshot = repo.published.papers[DUTY_SNAPSHOT];
	if (!snapshot)
		return reason_set(why, -ENOENT,
				  "nothing is published that could be renewed");
	return put_out(args, &repo, REPO_ONLINE,
		       body_age(snapshot, repo.now_s) >= HALF, why);
}

int
publish_verify(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	struct outcome_seen seen;

	int r = repo_open(args->repo, true, &repo, why);
	const struct outcome outcome = { .repo = &repo };
	if (r == 0)
		r = outcome_walk(&outcome, &seen, why);
	if (r == 0)
		say_line("good: root %" PRId64 ", %" PRId64
			 " releases, %" PRId64 " targets, %" PRIu64 " bytes",
			 seen.root, seen.releases, seen.targets, seen.bytes);
	return r;
}
