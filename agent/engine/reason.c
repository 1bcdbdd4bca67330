/* SPDX-License-Identifier: GPL-2.0-or-later - long: one kind after another */
#include "agent/engine/reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/engine/alarm.h"
#include "agent/engine/clock.h"
#include "agent/engine/engine.h"
#include "agent/engine/guard.h"
#include "agent/engine/lately.h"
#include "agent/engine/loss.h"
#include "agent/engine/proving.h"
#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/engine/update.h"
#include "agent/engine/values.h"
#include "agent/lib/absence.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define TEXT_MAX 512
#define PROGRAMS "programs."
#define NAMED_MAX 8 /* kernel programs, in one sentence */

/* What is being written. */
struct saying {
	struct engine *engine;
	struct doc *reasons; /* borrowed */
	struct doc *notes;   /* borrowed */
	enum reason_state state;
};

/* REASON_OK: it is only worth a note. */
__attribute__((format(printf, 3, 4))) static void
say(struct saying *saying, enum reason_state state, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doc_add_text(state == REASON_OK ? saying->notes : saying->reasons, NULL,
		     text);
	if (state > saying->state)
		saying->state = state;
}

const char *
reason_word(enum reason_state state)
{
	static const char *const words[] = {
		[REASON_OK] = "ok",
		[REASON_DEGRADED] = "degraded",
		[REASON_AT_RISK] = "at_risk",
	};

	return words[state];
}

void
reason_time(const struct engine *engine, uint64_t boot_ns, char *dst)
{
	time_t seconds =
		(time_t)(clock_wall(engine->clock, boot_ns) / 1000000000);
	struct tm tm;

	dst[0] = '\0';
	if (gmtime_r(&seconds, &tm))
		(void)strftime(dst, REASON_TIME_SIZE, "%Y-%m-%d %H:%M:%SZ",
			       &tm);
}

uint64_t
reason_lost(const struct engine *engine, uint16_t class)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "lost.%s", event_class_name(class));
	uint64_t told =
		engine->loss->sum[class] + engine->spool->dropped[class];
	uint64_t counted = values_number(engine->values, ROLE_SENSOR, name);
	return told > counted ? told : counted;
}

unsigned int
reason_wanted(const struct engine *engine, uint16_t role)
{
	if (role == ROLE_SCAN)
		return engine->peer->conf->workers ?
			       engine->peer->conf->workers :
			       1;
	return role == ROLE_SENSOR || role == ROLE_GATE ||
	       role == ROLE_MOUNTS || role == ROLE_QUERY;
}

static void
say_processes(struct saying *saying)
{
	static const uint16_t roles[] = { ROLE_SENSOR, ROLE_GATE, ROLE_MOUNTS,
					  ROLE_SCAN, ROLE_QUERY };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		unsigned int wanted = reason_wanted(saying->engine, roles[i]);
		unsigned int running =
			roster_running(saying->engine->roster, roles[i]);
		const char *name = role_get(roles[i])->name;
		enum reason_state state = REASON_AT_RISK;
		if (running >= wanted)
			continue;
		/* Without it nobody can ask, but all is seen and stored. */
		if (roles[i] == ROLE_QUERY || running)
			state = REASON_DEGRADED;
		if (running)
			say(saying, state, "only %u of %u khien-%s are running",
			    running, wanted, name);
		else
			say(saying, state, "khien-%s is not running", name);
	}
}

const char *
reason_unseen(const struct engine *engine)
{
	static const char off[] = "switched off";
	static char text[256];
	const struct values_entry *entry;
	struct absence absence, why = { 0 };

	for (size_t at = 0;;) {
		at = values_find(engine->values, ROLE_SENSOR, PROGRAMS, at,
				 &entry);
		if (!at)
			break;
		if (str_equal(entry->value, "attached"))
			return NULL;
		/* What nobody wished says more. */
		if (absence_read(entry->value, &absence) &&
		    (!why.cause || str_starts(why.cause, off)))
			why = absence;
	}
	if (!why.cause)
		return NULL;
	(void)snprintf(text, sizeof(text), "%.*s", (int)why.cause_len,
		       why.cause);
	return text;
}

