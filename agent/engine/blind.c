/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/blind.h"

#include <stdio.h>
#include <string.h>

#include "agent/engine/behaviour.h"
#include "agent/engine/engine.h"
#include "agent/engine/guard.h"
#include "agent/engine/lately.h"
#include "agent/engine/loss.h"
#include "agent/engine/reason.h"
#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/values.h"
#include "agent/lib/absence.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define PROGRAMS "programs."
#define WORD_MAX 32
#define ALL_SCANS (BLIND_WRITE | BLIND_EXEC | BLIND_OPEN)

/* Full only when there are more programs than there can be: the rest is named
   by khien.reasons alone. */
static struct blind_gap *
add(struct blind *blind, const char *sensor)
{
	if (blind->len == BLIND_GAPS_MAX)
		return NULL;
	struct blind_gap *gap = &blind->gaps[blind->len++];
	*gap = (struct blind_gap){ .sensor = sensor };
	return gap;
}

/* The words that the sensor said of a program. */
static void
set_kinds(struct blind_gap *gap, const char *words)
{
	char word[WORD_MAX];

	while (words && *words) {
		size_t len = strcspn(words, " ");
		if (len < sizeof(word)) {
			memcpy(word, words, len);
			word[len] = '\0';
			gap->kinds[event_type_find(word) % EVENT_TYPES] = true;
		}
		words += len;
		words += *words == ' ';
	}
	gap->kinds[0] = false; /* of words that are not known */
}

/* All that comes from the kernel's programs. */
static void
set_all_kinds(struct blind_gap *gap)
{
	for (uint16_t type = 1; type < EVENT_TYPES; type++)
		gap->kinds[type] = event_ring(type) != 0;
}

static const char *
types_of(const struct engine *engine, const char *program)
{
	char name[VALUES_NAME_MAX + 1];

	(void)snprintf(name, sizeof(name), "types.%s", program);
	return values_get(engine->values, ROLE_SENSOR, name);
}

static void
set_why(struct blind_gap *gap, const struct absence *absence)
{
	(void)snprintf(gap->because, sizeof(gap->because), "%.*s",
		       (int)absence->cause_len, absence->cause);
	(void)snprintf(gap->costs, sizeof(gap->costs), "%s", absence->cost);
}

/* Why nothing of what kernel programs tell arrives, or NULL. */
static const char *
find_unseen(const struct engine *engine)
{
	const struct values_entry *entry;

	if (!roster_running(engine->roster, ROLE_SENSOR))
		return "khien-sensor is not running: events wait in the kernel "
		       "while they find room";
	if (!values_find(engine->values, ROLE_SENSOR, PROGRAMS, 0, &entry))
		return "khien-sensor has not said yet what it sees";
	return reason_unseen(engine);
}

static void
find_programs(struct blind *blind, const struct engine *engine)
{
	const char *unseen = find_unseen(engine);
	const struct values_entry *entry;
	struct absence absence;
	struct blind_gap *gap = unseen ? add(blind, "sensor") : NULL;

	if (gap) {
		set_all_kinds(gap);
		(void)snprintf(gap->because, sizeof(gap->because), "%s",
			       unseen);
	}
	for (size_t at = 0; !unseen;) {
		at = values_find(engine->values, ROLE_SENSOR, PROGRAMS, at,
				 &entry);
		if (!at)
			return;
		const char *name = entry->name + strlen(PROGRAMS);
		/* One that this kernel does not need is not missed. */
		if (!absence_read(entry->value, &absence) || guard_has(name))
			continue;
		gap = add(blind, name);
		if (!gap)
			continue;
		set_kinds(gap, types_of(engine, name));
		set_why(gap, &absence);
	}
}

