/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "updater/repo/body.h"
#include "updater/repo/paper.h"
#include "updater/repo/say.h"
#include "updater/repo/signing.h"
#include "updater/tuf/metadata.h"

#define NAMES_SIZE 512

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

int
show_area(const struct repo *repo, enum repo_area area, struct reason *why)
{
	(void)why;
	say_line("%s:", repo_area_name(area));
	for (unsigned int i = 0; i < DUTY_LEN; i++)
		if (repo->staged[area].papers[i])
			show_paper(repo, repo->staged[area].papers[i]);
	return 0;
}

/* Names of those whose signatures are there. */
static void
name_signers(const struct paper *paper, const struct metadata *delegator,
	     char names[NAMES_SIZE])
{
	const struct doc_value *sigs = paper->metadata->sigs;

	names[0] = '\0';
	for (size_t i = 0; i < doc_len(sigs, NULL); i++) {
		size_t len = strlen(names);
		const char *id =
			doc_text_or(doc_item(sigs, NULL, i), "keyid", "");
		(void)snprintf(names + len, NAMES_SIZE - len, "%s%.64s",
			       len ? ", " : "",
			       set_key_name(delegator, paper->id, id));
	}
}

int
show_missing(const struct repo *repo, enum repo_area area, struct reason *why)
{
	struct signing_side sides[SIGNING_SIDES_MAX];
	char names[NAMES_SIZE];

	for (unsigned int i = 0; i < DUTY_LEN; i++) {
		const struct paper *paper = repo->staged[area].papers[i];
		if (!paper)
			continue;
		int len = signing_count(repo, area, paper, sides, why);
		if (len < 0)
			return len;
		for (int j = 0; j < len; j++) {
			name_signers(paper, sides[j].delegator, names);
			say_line("  %-9s %zu of %" PRId64 " signatures%s: %s",
				 duty_name(i), sides[j].good,
				 sides[j].threshold,
				 j ? " by the old root's keys" : "",
				 names[0] ? names : "none");
		}
	}
	return 0;
}