/* That the guard is absent as a whole is said of the guard. */
static bool
is_missed(const struct engine *engine, const struct values_entry *entry,
	  struct absence *ret_absence)
{
	return absence_read(entry->value, ret_absence) &&
	       (!guard_has(entry->name + strlen(PROGRAMS)) ||
		!guard_is_absent(engine));
}

/* Of tier L, which many machines refuse: what it sees more is no fault. */
static bool
is_more(const struct values_entry *entry)
{
	const char *name = entry->name + strlen(PROGRAMS);

	return str_starts(name, "hooks_") || str_starts(name, "mapping_");
}

/*
 * The names of all that are absent by the cause of `like`, up to so many.
 * Returns how many there are; 0 when an entry before number `at` has it, too.
 */
static size_t
name_absent(const struct engine *engine, const struct values_entry *like,
	    const struct absence *cause, size_t at, char *dst, size_t size)
{
	const struct values_entry *entry;
	struct absence absence;
	size_t count = 0, used = 0;

	*dst = '\0';
	for (size_t next = 0;;) {
		next = values_find(engine->values, ROLE_SENSOR, PROGRAMS, next,
				   &entry);
		if (!next)
			break;
		if (!is_missed(engine, entry, &absence) ||
		    !absence_has_cause(&absence, cause) ||
		    is_more(entry) != is_more(like))
			continue;
		if (!count && next != at)
			return 0;
		if (count++ < NAMED_MAX)
			used += (size_t)snprintf(dst + used, size - used,
						 "%s%.30s", used ? ", " : "",
						 entry->name +
							 sizeof(PROGRAMS) - 1);
	}
	if (count > NAMED_MAX)
		(void)snprintf(dst + used, size - used, " and %zu more",
			       count - NAMED_MAX);
	return count;
}

/* Several by one cause are one thing. */
static void
say_absent(struct saying *saying, const struct values_entry *entry,
	   const struct absence *absence, size_t at)
{
	char names[NAMED_MAX * 32 + 32];
	size_t count = name_absent(saying->engine, entry, absence, at, names,
				   sizeof(names));
	enum reason_state state = is_more(entry) ? REASON_OK : REASON_DEGRADED;

	if (count == 1)
		say(saying, state, "kernel program %s is %s", names,
		    entry->value);
	else if (count > 1)
		say(saying, state,
		    "kernel programs %s are absent: %.*s; see what cannot be "
		    "seen",
		    names, (int)absence->cause_len, absence->cause);
}

static void
say_programs(struct saying *saying)
{
	const char *unseen = reason_unseen(saying->engine);
	const struct values_entry *entry;
	struct absence absence;

	/* One thing is wrong then, and not each of them. */
	if (unseen) {
		say(saying, REASON_AT_RISK,
		    "no kernel program is attached (%s): nothing is seen of "
		    "processes, connections and privileges",
		    unseen);
		return;
	}
	for (size_t at = 0;;) {
		at = values_find(saying->engine->values, ROLE_SENSOR, PROGRAMS,
				 at, &entry);
		if (!at)
			return;
		if (is_missed(saying->engine, entry, &absence))
			say_absent(saying, entry, &absence, at);
	}
}

/* A class of which events are missing is at fault while that is recent. */
static void
say_losses(struct saying *saying)
{
	const struct engine *engine = saying->engine;
	const struct lately_counter *counted =
		&engine->lately->counters[LATELY_CRITICAL];
	uint64_t last_ns = engine->loss->last_ns;
	char when[REASON_TIME_SIZE];

	/* What was told has its time; the rest has that of its counter. */
	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_BULK; class ++) {
		uint64_t at_ns = counted[class - EVENT_CRITICAL].last_ns;

		if (reason_lost(engine, class) > engine->loss->sum[class] &&
		    at_ns > last_ns)
			last_ns = at_ns;
	}
	bool recent = lately_is(last_ns, loop_now_ns());
	reason_time(engine, last_ns, when);
	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_AGENT; class ++) {
		uint64_t lost = reason_lost(engine, class);
		if (!lost)
			continue;
		say(saying, recent ? REASON_DEGRADED : REASON_OK,
		    "lost %llu %s events in this boot, the last at %s",
		    (unsigned long long)lost, event_class_name(class),
		    last_ns ? when : "a time that is not known");
	}
}

