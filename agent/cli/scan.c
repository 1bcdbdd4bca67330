/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/client.h"
#include "agent/cli/progress.h"
#include "agent/cli/text.h"
#include "agent/cli/walk.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

struct scan {
	struct client *client;
	bool json;
	struct walk walk;
	struct progress progress;
	char *paths[SCAN_WINDOW]; /* owned, by tag; NULL: not outstanding */
	size_t outstanding;
	uint64_t clean, unreadable, partial;
	bool ended; /* the end line came */
	struct client_end end;
};

static void
on_error(void *arg, const char *path, int error)
{
	struct scan *scan = arg;

	progress_clear(&scan->progress);
	scan->unreadable++;
	text_error("%s: %s", path,
		   error == EINVAL ? "neither a file nor a folder" :
				     strerror(error));
}

/* One match as an object of its own: the file's fields and the rule's. */
static void
print_match(const struct scan *scan, const struct doc_value *reply,
	    const struct doc_value *match, const char *path)
{
	const struct doc_value *file = doc_get(reply, "file");

	if (!scan->json) {
		text_column(doc_text_or(match, "khien.severity", "-"), 15);
		text_column(doc_text_or(match, "rule.name", "-"), 24);
		text_printf("  ");
		text_put(path);
		text_printf("\n");
		return;
	}
	CLEANUP(doc_freep) struct doc *doc = doc_copy(match);
	if (file)
		doc_set(doc, "file", doc_copy(file));
	doc_set_text(doc, "file.path", path);
	CLEANUP_FREE char *line = doc_write(doc);
	if (line)
		text_printf("%s\n", line);
}

/* What is neither clean nor a match was not scanned. */
static void
tell_failure(struct scan *scan, const struct doc_value *reply, const char *path)
{
	const char *result = doc_text_or(reply, "khien.scan.result", "failed");
	const char *error = doc_text_or(reply, "khien.scan.error", "");

	progress_clear(&scan->progress);
	scan->unreadable++;
	text_error("%s: not scanned: %s%s%s", path, result, *error ? ": " : "",
		   error);
}

static void
take_result(struct scan *scan, const struct doc_value *reply, const char *path)
{
	const char *result = doc_text_or(reply, "khien.scan.result", "failed");
	size_t len = doc_len(reply, "rules");
	int64_t size = doc_number_or(reply, "file.size", 0);

	scan->progress.done++;
	scan->progress.bytes += (uint64_t)(size < 0 ? 0 : size);
	if (doc_true(reply, "khien.scan.partial"))
		scan->partial++;
	if (str_equal(result, "match")) {
		scan->progress.matched++;
		progress_clear(&scan->progress);
		for (size_t i = 0; i < len; i++)
			print_match(scan, reply, doc_item(reply, "rules", i),
				    path);
		(void)fflush(stdout);
	} else if (str_equal(result, "clean")) {
		scan->clean++;
	} else {
		tell_failure(scan, reply, path);
	}
	progress_draw(&scan->progress);
}

/* Takes one reply.  Returns 0, also for the end line, or -errno. */
static int
read_reply(struct scan *scan)
{
	CLEANUP(doc_freep) struct doc *reply = NULL;
	const char *line;

	int r = client_read(scan->client, &line, &reply, &scan->end);
	if (r < 0)
		return r;
	if (r == 0) {
		scan->ended = true;
		return 0;
	}
	int64_t tag = doc_number_or(doc_root(reply), "khien.scan.tag", -1);
	if (tag < 0 || tag >= SCAN_WINDOW || !scan->paths[tag])
		return -EBADMSG;
	CLEANUP_FREE char *path = TAKE(scan->paths[tag]);
	scan->outstanding--;
	take_result(scan, doc_root(reply), path);
	return 0;
}

