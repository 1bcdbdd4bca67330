/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/args.h"
#include "updater/repo/body.h"
#include "updater/repo/change.h"
#include "updater/repo/paper.h"
#include "updater/repo/say.h"
#include "updater/repo/signing.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/reason.h"

#define LINE_SIZE 512

static void
show_paper(const struct repo *repo, const struct paper *paper)
{
	char expires[BODY_DATE_SIZE];

	body_date(expires, paper->metadata->expires_s);
	say_line("  %-9s version %" PRId64 " (published: %" PRId64
		 "), good until %s",
		 duty_name(paper->id), paper->metadata->version,
		 set_version(&repo->published, paper->id), expires);
}

/* Bins say nothing that the release does not. */
static void
show_papers(const struct repo *repo, enum repo_area area)
{
	const struct set *staged = &repo->staged[area];
	size_t bins = 0;

	for (unsigned int i = 0; i < DUTY_LEN; i++)
		if (staged->papers[i] && i >= DUTY_BIN)
			bins++;
		else if (staged->papers[i])
			show_paper(repo, staged->papers[i]);
	if (bins)
		say_line("  rules     %zu of %d lists change", bins, DUTY_BINS);
}

static void
show_rules(const struct doc_value *change, const char *list, const char *sign)
{
	for (size_t i = 0; i < doc_len(change, list); i++) {
		const struct doc_value *rule = doc_item(change, list, i);
		say_line("  %s %s (sha256 %.16s)", sign,
			 doc_text_or(rule, "path", ""),
			 doc_text_or(rule, "sha256", ""));
	}
}

/* "a, b" */
static void
join(const struct doc_value *list, char dst[LINE_SIZE])
{
	dst[0] = '\0';
	for (size_t i = 0; i < doc_len(list, NULL); i++) {
		size_t len = strlen(dst);
		(void)snprintf(dst + len, LINE_SIZE - len, "%s%s",
			       len ? ", " : "",
			       doc_text(doc_item(list, NULL, i), NULL));
	}
}

static void
show_keys(const struct doc_value *change)
{
	char added[LINE_SIZE], removed[LINE_SIZE];

	for (size_t i = 0; i < doc_len(change, "keys"); i++) {
		const struct doc_value *one = doc_item(change, "keys", i);
		join(doc_member(one, "added"), added);
		join(doc_member(one, "removed"), removed);
		say_line("  keys of %s: %" PRId64 " must sign (before: %" PRId64
			 ")%s%s%s%s",
			 doc_text_or(one, "role", ""),
			 doc_number_or(one, "threshold", 0),
			 doc_number_or(one, "was", 0), added[0] ? ", + " : "",
			 added, removed[0] ? ", - " : "", removed);
	}
}

static void
show_waves(const struct doc_value *change)
{
	for (size_t i = 0; i < doc_len(change, "waves"); i++) {
		const struct doc_value *one = doc_item(change, "waves", i);
		for (size_t j = 0; j < doc_len(one, "waves"); j++) {
			const struct doc_value *wave =
				doc_item(one, "waves", j);
			say_line("  release %" PRId64 ": %" PRId64
				 " %% of hosts from %s on",
				 doc_number_or(one, "number", 0),
				 doc_number_or(wave, "percent", 0),
				 doc_text_or(wave, "start", ""));
		}
	}
}

static void
show_change(const struct doc_value *change)
{
	if (doc_is_object(change, "release"))
		say_line("  release %" PRId64 ": %" PRId64
			 " rule files, %" PRId64 " vectors; %s",
			 doc_number_or(change, "release.number", 0),
			 doc_number_or(change, "release.rules", 0),
			 doc_number_or(change, "release.vectors", 0),
			 doc_text_or(change, "release.description", ""));
	show_rules(change, "added", "+");
	show_rules(change, "changed", "~");
	show_rules(change, "removed", "-");
	show_waves(change);
	for (size_t i = 0; i < doc_len(change, "withdrawn"); i++) {
		const struct doc_value *one = doc_item(change, "withdrawn", i);
		say_line("  release %" PRId64 " is taken back: %s",
			 doc_number_or(one, "number", 0),
			 doc_text_or(one, "reason", ""));
	}
	show_keys(change);
}

int
show_area(struct repo *repo, enum repo_area area, struct reason *why)
{
	CLEANUP(doc_freep) struct doc *change = NULL;

	int r = change_of(repo, area, &change, why);
	if (r < 0)
		return r;
	say_line("%s:", repo_area_name(area));
	show_papers(repo, area);
	show_change(doc_root(change));
	return 0;
}

