/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/hot.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "agent/cli/text.h"
#include "agent/cli/when.h"
#include "agent/lib/doc.h"
#include "agent/lib/str.h"

#define TABLES "khien.hot.tables"
#define NUMBER_WIDTH 13
#define NUMBER_SIZE 48
#define SHOWN_MAX 5

/* What each table is of, and why it matters; the agent's word when it is new.
 */
static const struct {
	const char *what, *by, *title;
} titles[] = {
	{ "process", "events", "programs by events" },
	{ "process", "questions", "programs by files that they waited for" },
	{ "process", "scans", "programs by scans that they caused" },
	{ "folder", "events", "folders by events" },
	{ "folder", "scan_time", "folders by time of scanners" },
	{ "file", "scan_time", "files by time of scanners" },
	{ "rule", "matches",
	  "rules by matches (libyara times no rules on this machine)" },
};

static void
put_title(const struct doc_value *table)
{
	const char *what = doc_text_or(table, "what", "?");
	const char *by = doc_text_or(table, "by", "?");

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (str_equal(titles[i].what, what) &&
		    str_equal(titles[i].by, by)) {
			text_printf("%s\n", titles[i].title);
			return;
		}
	text_put(what);
	text_printf(" by ");
	text_put(by);
	text_printf("\n");
}

/* Microseconds as milliseconds. */
static void
format(char *dst, size_t size, int64_t number, bool us)
{
	if (us)
		(void)snprintf(dst, size, "%" PRId64 ".%03" PRId64 " ms",
			       number / 1000, number % 1000);
	else
		(void)snprintf(dst, size, "%" PRId64, number);
}

static void
put_entry(const struct doc_value *entry, int64_t total, bool us)
{
	int64_t count = doc_number_or(entry, "count", 0);
	int64_t error = doc_number_or(entry, "error", 0);
	int64_t pid = doc_number_or(entry, "pid", 0);
	char number[NUMBER_SIZE];

	format(number, sizeof(number), count, us);
	text_printf("    %*s %3" PRId64 "%%  ", NUMBER_WIDTH, number,
		    total > 0 ? count * 100 / total : 0);
	text_put(doc_text_or(entry, "name", "?"));
	if (pid)
		text_printf(" (last: process %" PRId64 ")", pid);
	if (error) {
		format(number, sizeof(number), error, us);
		text_printf(", up to %s of it others'", number);
	}
	text_printf("\n");
}

static void
put_span(const struct doc_value *table, const char *span, const char *title)
{
	char path[32];
	char number[NUMBER_SIZE];
	bool us = str_equal(doc_text_or(table, "unit", ""), "us");

	(void)snprintf(path, sizeof(path), "%s.total", span);
	int64_t total = doc_number_or(table, path, 0);
	format(number, sizeof(number), total, us);
	text_printf("  %s: %s in all\n", title, number);
	(void)snprintf(path, sizeof(path), "%s.most", span);
	size_t len = doc_len(table, path);
	for (size_t i = 0; i < len && i < SHOWN_MAX; i++)
		put_entry(doc_item(table, path, i), total, us);
}

/* Young agents have one span only. */
static bool
is_older(const struct doc_value *table)
{
	return doc_number_or(table, "start.total", 0) !=
	       doc_number_or(table, "lately.total", 0);
}

void
hot_print(const struct doc_value *doc)
{
	char lately[64], since[64];
	char when[WHEN_TEXT_SIZE];
	int64_t span_s = doc_number_or(doc, "khien.hot.lately_s", 0);

	when_shorten(when, doc_text_or(doc, "khien.hot.start", ""));
	(void)snprintf(lately, sizeof(lately),
		       "last %" PRId64 " min %" PRId64 " s", span_s / 60,
		       span_s % 60);
	(void)snprintf(since, sizeof(since), "since %s", when);
	for (size_t i = 0; i < doc_len(doc, TABLES); i++) {
		const struct doc_value *table = doc_item(doc, TABLES, i);

		put_title(table);
		put_span(table, "lately", lately);
		if (is_older(table))
			put_span(table, "start", since);
	}
}