static void
say_rules(struct saying *saying)
{
	const struct rules *rules = saying->engine->rules;
	size_t failed = rules_failed(rules);

	if (!rules->whole)
		say(saying, REASON_DEGRADED,
		    "no scanner has told its rules yet");
	else if (!rules_loaded(rules))
		say(saying, REASON_AT_RISK, "no rules are loaded");
	if (failed)
		say(saying, REASON_DEGRADED,
		    "%zu rule files are not in force: %s", failed,
		    rules_first_error(rules));
}

size_t
reason_find_missed(const struct engine *engine, size_t from,
		   const struct values_entry **ret_entry)
{
	static const char *const faults[] = { ": cannot be watched",
					      ": named by [gate] ",
					      ": too many to name" };

	for (;;) {
		from = values_find(engine->values, ROLE_MOUNTS, "uncovered.",
				   from, ret_entry);
		for (size_t i = 0; from && i < 3; i++)
			if (strstr((*ret_entry)->value, faults[i]))
				return from;
		if (!from)
			return 0;
	}
}

const char *
reason_unasked(const struct engine *engine, bool *ret_blind)
{
	const char *lack = values_get(engine->values, ROLE_GATE, "lack");

	*ret_blind = lack &&
		     !values_number(engine->values, ROLE_MOUNTS, "covered.len");
	return lack;
}

/* Returns whether there is any file system that is watched. */
static bool
say_unasked(struct saying *saying, const char *mode)
{
	bool blind;
	const char *lack = reason_unasked(saying->engine, &blind);

	if (blind)
		say(saying, REASON_AT_RISK,
		    "%s: no file is scanned unless somebody asks", lack);
	else if (lack && str_equal(mode, "enforce"))
		say(saying, REASON_DEGRADED,
		    "%s: nobody waits for a scan; what is written or executed "
		    "is scanned afterwards, and what is only opened is not",
		    lack);
	return !blind;
}

static void
say_coverage(struct saying *saying)
{
	const struct values *values = saying->engine->values;
	const char *mode = values_get(values, ROLE_GATE, "mode");
	const struct values_entry *entry;
	size_t at = 0;

	if (!mode)
		return;
	if (str_equal(mode, "off")) {
		say(saying, REASON_AT_RISK,
		    "[gate] mode is off: no file is scanned unless somebody"
		    " asks");
		return;
	}
	if (str_equal(mode, "observe"))
		say(saying, REASON_OK,
		    "[gate] mode is observe: what a rule finds is told, and"
		    " nothing is stopped");
	else if (saying->engine->peer->conf->enforce[0])
		say(saying, REASON_OK,
		    "[gate] enforce names where: elsewhere what a rule finds is"
		    " told, and nothing is stopped");
	if (!say_unasked(saying, mode))
		return;
	if (!values_number(values, ROLE_MOUNTS, "covered.len"))
		say(saying, REASON_AT_RISK,
		    "no file system is watched: nothing is scanned");
	for (;;) {
		at = reason_find_missed(saying->engine, at, &entry);
		if (!at)
			break;
		say(saying, REASON_DEGRADED, "not watched: %s", entry->value);
	}
}

/* Who waited and got no verdict: with a fault of ours only while it is recent.
 */
static void
say_deadlines(struct saying *saying)
{
	const struct engine *engine = saying->engine;
	const struct lately_counter *missed =
		&engine->lately->counters[LATELY_DEADLINE];
	uint64_t late = engine->lately->counters[LATELY_LATE].grown;
	const char *how = values_get(engine->values, ROLE_GATE, "on_deadline");
	char when[REASON_TIME_SIZE];

	if (!missed->grown)
		return;
	reason_time(engine, missed->last_ns, when);
	say(saying,
	    lately_is(missed->last_ns, loop_now_ns()) ? REASON_DEGRADED :
							REASON_OK,
	    "%llu times no verdict came within [gate] deadline_ms, the last at"
	    " %s: who asked was %s; %llu of these files were bad, as was found"
	    " later",
	    (unsigned long long)missed->grown, when,
	    how && str_equal(how, "deny") ? "denied" : "let go on",
	    (unsigned long long)late);
}

