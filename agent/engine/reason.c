/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/reason.h"

#include <stdarg.h>
#include <stdio.h>

#include "agent/engine/engine.h"
#include "agent/engine/loss.h"
#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/engine/values.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define TEXT_MAX 512

__attribute__((format(printf, 2, 3))) static void
say(struct doc *list, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doc_add_text(list, NULL, text);
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
say_processes(struct engine *engine, struct doc *list)
{
	static const uint16_t roles[] = { ROLE_SENSOR, ROLE_GATE, ROLE_MOUNTS,
					  ROLE_SCAN, ROLE_QUERY };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		unsigned int wanted = reason_wanted(engine, roles[i]);
		unsigned int running = roster_running(engine->roster, roles[i]);
		const char *name = role_get(roles[i])->name;
		if (running >= wanted)
			continue;
		if (wanted == 1)
			say(list, "khien-%s is not running", name);
		else
			say(list, "only %u of %u khien-%s are running", running,
			    wanted, name);
	}
}

static void
say_programs(struct engine *engine, struct doc *list)
{
	const struct values_entry *entry;
	const char prefix[] = "programs.";

	for (size_t at = 0;;) {
		at = values_find(engine->values, ROLE_SENSOR, prefix, at,
				 &entry);
		if (!at)
			return;
		if (!str_equal(entry->value, "attached"))
			say(list, "kernel program %s is %s",
			    entry->name + sizeof(prefix) - 1, entry->value);
	}
}

static void
say_losses(struct engine *engine, struct doc *list)
{
	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_AGENT; class ++) {
		uint64_t lost = reason_lost(engine, class);
		if (lost)
			say(list, "%llu %s events are missing in this boot",
			    (unsigned long long)lost, event_class_name(class));
	}
}

static void
say_rules(struct engine *engine, struct doc *list)
{
	size_t failed = rules_failed(engine->rules);

	if (!engine->rules->whole)
		say(list, "no scanner has told its rules yet");
	else if (!rules_loaded(engine->rules))
		say(list, "no rules are loaded");
	if (failed)
		say(list, "%zu rule files are not in force: %s", failed,
		    rules_first_error(engine->rules));
}

struct doc *
reason_list(struct engine *engine)
{
	struct doc *list = doc_new_list();

	say_processes(engine, list);
	say_programs(engine, list);
	say_losses(engine, list);
	if (engine->store->error)
		say(list, "the store does not work: %s", engine->store->why);
	if (engine->store->aside[0])
		say(list, "%s", engine->store->aside);
	say_rules(engine, list);
	if (engine->tree->refused)
		say(list, "more processes than the tree can hold");
	return list;
}
