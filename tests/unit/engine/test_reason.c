/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>

#include "agent/engine/loss.h"
#include "agent/engine/reason.h"
#include "agent/engine/rules.h"
#include "agent/engine/values.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "tests/unit/engine/fixture.h"

static struct conf conf;

/* All is well, and nothing is worth a note. */
static int
begin(void **state)
{
	if (setup(state) < 0)
		return -1;
	conf_init(&conf);
	conf.workers = 1;
	peer.conf = &conf;
	run(ROLE_SENSOR, true);
	run(ROLE_GATE, true);
	run(ROLE_MOUNTS, true);
	run(ROLE_SCAN, true);
	run(ROLE_QUERY, true);
	put_pair(ROLE_SENSOR, "programs.file", "attached");
	put_pair(ROLE_GATE, "mode", "enforce");
	put_pair(ROLE_MOUNTS, "covered.len", "1");
	put_pair(ROLE_GATE, "on_deadline", "allow");
	return 0;
}

static bool
has(const struct doc *list, const char *part)
{
	for (size_t i = 0; i < doc_len(doc_root(list), NULL); i++)
		if (strstr(doc_text(doc_item(doc_root(list), NULL, i), NULL),
			   part))
			return true;
	return false;
}

/* "": there is none of the kind. */
static void
expect(enum reason_state wanted, const char *reason, const char *note)
{
	CLEANUP(doc_freep) struct doc *notes = doc_new_list();
	enum reason_state state;
	CLEANUP(doc_freep)
	struct doc *reasons = reason_list(engine, &state, notes);

	if (*reason ? !has(reasons, reason) :
		      doc_len(doc_root(reasons), NULL) != 0)
		fail_msg("reason: %s", doc_write(reasons));
	if (*note ? !has(notes, note) : doc_len(doc_root(notes), NULL) != 0)
		fail_msg("note: %s", doc_write(notes));
	assert_int_equal(state, wanted);
}

#define OK REASON_OK
#define DEGRADED REASON_DEGRADED
#define AT_RISK REASON_AT_RISK