static struct doc *
names_of(const struct paper *paper, const struct metadata *delegator)
{
	const struct doc_value *sigs = paper->metadata->sigs;
	struct doc *names = doc_new_list();

	for (size_t i = 0; i < doc_len(sigs, NULL); i++)
		doc_add_text(names, NULL,
			     set_key_name(delegator, paper->id,
					  doc_text_or(doc_item(sigs, NULL, i),
						      "keyid", "")));
	return names;
}

static int
add_paper(const struct repo *repo, enum repo_area area,
	  const struct paper *paper, struct doc *list, struct reason *why)
{
	struct signing_side sides[SIGNING_SIDES_MAX];
	struct doc *one;

	int len = signing_count(repo, area, paper, sides, why);
	if (len < 0)
		return len;
	one = doc_new();
	doc_set_text(one, "role", duty_name(paper->id));
	doc_set_number(one, "version", paper->metadata->version);
	for (int i = 0; i < len; i++) {
		struct doc *side = doc_new();
		doc_set_number(side, "signatures", (int64_t)sides[i].good);
		doc_set_number(side, "threshold", sides[i].threshold);
		doc_set_bool(side, "wrong", sides[i].wrong);
		doc_set(side, "names", names_of(paper, sides[i].delegator));
		doc_add(one, "sides", side);
	}
	doc_add(list, NULL, one);
	return 0;
}

int
show_signatures(const struct repo *repo, enum repo_area area,
		struct doc **ret_doc, struct reason *why)
{
	CLEANUP(doc_freep) struct doc *list = doc_new_list();
	int r = 0;

	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++)
		if (repo->staged[area].papers[i])
			r = add_paper(repo, area, repo->staged[area].papers[i],
				      list, why);
	if (r == 0)
		*ret_doc = TAKE(list);
	return r;
}

static void
write_side(const struct doc_value *paper, size_t at, char dst[LINE_SIZE])
{
	const struct doc_value *side = doc_item(paper, "sides", at);
	int64_t good = doc_number_or(side, "signatures", 0);
	int64_t threshold = doc_number_or(side, "threshold", 0);
	char names[LINE_SIZE];

	join(doc_member(side, "names"), names);
	(void)snprintf(
		dst, LINE_SIZE,
		"%" PRId64 " of %" PRId64 " signatures%s%s: %.300s%s", good,
		threshold, at ? " by keys of the old root" : "",
		good < threshold ? "" : ", enough", names[0] ? names : "none",
		doc_true(side, "wrong") ? " (one of them is wrong)" : "");
}

/* Bins that say the same as the one before are not told again. */
int
show_missing(const struct repo *repo, enum repo_area area, struct reason *why)
{
	char line[LINE_SIZE], before[LINE_SIZE] = "";
	CLEANUP(doc_freep) struct doc *list = NULL;

	int r = show_signatures(repo, area, &list, why);
	if (r < 0)
		return r;
	for (size_t i = 0; i < doc_len(doc_root(list), NULL); i++) {
		const struct doc_value *one = doc_item(doc_root(list), NULL, i);
		const char *role = doc_text_or(one, "role", "");
		bool bin = str_starts(role, "rules-");
		for (size_t j = 0; j < doc_len(one, "sides"); j++) {
			write_side(one, j, line);
			if (!bin || !str_equal(line, before))
				say_line("  %-9s %s", bin ? "rules" : role,
					 line);
			if (bin)
				memcpy(before, line, sizeof(before));
		}
	}
	return 0;
}

static int
show_json(struct repo *repo, enum repo_area area, struct reason *why)
{
	CLEANUP(doc_freep) struct doc *change = NULL;

	int r = change_of(repo, area, &change, why);
	if (r < 0)
		return r;
	doc_set_text(change, "area", repo_area_name(area));
	say_json(change);
	return 0;
}

int
show_run(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	bool any = false;

	int r = repo_open(args->repo, false, &repo, why);
	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++) {
		if (!repo_is_staged(&repo, i))
			continue;
		any = true;
		r = args_has(args, ARGS_JSON) ? show_json(&repo, i, why) :
						show_area(&repo, i, why);
	}
	if (r == 0 && !any && !args_has(args, ARGS_JSON))
		say_line("nothing is staged");
	return r;
}