static int
send_file(struct scan *scan, const char *path, int fd)
{
	CLEANUP(doc_freep) struct doc *request = doc_new();
	int64_t tag = 0;

	while (scan->paths[tag])
		tag++;
	doc_set_number(request, "tag", tag);
	doc_set_text(request, "path", path);
	CLEANUP_FREE char *line = doc_write(request);
	scan->paths[tag] = strdup(path);
	if (!line || !scan->paths[tag])
		return -ENOMEM;
	scan->outstanding++;
	return client_send(scan->client, line, fd);
}

static int
on_file(void *arg, const char *path, int fd)
{
	struct scan *scan = arg;

	while (scan->outstanding == SCAN_WINDOW && !scan->ended) {
		int r = read_reply(scan);
		if (r < 0)
			return r;
	}
	scan->progress.fraction = scan->walk.fraction;
	/* It ended early: its error says why. */
	return scan->ended ? -ECANCELED : send_file(scan, path, fd);
}

/* Walks all paths and waits for what is outstanding. */
static int
scan_all(struct scan *scan, char **paths, size_t len)
{
	int r = client_ask(scan->client, "scan", NULL);

	for (size_t i = 0; i < len && r == 0; i++)
		r = walk_run(&scan->walk, paths[i], 1.0 / (double)len);
	if (r == 0)
		r = client_finish(scan->client);
	/* The agent says why it does not listen any more, if it can. */
	if (r == -EPIPE || r == -ECONNRESET)
		r = 0;
	while (r == 0 && !scan->ended)
		r = read_reply(scan);
	return r == -ECANCELED ? 0 : r;
}

static void
print_summary(const struct scan *scan, int exit_code)
{
	const struct progress *progress = &scan->progress;
	double seconds = (double)progress_elapsed_ns(progress) / 1e9;
	char size[TEXT_SIZE_SIZE];

	text_size(size, progress->bytes);
	if (!scan->json) {
		text_printf("%" PRIu64 " files (%s) scanned in %.1f s: "
			    "%" PRIu64 " matched, %" PRIu64 " unreadable",
			    progress->done, size, seconds, progress->matched,
			    scan->unreadable);
		if (scan->partial)
			text_printf(", %" PRIu64 " in part", scan->partial);
		text_printf("\n");
		return;
	}
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	doc_set_number(doc, "khien.summary.files", (int64_t)progress->done);
	doc_set_number(doc, "khien.summary.bytes", (int64_t)progress->bytes);
	doc_set_number(doc, "khien.summary.matched",
		       (int64_t)progress->matched);
	doc_set_number(doc, "khien.summary.unreadable",
		       (int64_t)scan->unreadable);
	doc_set_number(doc, "khien.summary.partial", (int64_t)scan->partial);
	doc_set_real(doc, "khien.summary.seconds", seconds);
	doc_set_number(doc, "khien.summary.exit", exit_code);
	CLEANUP_FREE char *line = doc_write(doc);
	if (line)
		text_printf("%s\n", line);
}

static int
exit_code(const struct scan *scan, int error)
{
	if (error < 0 || scan->end.error[0])
		return 2;
	if (scan->progress.matched)
		return 1;
	return scan->unreadable ? 2 : 0;
}

static const char *
error_text(int error)
{
	if (error == -EPIPE)
		return "the agent broke off its answer";
	if (error == -EBADMSG)
		return "the agent's answer is not understood";
	return strerror(-error);
}

int
scan_run(struct client *client, char **paths, size_t len, bool json)
{
	struct scan scan = {
		.client = client,
		.json = json,
		.walk = { .on_file = on_file, .on_error = on_error },
	};

	scan.walk.arg = &scan;
	progress_init(&scan.progress, true);
	int r = scan_all(&scan, paths, len);
	progress_clear(&scan.progress);
	for (size_t i = 0; i < SCAN_WINDOW; i++)
		free(scan.paths[i]);
	if (r < 0)
		text_error("scan: %s", error_text(r));
	else if (scan.end.error[0])
		text_error("scan: %s", scan.end.error);
	int code = exit_code(&scan, r);
	print_summary(&scan, code);
	return code;
}
