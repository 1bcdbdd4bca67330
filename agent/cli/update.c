/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/update.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/cli/args.h"
#include "agent/cli/client.h"
#include "agent/cli/text.h"
#include "agent/cli/when.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define EXIT_ERROR 2
#define LABEL_WIDTH 12
#define NOTE_MAX 256

static int64_t
number_of(const struct doc_value *doc, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "khien.update.%s", name);
	return doc_number_or(doc, path, 0);
}

static const char *
text_of(const struct doc_value *doc, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "khien.update.%s", name);
	return doc_text_or(doc, path, "");
}

/* Nothing when there is no such time. */
static void
put_time(const struct doc_value *doc, const char *name, const char *before)
{
	const char *text = text_of(doc, name);
	char when[WHEN_TEXT_SIZE];

	if (!*text)
		return;
	when_shorten(when, text);
	text_printf("%s", before);
	text_put(when);
}

static void
put_line(const char *label, const char *text)
{
	if (!*text)
		return;
	text_column(label, LABEL_WIDTH);
	text_put(text);
	text_printf("\n");
}

static void
put_active(const struct doc_value *doc)
{
	int64_t active = number_of(doc, "active");
	int64_t previous = number_of(doc, "previous");

	text_column("release", LABEL_WIDTH);
	if (!active) {
		text_printf("none: the rules of [rules] dir are in force\n");
		return;
	}
	text_printf("%" PRId64, active);
	put_time(doc, "since", ", since ");
	if (previous)
		text_printf(", before it %" PRId64, previous);
	text_printf("\n");
}

static void
put_newest(const struct doc_value *doc)
{
	int64_t newest = number_of(doc, "newest");
	int64_t waiting = number_of(doc, "waiting");

	if (!newest)
		return;
	text_column("newest", LABEL_WIDTH);
	text_printf("%" PRId64, newest);
	if (waiting) {
		text_printf(", %" PRId64 " waits for its wave", waiting);
		put_time(doc, "wave", ", which begins at ");
	}
	text_printf("\n");
}

static void
put_signed(const struct doc_value *doc)
{
	if (!*text_of(doc, "expires"))
		return;
	text_column("signed", LABEL_WIDTH);
	text_put(text_of(doc, "role"));
	put_time(doc, "issued", " at ");
	put_time(doc, "expires", ", good until ");
	text_printf("\n");
}

static void
put_checked(const struct doc_value *doc)
{
	char size[TEXT_SIZE_SIZE];
	int64_t bytes = number_of(doc, "bytes");

	text_column("checked", LABEL_WIDTH);
	if (!*text_of(doc, "checked")) {
		text_printf("never with success\n");
		return;
	}
	text_size(size, (uint64_t)(bytes < 0 ? 0 : bytes));
	put_time(doc, "checked", "");
	text_printf(", the last time %" PRId64 " requests, %s\n",
		    number_of(doc, "requests"), size);
}

static void
put_bad(const struct doc_value *doc)
{
	int64_t bad = number_of(doc, "bad.number");

	if (!bad)
		return;
	text_column("bad", LABEL_WIDTH);
	text_printf("%" PRId64 ": ", bad);
	text_put(text_of(doc, "bad.reason"));
	text_printf("\n");
}

void
update_print(const struct doc_value *doc)
{
	const char *url = text_of(doc, "url");

	put_active(doc);
	put_newest(doc);
	put_signed(doc);
	put_checked(doc);
	put_bad(doc);
	put_line("alarm", text_of(doc, "alarm_text"));
	put_line("failed", text_of(doc, "error"));
	put_line("note", text_of(doc, "note"));
	put_line("mirrors", *url ? url : "none: [update] url is empty");
}

/* On a terminal, in one line that is written anew. */
static void
draw(const struct doc_value *doc)
{
	char size[TEXT_SIZE_SIZE];
	char note[NOTE_MAX];
	int64_t bytes = doc_number_or(doc, "khien.progress.bytes", 0);

	text_size(size, (uint64_t)(bytes < 0 ? 0 : bytes));
	(void)text_escape(note, sizeof(note),
			  doc_text_or(doc, "khien.progress.note", ""));
	(void)fprintf(stderr, "\r%" PRId64 " requests, %s  %.50s\033[K",
		      doc_number_or(doc, "khien.progress.requests", 0), size,
		      note);
	(void)fflush(stderr);
}

static void
take(const struct args *args, const struct doc_value *doc, const char *line,
     bool *shown)
{
	if (doc_is_object(doc, "khien.progress")) {
		if (args->json || !isatty(STDERR_FILENO))
			return;
		draw(doc);
		*shown = true;
		return;
	}
	if (*shown)
		(void)fputs("\r\033[K", stderr);
	*shown = false;
	if (args->json)
		text_printf("%s\n", line);
	else
		update_print(doc);
}

static int
read_answer(const struct args *args, struct client *client)
{
	struct client_end end = { 0 };
	bool shown = false;
	const char *line;

	for (;;) {
		CLEANUP(doc_freep) struct doc *doc = NULL;
		int r = client_read(client, &line, &doc, &end);
		if (r == -EINTR)
			continue;
		if (r < 0) {
			text_error("update: the agent broke off its answer "
				   "(%s); what it began goes on: see khienctl "
				   "update status",
				   strerror(-r));
			return EXIT_ERROR;
		}
		if (r == 0)
			break;
		take(args, doc_root(doc), line, &shown);
	}
	if (end.error[0])
		text_error("update: %s", end.error);
	return end.exit;
}

int
update_run(const struct args *args, struct client *client)
{
	CLEANUP_FD int fd = -1;

	if (args->operands_len > 1) {
		fd = open(args->operands[1], O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			text_error("update: %s: %s", args->operands[1],
				   strerror(errno));
			return EXIT_ERROR;
		}
	}
	int r = client_ask_with(client, args_name(args->command), args->options,
				fd);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET) {
		text_error("cannot ask the agent: %s", strerror(-r));
		return EXIT_ERROR;
	}
	return read_answer(args, client);
}