/* The guard's programs are many, and cost the same kind of event each. */
static void
find_guard(struct blind *blind, const struct engine *engine)
{
	const struct values_entry *entry;
	struct absence absence, first = { 0 };
	size_t absent = 0, attached = 0;

	for (size_t at = 0;;) {
		at = values_find(engine->values, ROLE_SENSOR, PROGRAMS, at,
				 &entry);
		if (!at)
			break;
		if (!guard_has(entry->name + strlen(PROGRAMS)))
			continue;
		attached += str_equal(entry->value, "attached");
		if (absence_read(entry->value, &absence) && !absent++)
			first = absence;
	}
	if (!absent || !roster_running(engine->roster, ROLE_SENSOR))
		return;
	struct blind_gap *gap = add(blind, "guard");
	if (!gap)
		return;
	set_why(gap, &first);
	size_t len = strlen(gap->because);
	(void)snprintf(gap->because + len, sizeof(gap->because) - len,
		       " (%zu of its %zu programs)", absent, absent + attached);
	gap->partly = attached > 0;
	gap->kinds[EVENT_GUARD] = true;
}

/* A ring that was full lately: anything that goes through it may be missing. */
static void
find_losses(struct blind *blind, const struct engine *engine)
{
	static const char *const names[] = { "critical events", "bulk events" };
	char when[REASON_TIME_SIZE];

	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_BULK; class ++) {
		const struct lately_counter *counter =
			&engine->lately->counters[LATELY_CRITICAL + class -
						  EVENT_CRITICAL];
		uint64_t last_ns = counter->last_ns;
		uint64_t lost = reason_lost(engine, class);

		if (!last_ns && lost)
			last_ns = engine->loss->last_ns;
		if (!lost || !lately_is(last_ns, loop_now_ns()))
			continue;
		struct blind_gap *gap =
			add(blind, names[class - EVENT_CRITICAL]);
		if (!gap)
			return;
		reason_time(engine, last_ns, when);
		(void)snprintf(gap->because, sizeof(gap->because),
			       "lost %llu in this boot, the last at %s",
			       (unsigned long long)lost, when);
		gap->partly = true;
		for (uint16_t type = 1; type < EVENT_TYPES; type++)
			gap->kinds[type] = event_ring(type) == class;
	}
}

/* A file system of the kernel's own holds no files that anybody wrote. */
static bool
is_worth_saying(const char *value)
{
	return !strstr(value, "the kernel's own");
}

static void
find_uncovered(struct blind *blind, const struct engine *engine)
{
	const struct values_entry *entry, *first = NULL;
	size_t len = 0;

	for (size_t at = 0;;) {
		at = values_find(engine->values, ROLE_MOUNTS, "uncovered.", at,
				 &entry);
		if (!at)
			break;
		if (str_equal(entry->name, "uncovered.len") ||
		    !is_worth_saying(entry->value))
			continue;
		if (!len++)
			first = entry;
	}
	struct blind_gap *gap = first ? add(blind, "coverage") : NULL;
	if (!gap)
		return;
	(void)snprintf(gap->because, sizeof(gap->because),
		       "%zu mounts are not watched: %.160s%s", len,
		       first->value, len > 1 ? ", ..." : "");
	gap->partly = true;
	gap->kinds[EVENT_CLOSE] = true;
	gap->scans = ALL_SCANS;
}

/* Returns whether the gate hears of any file. */
static bool
find_unasked(struct blind *blind, const struct engine *engine)
{
	bool deaf;
	const char *lack = reason_unasked(engine, &deaf);
	bool wanted = str_equal(engine->peer->conf->mode, "enforce");
	struct blind_gap *gap =
		lack && (deaf || wanted) ? add(blind, "gate") : NULL;

	if (!gap)
		return true;
	(void)snprintf(gap->because, sizeof(gap->because), "%s", lack);
	if (!deaf)
		(void)snprintf(gap->costs, sizeof(gap->costs),
			       "what is only opened, such as libraries and "
			       "scripts; what is written or executed is "
			       "scanned afterwards");
	gap->kinds[EVENT_CLOSE] = deaf;
	gap->scans = deaf ? ALL_SCANS : BLIND_OPEN;
	gap->partly = !deaf;
	return !deaf;
}

