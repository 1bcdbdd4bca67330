/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/report.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

static struct doc *
flags_write(uint32_t flags)
{
	struct doc *list = doc_new_list();

	if (flags & MSG_PARTIAL)
		doc_add_text(list, NULL, "partial");
	if (flags & MSG_CHANGED)
		doc_add_text(list, NULL, "changed");
	return list;
}

static void
rule_write(struct doc *doc, const struct msg_match *match)
{
	doc_set_text(doc, "ecs.version", "8.11");
	doc_set_text(doc, "rule.name", match->rule);
	doc_set_text(doc, "rule.uuid", match->id);
	doc_set_text(doc, "rule.ruleset", match->ruleset);
	doc_set_text(doc, "rule.description", match->description);
	doc_set_text(doc, "khien.severity", match->severity);
	if (match->attack[0])
		doc_set(doc, "threat.technique.id",
			doc_from_words(match->attack));
}

static void
about_write(struct doc *doc, const struct msg_about *about)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "rule.author", about->author },
		{ "rule.reference", about->reference },
		{ "khien.date", about->date },
		{ "khien.false_positives", about->false_positives },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].text[0])
			doc_set_text(doc, texts[i].name, texts[i].text);
	if (about->lacks[0])
		doc_set(doc, "khien.lacks", doc_from_words(about->lacks));
}

static struct doc *
match_write(const char *path, const struct msg_verdict *verdict,
	    const struct msg_match *match)
{
	struct doc *doc = doc_new();

	rule_write(doc, match);
	doc_set_text(doc, "file.path", path);
	doc_set_number(doc, "file.size", (int64_t)verdict->size);
	doc_set_text(doc, "file.hash.sha256", verdict->sha256);
	doc_set(doc, "khien.flags", flags_write(verdict->flags));
	doc_set_text(doc, "event.kind", "alert");
	doc_set_number(doc, "event.severity",
		       msg_severity_find(match->severity));
	return doc;
}

static int
print(const struct doc *doc)
{
	CLEANUP_FREE char *line = doc_write(doc);

	if (!line)
		return -ENOMEM;
	return puts(line) == EOF ? -errno : 0;
}

int
report_matches(const char *path, const struct msg_verdict *verdict)
{
	for (uint32_t i = 0; i < verdict->len; i++) {
		CLEANUP(doc_freep)
		struct doc *doc =
			match_write(path, verdict, &verdict->matches[i]);
		int r = print(doc);
		if (r < 0)
			return r;
	}
	return fflush(stdout) == EOF ? -errno : 0;
}

int
report_rule(const struct msg_rule *rule)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	rule_write(doc, &rule->rule);
	about_write(doc, &rule->about);
	return print(doc);
}
