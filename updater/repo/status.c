/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/index.h"
#include "updater/repo/args.h"
#include "updater/repo/body.h"
#include "updater/repo/change.h"
#include "updater/repo/draft.h"
#include "updater/repo/paper.h"
#include "updater/repo/repo.h"
#include "updater/repo/say.h"
#include "updater/repo/show.h"
#include "updater/tuf/reason.h"

/* Percent of a life: the marks at which agents raise their alarm, too. */
#define HALF 50
#define MOST 80
#define OVER 100

static const char *
advice(enum duty_id id)
{
	if (id == DUTY_ROOT)
		return "rotate --renew, sign, publish";
	if (id == DUTY_SNAPSHOT || id == DUTY_TIMESTAMP)
		return "refresh, which should run every day";
	return "stage --renew, sign, publish";
}

static struct doc *
describe_role(const struct paper *paper, int64_t now_s)
{
	char issued[BODY_DATE_SIZE], expires[BODY_DATE_SIZE];
	struct doc *one = doc_new();

	body_date(issued, paper_issued_s(paper));
	body_date(expires, paper->metadata->expires_s);
	doc_set_text(one, "role", duty_name(paper->id));
	doc_set_number(one, "version", paper->metadata->version);
	doc_set_text(one, "issued", issued);
	doc_set_text(one, "expires", expires);
	doc_set_number(one, "days_left",
		       (paper->metadata->expires_s - now_s) / BODY_DAY_S);
	doc_set_number(one, "age_percent", body_age(paper, now_s));
	if (body_age(paper, now_s) >= HALF)
		doc_set_text(one, "do", advice(paper->id));
	return one;
}

static int
describe_releases(const struct repo *repo, struct doc *doc, struct reason *why)
{
	CLEANUP(index_freep) struct index *index = NULL;
	char created[BODY_DATE_SIZE];

	int r = draft_index(repo, NULL, REPO_STAGED, &index, why);
	for (size_t i = 0; r == 0 && i < index->releases_len; i++) {
		const struct index_release *release = &index->releases[i];
		const char *revoked = index_revoked(index, release->number);
		struct doc *one = doc_new();
		body_date(created, release->created_s);
		doc_set_number(one, "number", release->number);
		doc_set_text(one, "created", created);
		doc_set(one, "waves", change_waves(release));
		doc_set_number(one, "percent_now",
			       revoked ? 0 :
					 wave_percent(release->waves,
						      release->waves_len,
						      repo->now_s));
		if (revoked)
			doc_set_text(one, "withdrawn", revoked);
		doc_add(doc, "releases", one);
	}
	return r;
}

static int
describe_staged(const struct repo *repo, struct doc *doc, struct reason *why)
{
	for (unsigned int i = 0; i < REPO_AREAS; i++) {
		struct doc *list;
		if (!repo_is_staged(repo, i))
			continue;
		int r = show_signatures(repo, i, &list, why);
		if (r < 0)
			return r;
		doc_set(doc, repo_area_name(i), list);
	}
	return 0;
}

static int
describe(const struct repo *repo, struct doc *doc, struct reason *why)
{
	doc_set_bool(doc, "hybrid", repo->settings.hybrid);
	for (unsigned int i = 0; i < DUTY_LEN; i++)
		if (repo->published.papers[i])
			doc_add(doc, "roles",
				describe_role(repo->published.papers[i],
					      repo->now_s));
	int r = describe_releases(repo, doc, why);
	return r < 0 ? r : describe_staged(repo, doc, why);
}

static void
say_role(const struct doc_value *one)
{
	int64_t age = doc_number_or(one, "age_percent", 0);

	say_line("  %-9s version %" PRId64 ", good until %s (%" PRId64
		 " days, %" PRId64 " %% of its life is over)",
		 doc_text_or(one, "role", ""), doc_number_or(one, "version", 0),
		 doc_text_or(one, "expires", ""),
		 doc_number_or(one, "days_left", 0), age);
}

/* Bins are told only when they need something. */
static void
say_roles(const struct doc_value *doc)
{
	for (size_t i = 0; i < doc_len(doc, "roles"); i++) {
		const struct doc_value *one = doc_item(doc, "roles", i);
		if (!str_starts(doc_text_or(one, "role", ""), "rules-"))
			say_role(one);
	}
	for (size_t i = 0; i < doc_len(doc, "roles"); i++) {
		const struct doc_value *one = doc_item(doc, "roles", i);
		int64_t age = doc_number_or(one, "age_percent", 0);
		if (age < HALF)
			continue;
		say_line("%s: %s %s: %s", age >= MOST ? "WARNING" : "note",
			 doc_text_or(one, "role", ""),
			 age >= OVER ? "has expired" :
			 age >= MOST ? "has lived four fifths of its life" :
				       "has lived half of its life",
			 doc_text_or(one, "do", ""));
	}
}

static void
say_releases(const struct doc_value *doc)
{
	for (size_t i = 0; i < doc_len(doc, "releases"); i++) {
		const struct doc_value *one = doc_item(doc, "releases", i);
		const char *withdrawn = doc_text(one, "withdrawn");
		say_line("  release %" PRId64 " of %s: %" PRId64
			 " %% of hosts may run it%s%s",
			 doc_number_or(one, "number", 0),
			 doc_text_or(one, "created", ""),
			 doc_number_or(one, "percent_now", 0),
			 withdrawn ? "; taken back: " : "",
			 withdrawn ? withdrawn : "");
	}
}

static int
say_all(const struct repo *repo, const struct doc_value *doc,
	struct reason *why)
{
	say_line("published%s:", repo->settings.hybrid ? " (hybrid)" : "");
	if (!doc_len(doc, "roles"))
		say_line("  nothing");
	say_roles(doc);
	say_releases(doc);
	for (unsigned int i = 0; i < REPO_AREAS; i++) {
		if (!repo_is_staged(repo, i))
			continue;
		say_line("%s:", repo_area_name(i));
		int r = show_missing(repo, i, why);
		if (r < 0)
			return r;
	}
	return 0;
}

int
status_run(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	int code = 0;

	int r = repo_open(args->repo, false, &repo, why);
	if (r == 0)
		r = describe(&repo, doc, why);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < DUTY_LEN; i++)
		if (repo.published.papers[i] &&
		    body_age(repo.published.papers[i], repo.now_s) >= MOST)
			code = 1;
	if (args_has(args, ARGS_JSON))
		say_json(doc);
	else
		r = say_all(&repo, doc_root(doc), why);
	return r < 0 ? r : code;
}
