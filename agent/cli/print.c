/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/print.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/deed.h"
#include "agent/cli/text.h"
#include "agent/cli/when.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

/* Ancestors told in a line: the rest is in `show`. */
#define ANCESTORS_SHOWN 4
#define NAME_WIDTH 32
#define ACTION_WIDTH 13 /* "module_unload" */
/* Events that belong to a detection: as lines of their own. */
#define RELATED "khien.related"

static void
put_time(const struct doc_value *doc)
{
	char when[WHEN_TEXT_SIZE];

	when_shorten(when, doc_text_or(doc, "@timestamp", "-"));
	text_column(when, 22);
}

static void
put_pid(const struct doc_value *doc)
{
	const char *user = doc_text(doc, "user.id");
	int64_t pid = doc_number_or(doc, "process.pid", 0);

	if (pid)
		text_printf("pid %lld", (long long)pid);
	if (user)
		text_printf("%suser %s", pid ? ", " : "", text_user(user));
}

/* The arguments if they are known, else the program's name. */
static void
put_command(const struct doc_value *doc)
{
	const char *line = doc_text(doc, "process.command_line");

	if (!line || !*line)
		line = doc_text(doc, "process.executable");
	if (!line)
		line = doc_text_or(doc, "khien.comm", "?");
	text_put(line);
}

static void
put_ancestors(const struct doc_value *doc)
{
	size_t len = doc_len(doc, "khien.ancestors");

	for (size_t i = 0; i < len && i < ANCESTORS_SHOWN; i++) {
		const struct doc_value *one =
			doc_item(doc, "khien.ancestors", i);
		text_printf(" < ");
		text_put(doc_text_or(one, "executable",
				     doc_text_or(one, "name", "?")));
	}
	if (len > ANCESTORS_SHOWN)
		text_printf(" < ...");
}

static bool
has_flag(const struct doc_value *doc, const char *flag)
{
	for (size_t i = 0; i < doc_len(doc, "khien.flags"); i++)
		if (str_equal(doc_text_or(doc_item(doc, "khien.flags", i), NULL,
					  ""),
			      flag))
			return true;
	return false;
}

void
print_detection(const struct doc_value *doc)
{
	int64_t count = doc_number_or(doc, "khien.count", 1);

	put_time(doc);
	text_column(doc_text_or(doc, "khien.severity", "-"), 15);
	text_column(doc_text_or(doc, "rule.name", "-"), 24);
	text_printf("  ");
	/* Behaviour need not be about a file: then it is told what it is. */
	text_put(doc_text_or(doc, "file.path",
			     doc_text_or(doc, "rule.description", "-")));
	if (count > 1)
		text_printf("  (%lld times)", (long long)count);
	if (has_flag(doc, "allowed"))
		text_printf("  allowed by a responder");
	text_printf("\n    by ");
	if (doc_number_or(doc, "process.pid", 0)) {
		put_command(doc);
		text_printf(" (");
		put_pid(doc);
		text_printf(")");
		put_ancestors(doc);
	} else {
		text_printf("a process that is not known");
	}
	text_printf("\n    ");
	text_put(doc_text_or(doc, "event.id", "-"));
	if (doc_text(doc, "file.hash.sha256")) {
		text_printf("  sha256 ");
		text_put(doc_text(doc, "file.hash.sha256"));
	}
	text_printf("\n");
}

/* What an event of a process is about. */
static void
put_process(const struct doc_value *doc, const char *action)
{
	int64_t signal = doc_number_or(doc, "khien.exit_signal", 0);

	put_command(doc);
	if (!str_equal(action, "exit"))
		return;
	if (signal)
		text_printf("  killed by signal %lld", (long long)signal);
	else
		text_printf("  exit %lld",
			    (long long)doc_number_or(doc, "process.exit_code",
						     0));
}

/* What the record stands for, and who did it. */
static void
put_end(const struct doc_value *doc)
{
	const char *program = doc_text(doc, "process.executable");
	int64_t count = doc_number_or(doc, "khien.count", 1);

	if (count > 1)
		text_printf(" (and like it: %lld in all)", (long long)count);
	if (!program)
		return;
	text_printf("  by ");
	text_put(program);
}

static void
put_file(const struct doc_value *doc)
{
	const char *target = doc_text(doc, "file.target_path");

	text_put(doc_text_or(doc, "file.path", "-"));
	if (target) {
		text_printf(" -> ");
		text_put(target);
	}
	if (doc_text(doc, "file.mode") &&
	    str_equal(doc_text_or(doc, "event.action", ""), "chmod")) {
		text_printf(" to ");
		text_put(doc_text(doc, "file.mode"));
	}
	put_end(doc);
}

static void
put_agent(const struct doc_value *doc)
{
	const char *class = doc_text(doc, "khien.lost_class");
	const char *role = doc_text(doc, "khien.role");

	if (class) {
		text_printf("%lld events of class ",
			    (long long)doc_number_or(doc, "khien.count", 0));
		text_put(class);
		text_printf(" are missing ");
	}
	if (role) {
		text_put(role);
		text_printf(" ");
	}
	text_put(doc_text_or(doc, "message", ""));
}

