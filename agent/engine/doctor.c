/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "agent/engine/alarm.h"
#include "agent/engine/allowed.h"
#include "agent/engine/client.h"
#include "agent/engine/engine.h"
#include "agent/engine/guard.h"
#include "agent/engine/lately.h"
#include "agent/engine/loss.h"
#include "agent/engine/proving.h"
#include "agent/engine/reason.h"
#include "agent/engine/roster.h"
#include "agent/engine/rules.h"
#include "agent/engine/store.h"
#include "agent/engine/update.h"
#include "agent/engine/values.h"
#include "agent/engine/writer.h"
#include "agent/lib/absence.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg_update.h"
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
		     "no rules are loaded from %s and %s: put .yar files there,"
		     " then khienctl reload",
		     conf->rules_dir, conf->local_dir);
	else if (rules_failed(rules))
		tell(doctor, "rules", false, "%zu loaded, %zu not: %s",
		     rules_loaded(rules), rules_failed(rules),
		     rules_first_error(rules));
	else
		tell(doctor, "rules", true, "%zu loaded", rules_loaded(rules));
}

/* Where rules come from, and whether what is signed is current. */
static void
check_update(struct doctor *doctor)
{
	const struct engine *engine = doctor->engine;
	const struct msg_updated *state = update_state(engine);
	const char *broken = reason_release(engine);
	char text[ALARM_TEXT_SIZE];
	int grave;

	(void)update_alarm(engine, text, &grave);
	if (broken)
		tell(doctor, "update", false,
		     "the release in %s/update cannot be read (%s): khienctl "
		     "update now, or import, brings it anew",
		     engine->peer->conf->state_dir, broken);
	else if (*text)
		tell(doctor, "update", false, "%s", text);
	else if (state && *state->error)
		tell(doctor, "update", false, "%s", state->error);
	else if (state && state->active)
		tell(doctor, "update", true, "release %llu of rules is active",
		     (unsigned long long)state->active);
	else
		tell(doctor, "update", true,
		     "no release of rules yet: those of %s are in force%s",
		     engine->peer->conf->rules_dir,
		     engine->peer->conf->url[0] ? "" :
						  "; [update] url is empty");
}

static void
check_programs(struct doctor *doctor)
{
	const char *unseen = reason_unseen(doctor->engine);
	const struct values_entry *entry;
	struct absence absence;
	unsigned int attached = 0;

	if (unseen) {
		tell(doctor, "programs", false,
		     "0 kernel programs are attached, nothing is seen: %s;"
		     " khienctl status --json says under khien.blind what is"
		     " missed by each",
		     unseen);
		return;
	}
	for (size_t at = 0;;) {
		at = values_find(doctor->engine->values, ROLE_SENSOR,
				 "programs.", at, &entry);
		if (!at)
			break;
		if (str_equal(entry->value, "attached"))
			attached++;
		else if (absence_read(entry->value, &absence))
			tell(doctor, entry->name, false, "%s", entry->value);
	}
	tell(doctor, "programs", attached > 0,
	     attached ? "%u kernel programs are attached" :
			"%u kernel programs are attached: nothing is seen",
	     attached);
}

static bool
is_recent(uint64_t last_ns)
{
	return lately_is(last_ns, loop_now_ns());
}

static void
check_losses(struct doctor *doctor)
{
	const struct engine *engine = doctor->engine;
	uint64_t last_ns = engine->loss->last_ns;
	char when[REASON_TIME_SIZE];

	reason_time(engine, last_ns, when);
	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_BULK; class ++) {
		const char *check = class == EVENT_CRITICAL ?
					    "critical events" :
					    "bulk events";
		uint64_t lost = reason_lost(engine, class);
		bool ok = !lost || !is_recent(last_ns);
		const char *what =
			ok ? "" :
			     "; the machine had no time for the sensor:"
			     " khienctl events --type loss says what was lost"
			     " and why";

		if (lost)
			tell(doctor, check, ok,
			     "%llu are missing in this boot, the last at %s%s",
			     (unsigned long long)lost, when, what);
		else
			tell(doctor, check, true,
			     "none is missing in this boot");
	}
}

