/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/screen.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/life.h"
#include "agent/cli/text.h"
#include "agent/cli/when.h"
#include "agent/lib/doc.h"
#include "agent/lib/str.h"

#define LABEL_WIDTH 12
#define UNCOVERED "khien.uncovered"
#define UNCOVERED_SHOWN 8

static void
put_label(const char *label)
{
	text_column(label, LABEL_WIDTH);
}

/* The texts of an array, one a line after a mark, or with commas between. */
static void
put_texts(const struct doc_value *doc, const char *path, const char *before,
	  const char *between, const char *after)
{
	size_t len = doc_len(doc, path);

	for (size_t i = 0; i < len; i++) {
		const char *text = doc_text(doc_item(doc, path, i), NULL);
		text_printf("%s", i ? between : before);
		text_put(text ? text : "?");
	}
	if (len)
		text_printf("%s", after);
}

static void
put_state(const struct doc_value *doc)
{
	const char *state = doc_text_or(doc, "khien.state", "unknown");
	const char *host = doc_text(doc, "host.hostname");

	text_printf("Khien ");
	text_put(doc_text_or(doc, "khien.version", "?"));
	if (host) {
		text_printf(" on ");
		text_put(host);
	}
	text_printf(": ");
	if (str_equal(state, "at_risk"))
		state = "AT RISK";
	text_put(str_equal(state, "ok") ? "all is well" : state);
	text_printf("\n");
	put_texts(doc, "khien.reasons", "  ! ", "\n  ! ", "\n");
	put_texts(doc, "khien.notes", "  - ", "\n  - ", "\n");
}

static void
put_process(const struct doc_value *doc, bool many)
{
	const char *state = doc_text_or(doc, "state", "?");
	int64_t restarts = doc_number_or(doc, "restarts", 0);

	text_put(doc_text_or(doc, "role", "?"));
	if (many)
		text_printf(" %" PRId64, doc_number_or(doc, "index", 0));
	text_printf(" ");
	text_put(state);
	if (restarts)
		text_printf(" (restarted %" PRId64 " times)", restarts);
}

static void
put_processes(const struct doc_value *doc)
{
	size_t len = doc_len(doc, "khien.processes");
	size_t scanners = 0;

	for (size_t i = 0; i < len; i++)
		scanners += str_equal(
			doc_text_or(doc_item(doc, "khien.processes", i), "role",
				    ""),
			"scan");
	put_label("processes");
	for (size_t i = 0; i < len; i++) {
		const struct doc_value *one =
			doc_item(doc, "khien.processes", i);
		text_printf("%s", i ? ", " : "");
		put_process(one, scanners > 1 &&
					 str_equal(doc_text_or(one, "role", ""),
						   "scan"));
	}
	text_printf("%s\n", len ? "" : "none");
}

static void
put_lost(const struct doc_value *doc)
{
	int64_t critical = doc_number_or(doc, "khien.lost.critical", 0);
	int64_t bulk = doc_number_or(doc, "khien.lost.bulk", 0);
	int64_t agent = doc_number_or(doc, "khien.lost.agent", 0);
	const char *last = doc_text(doc, "khien.lost.last");
	char when[WHEN_TEXT_SIZE];

	put_label("lost");
	if (!critical && !bulk && !agent) {
		text_printf("no event since boot\n");
		return;
	}
	text_printf("since boot %" PRId64 " critical, %" PRId64
		    " bulk, %" PRId64 " of the agent's own events",
		    critical, bulk, agent);
	if (last) {
		when_shorten(when, last);
		text_printf(", last at %s", when);
	}
	text_printf("\n");
}

static int64_t
gate_number(const struct doc_value *doc, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "khien.gate.%s", name);
	return doc_number_or(doc, path, 0);
}

/* Milliseconds with the first digits that count. */
static void
put_ms(const char *before, int64_t us)
{
	text_printf("%s%" PRId64 ".%02" PRId64 " ms", before, us / 1000,
		    us % 1000 / 10);
}

static void
put_guard(const struct doc_value *doc)
{
	put_label("guard");
	text_put(doc_text_or(doc, "khien.guard.text", "not heard of"));
	text_printf("\n");
}

/* While it asks, what whoever opens or executes a file has of it. */
static void
put_waits(const struct doc_value *doc)
{
	put_label("questions");
	text_printf("%" PRId64 " asked, %" PRId64
		    " answered from memory (root's"
		    " files %" PRId64 ", users' %" PRId64 "), %" PRId64
		    " scanned\n",
		    gate_number(doc, "questions.asked"),
		    gate_number(doc, "questions.cached"),
		    gate_number(doc, "cache.root"),
		    gate_number(doc, "cache.user"),
		    gate_number(doc, "questions.scanned"));
	put_label("waits");
	put_ms("half within ", gate_number(doc, "wait_us.p50"));
	put_ms(", 99 of 100 within ", gate_number(doc, "wait_us.p99"));
	put_ms(", longest ", gate_number(doc, "wait_us.max"));
	text_printf("; %" PRId64 " missed the deadline of %" PRId64 " ms\n",
		    gate_number(doc, "questions.deadline"),
		    gate_number(doc, "deadline_ms"));
	put_label("stopped");
	text_printf("%" PRId64 " denied, %" PRId64
		    " found bad too late, %" PRId64
		    " processes killed, %" PRId64 " files quarantined, %" PRId64
		    " contents allowed\n",
		    gate_number(doc, "questions.denied"),
		    gate_number(doc, "questions.late"),
		    doc_number_or(doc, "khien.engine.killed", 0),
		    doc_number_or(doc, "khien.engine.quarantined", 0),
		    doc_number_or(doc, "khien.engine.allowed", 0));
}

