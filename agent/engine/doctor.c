/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "agent/engine/client.h"
#include "agent/engine/engine.h"
#include "agent/engine/reason.h"
#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/store.h"
#include "agent/engine/values.h"
#include "agent/engine/writer.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define TEXT_MAX 1024

struct doctor {
	struct engine *engine;
	struct client *client;
	bool failed;
};

__attribute__((format(printf, 4, 5))) static void
tell(struct doctor *doctor, const char *check, bool ok, const char *format, ...)
{
	struct doc *doc = doc_new();
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doc_set_text(doc, "khien.doctor.check", check);
	doc_set_bool(doc, "khien.doctor.ok", ok);
	doc_set_text(doc, "khien.doctor.text", text);
	client_put(doctor->client, doc);
	doctor->failed = doctor->failed || !ok;
}

static void
check_role(struct doctor *doctor, uint16_t role)
{
	unsigned int wanted = reason_wanted(doctor->engine, role);
	unsigned int running = roster_running(doctor->engine->roster, role);
	const char *name = role_get(role)->name;
	bool ok = running >= wanted;

	tell(doctor, name, ok,
	     ok ? "khien-%s: %u running" :
		  "khien-%s: %u running; khiend's log says"
		  " why it ends",
	     name, running);
}

static void
check_store(struct doctor *doctor)
{
	struct store *store = doctor->engine->store;
	const char *dir = doctor->engine->peer->conf->state_dir;

	if (store->error)
		tell(doctor, "store", false,
		     "%s in %s; rows wait in memory until it works again",
		     store->why, dir);
	else
		tell(doctor, "store", true, "%s in %s works", STORE_FILE, dir);
	if (store->aside[0])
		tell(doctor, "store history", false, "%s", store->aside);
}

static void
check_rules(struct doctor *doctor)
{
	const struct rules *rules = doctor->engine->rules;
	const struct conf *conf = doctor->engine->peer->conf;

	if (!rules_loaded(rules))
		tell(doctor, "rules", false,
		     "no rules are loaded from %s and %s", conf->rules_dir,
		     conf->local_dir);
	else if (rules_failed(rules))
		tell(doctor, "rules", false, "%zu loaded, %zu not: %s",
		     rules_loaded(rules), rules_failed(rules),
		     rules_first_error(rules));
	else
		tell(doctor, "rules", true, "%zu loaded", rules_loaded(rules));
}

static void
check_programs(struct doctor *doctor)
{
	const struct values_entry *entry;
	unsigned int attached = 0;

	for (size_t at = 0;;) {
		at = values_find(doctor->engine->values, ROLE_SENSOR,
				 "programs.", at, &entry);
		if (!at)
			break;
		if (str_equal(entry->value, "attached"))
			attached++;
		else
			tell(doctor, entry->name, false, "%s", entry->value);
	}
	tell(doctor, "programs", attached > 0,
	     attached ? "%u kernel programs are attached" :
			"%u kernel programs are attached: nothing is seen",
	     attached);
}

static void
check_losses(struct doctor *doctor)
{
	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_BULK; class ++) {
		uint64_t lost = reason_lost(doctor->engine, class);
		const char *name = event_class_name(class);
		tell(doctor,
		     class == EVENT_CRITICAL ? "critical events" :
					       "bulk events",
		     lost == 0, "%llu %s events are missing in this boot",
		     (unsigned long long)lost, name);
	}
}

static void
check_coverage(struct doctor *doctor)
{
	const struct values *values = doctor->engine->values;
	const char *mode = values_get(values, ROLE_GATE, "mode");
	uint64_t uncovered =
		values_number(values, ROLE_MOUNTS, "uncovered.len");
	bool off = mode && str_equal(mode, "off");

	tell(doctor, "coverage", !off,
	     off ? "[gate] mode is off: files are scanned only when asked" :
		   "%llu mounts are not covered; status names them",
	     (unsigned long long)uncovered);
}

/* Each of them can wait for us while we wait for it: no fault, but told. */
static void
check_listeners(struct doctor *doctor)
{
	const struct values *values = doctor->engine->values;
	const struct values_entry *entry;

	for (size_t at = 0;;) {
		at = values_find(values, ROLE_MOUNTS, "listeners.", at, &entry);
		if (!at)
			break;
		if (!str_equal(entry->name, "listeners.len"))
			tell(doctor, "listeners", true,
			     "%s as well: whoever opens a file waits for both",
			     entry->value);
	}
	if (!values_number(values, ROLE_MOUNTS, "listeners.len"))
		tell(doctor, "listeners", true,
		     "no other program holds up who opens files");
}

/* Executions where the gate cannot look. */
static void
check_reach(struct doctor *doctor)
{
	const struct values *values = doctor->engine->values;
	const struct conf *conf = doctor->engine->peer->conf;
	const char *state = values_get(values, ROLE_SENSOR, "reach.state");
	uint64_t ran = values_number(values, ROLE_SENSOR, "reach.let_go") +
		       values_number(values, ROLE_SENSOR, "reach.failed");
	bool wanted = str_equal(conf->mode, "enforce") &&
		      !str_equal(conf->on_unreached, "allow");
	bool armed =
		state && (str_equal(state, "kill") || str_equal(state, "hold"));

	if (wanted && !armed)
		tell(doctor, "reach", false,
		     "programs from memory and unwatched file systems are not "
		     "stopped: %s",
		     state ? state : "khien-sensor has not said why");
	else
		tell(doctor, "reach", ran == 0,
		     "programs from memory and unwatched file systems: [gate] "
		     "on_unreached is %s, %llu ran without a scan",
		     wanted ? conf->on_unreached : "not in force",
		     (unsigned long long)ran);
}

bool
doctor_write(struct engine *engine, struct client *client)
{
	struct doctor doctor = { .engine = engine, .client = client };

	check_role(&doctor, ROLE_SENSOR);
	check_role(&doctor, ROLE_GATE);
	check_role(&doctor, ROLE_MOUNTS);
	check_role(&doctor, ROLE_SCAN);
	check_role(&doctor, ROLE_QUERY);
	check_programs(&doctor);
	check_losses(&doctor);
	check_coverage(&doctor);
	check_reach(&doctor);
	check_listeners(&doctor);
	check_rules(&doctor);
	check_store(&doctor);
	return doctor.failed;
}