static void
check_mode(struct doctor *doctor)
{
	const char *mode =
		values_get(doctor->engine->values, ROLE_GATE, "mode");
	bool blind;
	const char *lack = reason_unasked(doctor->engine, &blind);

	if (!mode)
		return; /* there is no gate, which is told */
	if (str_equal(mode, "off"))
		tell(doctor, "mode", false,
		     "[gate] mode is off, files are scanned only when asked:"
		     " set observe or enforce in khien.conf, then khienctl"
		     " reload");
	else if (str_equal(mode, "observe"))
		tell(doctor, "mode", true,
		     "[gate] mode is observe: what a rule finds is told, and"
		     " nothing is stopped");
	else if (lack)
		tell(doctor, "mode", false,
		     "[gate] mode is enforce, and nobody can be made to wait:"
		     " %s%s",
		     lack,
		     blind ? "" :
			     "; what a rule finds is killed or quarantined"
			     " afterwards, if [action] on_malicious says so");
	else
		tell(doctor, "mode", true,
		     "[gate] mode is enforce: who opens or executes a file"
		     " waits for its scan");
}

static void
check_coverage(struct doctor *doctor)
{
	const struct values *values = doctor->engine->values;
	uint64_t covered = values_number(values, ROLE_MOUNTS, "covered.len");
	const struct values_entry *entry;
	size_t at = 0;
	bool blind;
	const char *lack = reason_unasked(doctor->engine, &blind);

	if (blind) {
		tell(doctor, "coverage", false,
		     "no file system is watched: %s; khienctl scan still finds"
		     " what it is asked about",
		     lack);
		return;
	}
	for (;;) {
		at = reason_find_missed(doctor->engine, at, &entry);
		if (!at)
			break;
		tell(doctor, "coverage", false,
		     "not watched: %s; mount it or correct [gate] watch and"
		     " exclude, then khienctl reload",
		     entry->value);
	}
	tell(doctor, "coverage", covered > 0,
	     covered ? "%llu file systems are watched, %llu mounts are not:"
		       " khienctl --json status names them" :
		       "%llu file systems are watched, %llu mounts are not:"
		       " name in [gate] watch what is to be, or leave it out"
		       " for all local ones",
	     (unsigned long long)covered,
	     (unsigned long long)values_number(values, ROLE_MOUNTS,
					       "uncovered.len"));
}

static void
check_deadlines(struct doctor *doctor)
{
	const struct lately_counter *counters =
		doctor->engine->lately->counters;
	const struct lately_counter *missed = &counters[LATELY_DEADLINE];
	const struct lately_counter *dropped = &counters[LATELY_DROPPED];
	char when[REASON_TIME_SIZE];

	reason_time(doctor->engine, missed->last_ns, when);
	if (is_recent(missed->last_ns))
		tell(doctor, "deadlines", false,
		     "%llu times no verdict came in time, the last at %s: more"
		     " [scan] workers, a smaller [scan] max_size or a longer"
		     " [gate] deadline_ms help",
		     (unsigned long long)missed->grown, when);
	else
		tell(doctor, "deadlines", true, "none was missed lately");
	if (is_recent(dropped->last_ns))
		tell(doctor, "queue", false,
		     "%llu files were not scanned because too many waited:"
		     " more [scan] workers help",
		     (unsigned long long)dropped->grown);
}

static void
check_allowed(struct doctor *doctor)
{
	size_t len = allowed_len(doctor->engine);

	tell(doctor, "allowed", true,
	     len ? "%zu contents may be used although rules find them:"
		   " khienctl quarantine allowed lists them" :
		   "%zu contents may be used although rules find them",
	     len);
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

static void
check_replaced(struct doctor *doctor)
{
	const char *names =
		values_get(doctor->engine->values, ROLE_MOUNTS, "replaced");

	if (names)
		tell(doctor, "installed", false,
		     "%s: the program was replaced or removed while it runs:"
		     " dpkg --configure -a, or install the package again; then"
		     " systemctl restart khien",
		     names);
	else
		tell(doctor, "installed", true,
		     "what runs is what is installed");
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

static void
check_proofs(struct doctor *doctor)
{
	char text[TEXT_MAX];

	for (size_t i = 0; i < PROOF_PARTS; i++) {
		bool ok = proving_check(doctor->engine, i, text, sizeof(text));
		tell(doctor, "proof of life", ok, "%s", text);
	}
}

static void
check_guard(struct doctor *doctor)
{
	char text[TEXT_MAX];

	bool ok = guard_check(doctor->engine, text, sizeof(text));
	tell(doctor, "guard", ok, "%s", text);
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
	check_replaced(&doctor);
	check_programs(&doctor);
	check_losses(&doctor);
	check_mode(&doctor);
	check_coverage(&doctor);
	check_reach(&doctor);
	check_listeners(&doctor);
	check_deadlines(&doctor);
	check_allowed(&doctor);
	check_rules(&doctor);
	check_update(&doctor);
	check_store(&doctor);
	check_proofs(&doctor);
	check_guard(&doctor);
	return doctor.failed;
}