/* What it is about, by its type: see khien-events(7). */
static void
put_deed(const struct doc_value *doc, const char *action)
{
	switch (event_family(event_type_find(action))) {
	case EVENT_OF_AGENT:
		put_agent(doc);
		return;
	case EVENT_OF_FILE:
		put_file(doc);
		return;
	case EVENT_OF_NETWORK:
		deed_put_network(doc);
		put_end(doc);
		return;
	case EVENT_OF_PRIVILEGE:
		deed_put_privilege(doc);
		put_end(doc);
		return;
	default:
		put_process(doc, action);
	}
}

void
print_event(const struct doc_value *doc)
{
	const char *action = doc_text_or(doc, "event.action", "-");
	const char *user = doc_text(doc, "user.id");
	int64_t pid = doc_number_or(doc, "process.pid", 0);
	char number[24] = "-";

	if (pid)
		(void)snprintf(number, sizeof(number), "%lld", (long long)pid);
	put_time(doc);
	text_column(action, ACTION_WIDTH);
	text_printf(" ");
	text_column(number, 9);
	text_column(user ? text_user(user) : "-", 10);
	text_printf(" ");
	put_deed(doc, action);
	text_printf("\n");
}

void
print_process(const struct doc_value *doc)
{
	int64_t depth = doc_number_or(doc, "khien.depth", 0);
	const char *end = doc_text(doc, "process.end");
	char when[WHEN_TEXT_SIZE];

	if (depth < 0 || depth > 1000)
		depth = 0;
	text_printf("%s%*s%lld  ", doc_true(doc, "khien.asked") ? "* " : "  ",
		    (int)(2 * depth), "",
		    (long long)doc_number_or(doc, "process.pid", 0));
	put_command(doc);
	if (doc_text(doc, "user.id"))
		text_printf("  (user %s)", text_user(doc_text(doc, "user.id")));
	if (end) {
		when_shorten(when, end);
		text_printf("  ended ");
		text_put(when);
	}
	text_printf("\n");
}

void
print_rule(const struct doc_value *doc)
{
	const char *error = doc_text(doc, "khien.error");

	if (error && *error) {
		text_column("NOT LOADED", 15);
		text_put(doc_text_or(doc, "rule.ruleset", ""));
		text_printf(": ");
		text_put(error);
		text_printf("\n");
		return;
	}
	text_column(doc_text_or(doc, "khien.severity", "-"), 15);
	text_column(doc_text_or(doc, "rule.name", "-"), 28);
	text_printf(" ");
	text_column(doc_text_or(doc, "rule.ruleset", ""), 24);
	text_printf(" ");
	text_put(doc_text_or(doc, "rule.description", ""));
	text_printf("\n");
}

void
print_kept(const struct doc_value *doc)
{
	const char *error = doc_text(doc, "khien.quarantine.error");
	int64_t missing =
		doc_number_or(doc, "khien.quarantine.missing_attributes", 0);

	if (doc_text(doc, "@timestamp"))
		put_time(doc);
	text_put(doc_text_or(doc, "khien.quarantine.id", "-"));
	text_printf("  ");
	if (error)
		text_put(error);
	else
		text_put(doc_text_or(doc, "file.path", "-"));
	if (doc_text(doc, "rule.name")) {
		text_printf("  (%lld bytes, ",
			    (long long)doc_number_or(doc, "file.size", 0));
		text_put(doc_text(doc, "rule.name"));
		text_printf(")");
	} else if (!error) {
		text_printf("  restored");
	}
	if (missing)
		text_printf(", but for %lld attributes that cannot be kept "
			    "there",
			    (long long)missing);
	text_printf("\n");
}

void
print_allowed(const struct doc_value *doc)
{
	put_time(doc);
	text_put(doc_text_or(doc, "file.hash.sha256", "-"));
	text_printf("  ");
	text_put(doc_text_or(doc, "file.path", "-"));
	text_printf("  (");
	text_put(doc_text_or(doc, "rule.name", "?"));
	text_printf(", restored by %s)\n",
		    text_user(doc_text_or(doc, "user.id", "?")));
}

/* Where in the object a value stands. */
struct place {
	char name[512];
	unsigned int index; /* of the next array element */
};

static bool
is_list_of_text(const struct doc_value *doc)
{
	const struct doc_value *first = doc_item(doc, NULL, 0);

	if (!doc_is_list(doc, NULL))
		return false;
	return !first ||
	       (!doc_is_object(first, NULL) && !doc_is_list(first, NULL));
}

static int
put_member(void *arg, const char *name, const struct doc_value *value)
{
	struct place *above = arg;
	struct place place = { 0 };

	if (name)
		(void)snprintf(place.name, sizeof(place.name), "%.380s%s%.120s",
			       above->name, above->name[0] ? "." : "", name);
	else
		(void)snprintf(place.name, sizeof(place.name), "%.480s[%u]",
			       above->name, above->index++);
	if (str_equal(place.name, RELATED))
		return 0;
	if (doc_is_object(value, NULL) ||
	    (doc_is_list(value, NULL) && !is_list_of_text(value)))
		return doc_each(value, NULL, put_member, &place);
	CLEANUP_FREE char *line = doc_line(value);
	text_column(place.name, NAME_WIDTH);
	text_printf(" ");
	text_put(line ? line : "?");
	text_printf("\n");
	return 0;
}

void
print_all(const struct doc_value *doc)
{
	struct place top = { 0 };
	size_t len = doc_len(doc, RELATED);

	(void)doc_each(doc, NULL, put_member, &top);
	if (len)
		text_printf("\nwhat it did around that time:\n");
	for (size_t i = 0; i < len; i++)
		print_event(doc_item(doc, RELATED, i));
}