static void
put_gate(const struct doc_value *doc)
{
	const char *mode = doc_text(doc, "khien.gate.mode");

	put_label("gate");
	if (!mode) {
		text_printf("not heard of\n");
		return;
	}
	text_put(mode);
	text_printf(": %" PRId64 " file systems watched, %" PRId64
		    " files scanned, %" PRId64 " scanners\n",
		    gate_number(doc, "covered.len"),
		    gate_number(doc, "scans.done"),
		    gate_number(doc, "scanners"));
	if (str_equal(mode, "enforce"))
		put_waits(doc);
}

static void
put_store(const struct doc_value *doc)
{
	char size[TEXT_SIZE_SIZE];
	char when[WHEN_TEXT_SIZE];
	int64_t bytes = doc_number_or(doc, "khien.store.size", 0);
	const char *oldest = doc_text(doc, "khien.store.oldest");

	text_size(size, (uint64_t)(bytes < 0 ? 0 : bytes));
	put_label("store");
	text_put(doc_text_or(doc, "khien.store.path", "?"));
	text_printf(": %s, %" PRId64 " events of processes, %" PRId64
		    " of files, %" PRId64 " of the network, %" PRId64
		    " of privilege, %" PRId64 " detections",
		    size, doc_number_or(doc, "khien.store.rows.process", 0),
		    doc_number_or(doc, "khien.store.rows.file", 0),
		    doc_number_or(doc, "khien.store.rows.network", 0),
		    doc_number_or(doc, "khien.store.rows.privilege", 0),
		    doc_number_or(doc, "khien.store.rows.detection", 0));
	if (oldest && *oldest) {
		when_shorten(when, oldest);
		text_printf(", since ");
		text_put(when);
	}
	text_printf("\n");
}

static void
put_rules(const struct doc_value *doc)
{
	int64_t failed = doc_number_or(doc, "khien.rules.failed", 0);
	int64_t release = doc_number_or(doc, "khien.update.active", 0);
	const char *since = doc_text_or(doc, "khien.update.since", "");
	char when[WHEN_TEXT_SIZE];

	put_label("rules");
	text_printf("%" PRId64 " loaded",
		    doc_number_or(doc, "khien.rules.loaded", 0));
	if (release)
		text_printf(", release %" PRId64, release);
	if (release && *since) {
		when_shorten(when, since);
		text_printf(" since %s", when);
	}
	if (failed)
		text_printf(", %" PRId64 " NOT LOADED: see khienctl rules",
			    failed);
	text_printf("\n");
}

/* A file system of the kernel's own holds no files that anybody wrote. */
static bool
is_worth_saying(const struct doc_value *doc, size_t index)
{
	const char *text = doc_text(doc_item(doc, UNCOVERED, index), NULL);

	if (!text || strstr(text, "the kernel's own"))
		return false;
	for (size_t i = 0; i < index; i++) {
		const char *other = doc_text(doc_item(doc, UNCOVERED, i), NULL);
		if (other && str_equal(other, text))
			return false;
	}
	return true;
}

static void
put_coverage(const struct doc_value *doc)
{
	size_t len = doc_len(doc, UNCOVERED);
	size_t worth = 0;

	for (size_t i = 0; i < len; i++)
		worth += is_worth_saying(doc, i);
	put_label("coverage");
	if (!worth) {
		text_printf("all file systems that hold files\n");
		return;
	}
	text_printf("what is written on %zu file systems is not scanned:\n",
		    worth);
	size_t shown = 0;
	for (size_t i = 0; i < len && shown < UNCOVERED_SHOWN; i++) {
		if (!is_worth_saying(doc, i))
			continue;
		put_label("");
		text_put(doc_text(doc_item(doc, UNCOVERED, i), NULL));
		text_printf("\n");
		shown++;
	}
	if (worth > shown) {
		put_label("");
		text_printf("and %zu more: khienctl --json status\n",
			    worth - shown);
	}
}

/* Numbered, and how many there are: a number, and no text. */
static int
take_listener(void *arg, const char *name, const struct doc_value *value)
{
	const char *text = doc_text(value, NULL);

	(void)arg;
	(void)name;
	if (!text)
		return 0;
	put_label("listeners");
	text_put(text);
	text_printf("\n");
	return 0;
}

void
screen_status(const struct doc_value *doc)
{
	put_state(doc);
	put_processes(doc);
	life_sensors(doc);
	put_gate(doc);
	put_guard(doc);
	life_proofs(doc);
	life_blind(doc);
	put_lost(doc);
	put_store(doc);
	put_rules(doc);
	put_coverage(doc);
	(void)doc_each(doc_get(doc, "khien.gate.listeners"), NULL,
		       take_listener, NULL);
	if (doc_len(doc, "khien.not_built")) {
		put_label("not built");
		put_texts(doc, "khien.not_built", "", ", ", "\n");
	}
}

void
screen_check(const struct doc_value *doc)
{
	text_printf("%s  ", doc_true(doc, "khien.doctor.ok") ? "ok  " : "FAIL");
	text_column(doc_text_or(doc, "khien.doctor.check", "?"), 16);
	text_printf(" ");
	text_put(doc_text_or(doc, "khien.doctor.text", ""));
	text_printf("\n");
}