static void
what_the_gate_says(void **state)
{
	static const struct {
		const char *name, *value;
		enum reason_state state;
		const char *reason, *note;
	} cases[] = {
		{ "mode", "enforce", OK, "", "" },
		{ "mode", "observe", OK, "", "nothing is stopped" },
		{ "mode", "off", AT_RISK, "no file is scanned", "" },
		{ "covered.len", "0", AT_RISK, "no file system is watched",
		  "" },
		{ "uncovered.0", "/proc: the kernel's own (proc)", OK, "", "" },
		{ "uncovered.0", "/net: not a local file system (nfs)", OK, "",
		  "" },
		{ "uncovered.0", "/a: not named by [gate] watch (tmpfs)", OK,
		  "", "" },
		{ "uncovered.0", "/b: named by [gate] watch: No such file",
		  DEGRADED, "not watched: /b", "" },
		{ "uncovered.0", "/c: cannot be watched: Invalid argument",
		  DEGRADED, "not watched: /c", "" },
		{ "questions.deadline", "3", DEGRADED,
		  "3 times no verdict came", "" },
		{ "questions.denied", "3", OK, "", "" },
		{ "scans.dropped", "7", DEGRADED,
		  "7 files were not scanned because too many waited", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(begin(state), 0);
		engine->rules->whole = true;
		engine->rules->active.len = 1;
		put_pair(strstr(cases[i].name, "covered") ? ROLE_MOUNTS :
							    ROLE_GATE,
			 cases[i].name, cases[i].value);
		expect(cases[i].state, cases[i].reason, cases[i].note);
		engine->rules->active.len = 0;
		(void)teardown(state);
	}
	assert_int_equal(begin(state), 0);
}

#define NO_TYPES "absent: this kernel has no BTF; not seen: much"
#define SWITCHED_OFF "absent: switched off; not seen: something"

static void
what_the_kernel_lacks(void **state)
{
	static const struct {
		const char *file, *net, *lack, *covered;
		enum reason_state state;
		const char *reason;
	} cases[] = {
		{ NO_TYPES, "attached", "", "1", DEGRADED,
		  "kernel program file is absent: this kernel has no BTF" },
		{ NO_TYPES, NO_TYPES, "", "1", AT_RISK,
		  "no kernel program is attached (this kernel has no BTF):" },
		{ SWITCHED_OFF, NO_TYPES, "", "1", AT_RISK,
		  "no kernel program is attached (this kernel has no BTF):" },
		{ SWITCHED_OFF, SWITCHED_OFF, "", "1", AT_RISK,
		  "no kernel program is attached (switched off):" },
		{ "attached", "attached", "no way to ask", "1", DEGRADED,
		  "no way to ask: nobody waits for a scan" },
		{ "attached", "attached", "no way to hear", "0", AT_RISK,
		  "no way to hear: no file is scanned unless" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(begin(state), 0);
		engine->rules->whole = true;
		engine->rules->active.len = 1;
		put_pair(ROLE_SENSOR, "programs.file", cases[i].file);
		put_pair(ROLE_SENSOR, "programs.net", cases[i].net);
		put_pair(ROLE_MOUNTS, "covered.len", cases[i].covered);
		if (*cases[i].lack)
			put_pair(ROLE_GATE, "lack", cases[i].lack);
		expect(cases[i].state, cases[i].reason, "");
		engine->rules->active.len = 0;
		(void)teardown(state);
	}
	assert_int_equal(begin(state), 0);
}

/* Many machines refuse what sees more: that is no fault of theirs. */
static void
what_need_not_be(void **state)
{
	static const char refused[] = "absent: refused; not seen: real paths";

	(void)state;
	engine->rules->whole = true;
	engine->rules->active.len = 1;
	put_pair(ROLE_SENSOR, "programs.file", "attached");
	put_pair(ROLE_SENSOR, "programs.hooks_link", refused);
	expect(OK, "", "kernel program hooks_link is absent: refused; not");
	put_pair(ROLE_SENSOR, "programs.mapping_mmap", refused);
	expect(OK, "", "hooks_link, mapping_mmap are absent: refused; see");
	put_pair(ROLE_SENSOR, "programs.net", refused);
	expect(DEGRADED, "kernel program net is absent: refused",
	       "hooks_link, mapping_mmap are absent: refused; see");
	engine->rules->active.len = 0;
}

static void
who_does_not_run(void **state)
{
	static const struct {
		uint16_t role;
		enum reason_state state;
		const char *reason;
	} cases[] = {
		{ ROLE_SENSOR, AT_RISK, "khien-sensor is not running" },
		{ ROLE_GATE, AT_RISK, "khien-gate is not running" },
		{ ROLE_MOUNTS, AT_RISK, "khien-mounts is not running" },
		{ ROLE_SCAN, AT_RISK, "khien-scan is not running" },
		{ ROLE_QUERY, DEGRADED, "khien-query is not running" },
	};

	(void)state;
	engine->rules->whole = true;
	engine->rules->active.len = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(cases[i].role, false);
		expect(cases[i].state, cases[i].reason, "");
		run(cases[i].role, true);
		expect(OK, "", "");
	}
	conf.workers = 2;
	expect(DEGRADED, "only 1 of 2 khien-scan are running", "");
	conf.workers = 1;
	engine->rules->active.len = 0;
	expect(AT_RISK, "no rules are loaded", "");
	engine->rules->whole = false;
	expect(DEGRADED, "no scanner has told its rules yet", "");
	put_pair(ROLE_SENSOR, "programs.file", "absent: refused");
	expect(AT_RISK, "nothing is seen", "");
}

/* What is long past is told, but is no fault of now. */
static void
losses_grow_old(void **state)
{
	(void)state;
	engine->rules->whole = true;
	engine->rules->active.len = 1;
	loss_add(engine->loss, EVENT_BULK, 5);
	expect(DEGRADED, "lost 5 bulk events in this boot, the last at 2", "");
	engine->loss->last_ns -= LATELY_NS;
	expect(OK, "", "lost 5 bulk events in this boot, the last at 2");
	loss_add(engine->loss, EVENT_CRITICAL, 1);
	expect(DEGRADED, "lost 1 critical events", "");
	/* After a restart the store says when; maybe it does not any more. */
	engine->loss->last_ns = 0;
	expect(OK, "", "the last at a time that is not known");
	/* The kernel counts more than it was possible to tell. */
	put_pair(ROLE_SENSOR, "lost.bulk", "5");
	expect(OK, "", "lost 5 bulk events");
	put_pair(ROLE_SENSOR, "lost.bulk", "9");
	expect(DEGRADED, "lost 9 bulk events", "");
	engine->rules->active.len = 0;
}

/* When the last loss was outlives the engine. */
static void
time_of_loss_is_stored(void **state)
{
	struct event event;

	(void)state;
	event_init(&event, EVENT_LOSS, EVENT_AGENT);
	event.boot_ns = loop_now_ns();
	event.sequence = 1;
	event.lost_class = EVENT_BULK;
	event.count = 4;
	sensor(1, &event, 1);
	writer_flush(engine->writer);
	assert_true(engine->loss->last_ns >= event.boot_ns);
	stop();
	start();
	assert_int_equal(engine->loss->last_ns, event.boot_ns);
	assert_int_equal(reason_lost(engine, EVENT_BULK), 4);
}

static void
deadlines_grow_old(void **state)
{
	struct lately_counter *missed =
		&engine->lately->counters[LATELY_DEADLINE];

	(void)state;
	engine->rules->whole = true;
	engine->rules->active.len = 1;
	put_pair(ROLE_GATE, "questions.deadline", "2");
	put_pair(ROLE_GATE, "questions.late", "1");
	expect(DEGRADED, "who asked was let go on; 1 of these files were bad",
	       "");
	put_pair(ROLE_GATE, "on_deadline", "deny");
	expect(DEGRADED, "who asked was denied", "");
	missed->last_ns -= LATELY_NS;
	expect(OK, "", "2 times no verdict came");
	engine->rules->active.len = 0;
}

/* A process that is replaced counts anew; what it had told stays told. */
static void
counters_begin_anew(void **state)
{
	static const struct {
		const char *value;
		uint64_t grown;
		bool moved;
	} steps[] = {
		{ "0", 0, false }, { "2", 2, true },  { "2", 2, false },
		{ "5", 5, true },  { "0", 5, false }, { "1", 6, true },
		{ "", 6, false },  { "1", 6, false }, { "3", 8, true },
	};
	struct lately_counter *missed =
		&engine->lately->counters[LATELY_DEADLINE];

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		missed->last_ns = 0;
		put_pair(ROLE_GATE, "questions.deadline", steps[i].value);
		if (missed->grown != steps[i].grown ||
		    (missed->last_ns != 0) != steps[i].moved)
			fail_msg("step %zu: %llu", i,
				 (unsigned long long)missed->grown);
	}
	assert_false(lately_is(0, LATELY_NS / 2));
	assert_true(lately_is(1, LATELY_NS));
	assert_false(lately_is(1, LATELY_NS + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, teardown)
		cmocka_unit_test_setup_teardown(what_the_kernel_lacks, NULL,
						teardown),
		cmocka_unit_test_setup_teardown(what_the_gate_says, NULL,
						teardown),
		SCENE(what_need_not_be),
		SCENE(who_does_not_run),
		SCENE(losses_grow_old),
		SCENE(time_of_loss_is_stored),
		SCENE(deadlines_grow_old),
		SCENE(counters_begin_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