static void
find_scans(struct blind *blind, const struct engine *engine)
{
	const char *mode = engine->peer->conf->mode;
	bool gate = roster_running(engine->roster, ROLE_GATE) > 0;
	struct blind_gap *gap = NULL;

	if (str_equal(mode, "off") || !gate) {
		gap = add(blind, "gate");
		if (!gap)
			return;
		(void)snprintf(gap->because, sizeof(gap->because), "%s",
			       gate ? "[gate] mode is off" :
				      "khien-gate is not running");
		gap->kinds[EVENT_CLOSE] = true;
		gap->scans = ALL_SCANS;
		return;
	}
	if (!roster_running(engine->roster, ROLE_SCAN)) {
		gap = add(blind, "scanner");
		if (!gap)
			return;
		(void)snprintf(gap->because, sizeof(gap->because),
			       "khien-scan is not running");
		gap->scans = ALL_SCANS;
	}
	if (find_unasked(blind, engine))
		find_uncovered(blind, engine);
}

void
blind_find(struct blind *blind, const struct engine *engine)
{
	blind->len = 0;
	find_programs(blind, engine);
	find_guard(blind, engine);
	find_losses(blind, engine);
	find_scans(blind, engine);
}

static bool
is_missing(const struct blind *blind, uint16_t type)
{
	for (size_t i = 0; i < blind->len; i++)
		if (!blind->gaps[i].partly &&
		    blind->gaps[i].kinds[type % EVENT_TYPES])
			return true;
	return false;
}

bool
blind_costs(const struct blind *blind, size_t gap, const uint16_t *types,
	    size_t max)
{
	const struct blind_gap *this = &blind->gaps[gap];
	bool by_this = false;

	for (size_t i = 0; i < max && types[i]; i++) {
		by_this = by_this || this->kinds[types[i] % EVENT_TYPES];
		if (!this->partly && !is_missing(blind, types[i]))
			return false;
	}
	return by_this;
}

static struct doc *
kinds_write(const struct blind_gap *gap)
{
	struct doc *list = doc_new_list();

	for (uint16_t type = 1; type < EVENT_TYPES; type++)
		if (gap->kinds[type] && event_type_name(type))
			doc_add_text(list, NULL, event_type_name(type));
	return list;
}

static struct doc *
scans_write(const struct blind_gap *gap)
{
	static const char *const words[] = { "write", "exec", "open" };
	struct doc *list = doc_new_list();

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (gap->scans & (1u << i))
			doc_add_text(list, NULL, words[i]);
	return list;
}

/* The rules for files fire by scans alone, and all of them by each scan. */
static size_t
name_rules(const struct engine *engine, const struct blind *blind, size_t at,
	   struct doc *list)
{
	const struct blind_gap *gap = &blind->gaps[at];
	size_t len = 0;

	for (size_t i = 0; behaviour_get(i); i++) {
		const struct behaviour *behaviour = behaviour_get(i);
		if (blind_costs(blind, at, behaviour->types, BEHAVIOUR_TYPES) &&
		    len++ < BLIND_RULES_MAX)
			doc_add_text(list, NULL, behaviour->name);
	}
	for (size_t i = 0; gap->scans && i < engine->rules->active.len; i++) {
		const char *name = rules_name(engine->rules, i);
		if (name && len++ < BLIND_RULES_MAX)
			doc_add_text(list, NULL, name);
	}
	return len;
}

static struct doc *
gap_write(const struct blind *blind, size_t i, const struct engine *engine)
{
	const struct blind_gap *gap = &blind->gaps[i];
	struct doc *rules = doc_new_list();
	struct doc *doc = doc_new();

	doc_set_text(doc, "sensor", gap->sensor);
	doc_set_text(doc, "because", gap->because);
	if (gap->costs[0])
		doc_set_text(doc, "costs", gap->costs);
	doc_set_bool(doc, "partly", gap->partly);
	doc_set(doc, "kinds", kinds_write(gap));
	if (gap->scans)
		doc_set(doc, "scans", scans_write(gap));
	size_t len = name_rules(engine, blind, i, rules);
	doc_set(doc, "rules", rules);
	doc_set_number(doc, "rules_len", (int64_t)len);
	return doc;
}

void
blind_write(const struct engine *engine, struct doc *doc)
{
	static struct blind blind; /* too large for the stack */
	struct doc *list = doc_new_list();

	blind_find(&blind, engine);
	for (size_t i = 0; i < blind.len; i++)
		doc_add(list, NULL, gap_write(&blind, i, engine));
	doc_set(doc, "khien.blind", list);
}
