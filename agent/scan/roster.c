/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/roster.h"

#include <stdint.h>

#include "agent/lib/msg.h"
#include "agent/scan/rules.h"
#include "agent/scan/yara.h"

/* First all rules, then all files with an error. */
static void
find_failure(struct roster *roster)
{
	while (roster->file < roster->rules->len &&
	       !rules_is_failure(&roster->rules->files[roster->file]))
		roster->file++;
}

static size_t
count(const struct roster *roster)
{
	size_t len = yara_rules_len(roster->yara) + roster->failures;

	return len > 0 ? len : 1;
}

void
roster_begin(struct roster *roster, const struct rules *rules,
	     const struct yara *yara)
{
	*roster = (struct roster){ .rules = rules, .yara = yara };
	for (size_t i = 0; i < rules->len; i++)
		if (rules_is_failure(&rules->files[i]))
			roster->failures++;
	find_failure(roster);
}

bool
roster_is_done(const struct roster *roster)
{
	return roster->next == count(roster);
}

void
roster_put(const struct roster *roster, struct buf *buf)
{
	struct msg_rule message = {
		.error = "",
		.number = (uint32_t)roster->next,
		.last = roster->next + 1 == count(roster),
	};

	if (roster->rule < yara_rules_len(roster->yara)) {
		const struct msg_about *about =
			yara_about(roster->yara, roster->rule);
		message.rule = *yara_rule(roster->yara, roster->rule);
		if (about)
			message.about = *about;
	} else if (roster->file < roster->rules->len) {
		const struct rules_file *file =
			&roster->rules->files[roster->file];
		message.rule.ruleset = file->path;
		message.error = file->error;
	} else {
		message.error = "there are no rules";
	}
	msg_put_rule(buf, &message);
}

void
roster_step(struct roster *roster)
{
	roster->next++;
	if (roster->rule < yara_rules_len(roster->yara)) {
		roster->rule++;
		return;
	}
	roster->file++;
	find_failure(roster);
}