static void
say_dropped(struct saying *saying)
{
	const struct lately_counter *dropped =
		&saying->engine->lately->counters[LATELY_DROPPED];
	char when[REASON_TIME_SIZE];

	if (!dropped->grown)
		return;
	reason_time(saying->engine, dropped->last_ns, when);
	say(saying,
	    lately_is(dropped->last_ns, loop_now_ns()) ? REASON_DEGRADED :
							 REASON_OK,
	    "%llu files were not scanned because too many waited, the last at"
	    " %s",
	    (unsigned long long)dropped->grown, when);
}

const char *
reason_release(const struct engine *engine)
{
	const struct values_entry *entry;

	for (size_t at = 0;;) {
		at = values_find(engine->values, ROLE_SCAN, "", at, &entry);
		if (!at)
			return NULL;
		if (strstr(entry->name, ".release_error"))
			return entry->value;
	}
}

static void
say_update(struct saying *saying)
{
	const struct engine *engine = saying->engine;
	const struct msg_updated *state = update_state(engine);
	const char *broken = reason_release(engine);
	char text[ALARM_TEXT_SIZE];
	int grave;

	if (broken)
		say(saying, REASON_DEGRADED,
		    "the release of rules in state_dir cannot be read (%s): "
		    "those of [rules] dir are in force instead",
		    broken);
	(void)update_alarm(engine, text, &grave);
	if (*text)
		say(saying, (enum reason_state)grave, "%s", text);
	if (state && *state->error)
		say(saying, REASON_OK, "the last update failed: %s",
		    state->error);
	if (state && state->bad > state->active)
		say(saying, REASON_OK, "release %llu of rules is not used: %s",
		    (unsigned long long)state->bad, state->bad_reason);
}

/* What is on the disk is not what protects. */
static void
say_replaced(struct saying *saying)
{
	const char *names =
		values_get(saying->engine->values, ROLE_MOUNTS, "replaced");

	if (names)
		say(saying, REASON_DEGRADED,
		    "%s: the program was replaced or removed while it runs; an"
		    " upgrade is under way, or was cut short",
		    names);
}

static void
say_proofs(struct saying *saying)
{
	char text[TEXT_MAX];
	int grave;

	for (size_t i = 0; i < PROOF_PARTS; i++) {
		proving_say(saying->engine, i, text, sizeof(text), &grave);
		if (*text)
			say(saying, (enum reason_state)grave, "%s", text);
	}
}

static void
say_guard(struct saying *saying)
{
	char text[TEXT_MAX];
	int grave;

	guard_say(saying->engine, text, sizeof(text), &grave);
	if (*text)
		say(saying, (enum reason_state)grave, "%s", text);
}

struct doc *
reason_list(struct engine *engine, enum reason_state *ret_state,
	    struct doc *notes)
{
	struct saying saying = { .engine = engine,
				 .reasons = doc_new_list(),
				 .notes = notes };

	say_processes(&saying);
	say_programs(&saying);
	say_replaced(&saying);
	say_coverage(&saying);
	say_rules(&saying);
	say_update(&saying);
	say_deadlines(&saying);
	say_dropped(&saying);
	say_proofs(&saying);
	say_guard(&saying);
	say_losses(&saying);
	if (engine->store->error)
		say(&saying, REASON_DEGRADED, "the store does not work: %s",
		    engine->store->why);
	if (engine->store->aside[0])
		say(&saying, REASON_DEGRADED, "%s", engine->store->aside);
	if (engine->tree->refused)
		say(&saying, REASON_DEGRADED,
		    "more processes than the tree can hold");
	*ret_state = saying.state;
	return saying.reasons;
}
