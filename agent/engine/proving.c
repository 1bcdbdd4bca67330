/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/proving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/engine/clock.h"
#include "agent/engine/engine.h"
#include "agent/engine/reason.h"
#include "agent/engine/roster.h"
#include "agent/engine/row.h"
#include "agent/engine/rules.h"
#include "agent/engine/store.h"
#include "agent/engine/values.h"
#include "agent/engine/writer.h"
#include "agent/lib/buf.h"
#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/paths.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define PROGRAM "/khien-proof"
#define RULE "khien_self_test" /* of signatures/yara/test/selftest.yar */
#define SECOND_NS UINT64_C(1000000000)
/* Scanners compile rules first: so long the first round waits for them. */
#define START_NS (20 * SECOND_NS)
/* Those that a reload replaces answer with the old rules until then. */
#define RELOAD_NS (2 * SECOND_NS)
#define WHY_MAX 512
#define VALUE_MAX 128

static const char *const keys[PROOF_MARKS] = {
	[PROOF_RUN] = "proof.run",
	[PROOF_EXEC] = "proof.exec",
	[PROOF_EXIT] = "proof.exit",
	[PROOF_SCAN] = "proof.scan",
};

static const char *const names[PROOF_PARTS] = {
	[PROOF_SENSOR] = "sensor",
	[PROOF_SCANNER] = "scanner",
	[PROOF_STORE] = "store",
};

void
proving_look_around(struct engine *engine)
{
	const char *state_dir = engine->peer->conf->state_dir;
	CLEANUP_FREE char *real = realpath(state_dir, NULL);
	struct proving *proving = engine->proving;

	(void)snprintf(proving->folder, sizeof(proving->folder), "%s/%s",
		       real ? real : state_dir, MSG_LIFE_FOLDER);
}

void
proving_set(struct engine *engine, const struct conf *conf)
{
	proof_set(&engine->proving->proof, conf->proof_s,
		  loop_now_ns() + RELOAD_NS);
}

/*
 * Why that part cannot be proved on this machine as it is configured, or NULL:
 * "off" when somebody wished it so.
 */
static const char *
find_hindrance(const struct engine *engine, enum proof_part part,
	       const char **ret_word)
{
	const struct values *values = engine->values;
	const struct conf *conf = engine->peer->conf;
	const char *exec =
		values_get(values, ROLE_SENSOR, "programs.process_exec");
	const char *where = values_get(values, ROLE_MOUNTS, "state_dir");

	*ret_word = "off";
	if (!conf->proof_s)
		return "[agent] proof_s is 0";
	if (part == PROOF_SENSOR && !conf->process)
		return "[sensor] process is off";
	if (part == PROOF_SCANNER && str_equal(conf->mode, "off"))
		return "[gate] mode is off";
	*ret_word = "impossible";
	if (part == PROOF_SENSOR && exec && !str_equal(exec, "attached"))
		return "kernel program process_exec is absent";
	if (part != PROOF_SCANNER)
		return NULL;
	if (paths_has(engine->proving->folder, conf->exclude))
		return "[gate] exclude names [agent] state_dir";
	if (where && !str_equal(where, "watched"))
		return where;
	return NULL;
}

static uint32_t
wanted(const struct engine *engine)
{
	const char *exit = values_get(engine->values, ROLE_SENSOR,
				      "programs.process_exit");
	const char *word;
	uint32_t bits = PROOF_BIT(PROOF_RUN);

	if (!find_hindrance(engine, PROOF_SENSOR, &word)) {
		bits |= PROOF_BIT(PROOF_EXEC);
		if (!exit || str_equal(exit, "attached"))
			bits |= PROOF_BIT(PROOF_EXIT);
	}
	if (!find_hindrance(engine, PROOF_SCANNER, &word))
		bits |= PROOF_BIT(PROOF_SCAN);
	return bits;
}

/* Whether all that takes part has said that it is there. */
static bool
is_complete(const struct engine *engine)
{
	return values_get(engine->values, ROLE_SENSOR,
			  "programs.process_exec") &&
	       values_get(engine->values, ROLE_GATE, "mode") &&
	       values_get(engine->values, ROLE_MOUNTS, "state_dir") &&
	       engine->rules->whole;
}

/* A row of this round. */
static void
store(struct engine *engine, enum proof_mark mark)
{
	char value[VALUE_MAX];

	(void)snprintf(value, sizeof(value), "%s %lld",
		       engine->proving->proof.nonce,
		       (long long)clock_now(engine->clock));
	row_begin(engine->row, STORE_META_PUT, EVENT_AGENT, 1);
	row_text(engine->row, keys[mark]);
	row_text(engine->row, value);
	writer_add(engine->writer);
}

/* Marks it, once; false: it is not of the last two rounds. */
static bool
take(struct engine *engine, enum proof_mark mark, const char *nonce)
{
	struct proof *proof = &engine->proving->proof;
	uint32_t before = proof->arrived;

	if (!proof_take(proof, mark, nonce))
		return false;
	if (proof->arrived != before)
		store(engine, mark);
	return true;
}

static void
begin(struct engine *engine, uint64_t now_ns)
{
	struct proving *proving = engine->proving;
	uint8_t bytes[MSG_LIFE_NONCE / 2 + sizeof(uint32_t)];
	char nonce[MSG_LIFE_NONCE + 1];
	uint32_t random;
	struct buf buf;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return;
	for (size_t i = 0; i < MSG_LIFE_NONCE / 2; i++)
		(void)snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
	memcpy(&random, bytes + MSG_LIFE_NONCE / 2, sizeof(random));
	proof_begin(&proving->proof, nonce, random, now_ns);
	proving->pid = 0;
	proving->error[0] = '\0';
	store(engine, PROOF_RUN);
	peer_begin(engine->peer, &buf, MSG_PROVE);
	msg_life_put_prove(&buf, nonce);
	/* A khiend that does not take it is what is to be found out. */
	(void)peer_write_parent(engine->peer, &buf, -1);
}

static void
read_back(struct engine *engine)
{
	struct proof *proof = &engine->proving->proof;
	char value[VALUE_MAX];

	for (size_t i = 0; i < PROOF_MARKS; i++)
		if (proof_is_unread(proof, i) &&
		    store_meta_get(engine->store, keys[i], value,
				   sizeof(value)) == 0 &&
		    strncmp(value, proof->nonce, MSG_LIFE_NONCE) == 0)
			proof_read(proof, i);
}

void
proving_second(struct engine *engine, uint64_t now_ns)
{
	struct proof *proof = &engine->proving->proof;

	read_back(engine);
	proof_look(proof, wanted(engine), now_ns);
	if (!proof_is_due(proof, now_ns))
		return;
	if (is_complete(engine) || now_ns - engine->started_ns >= START_NS)
		begin(engine, now_ns);
}

/* argv[1] of a program of that name, or "". */
static const char *
nonce_of(const struct event *event)
{
	const char *args = (const char *)event->args;
	size_t len = strlen(event->path);
	size_t tail = strlen(PROGRAM);
	size_t at = strnlen(args, event->args_len) + 1;

	/* Each argument is ended by a NUL, or what is missing was cut off. */
	if (len < tail || !str_equal(event->path + len - tail, PROGRAM) ||
	    event->args_len != at + MSG_LIFE_NONCE + 1 ||
	    args[event->args_len - 1] != '\0')
		return "";
	return args + at;
}

/*
 * The nonce of a file's name, or "": it is no proof's file.  On an overlay the
 * gate tells the path that it has on its layer.
 */
static const char *
nonce_in(const char *path, uint32_t uid)
{
	static const char tail[] = "/" MSG_LIFE_FOLDER "/" MSG_LIFE_FILE;
	size_t len = strlen(path);

	if (uid != 0 || len < sizeof(tail) - 1 + MSG_LIFE_NONCE)
		return "";
	const char *nonce = path + len - MSG_LIFE_NONCE;
	return msg_life_is_nonce(nonce) &&
			       str_starts(nonce - (sizeof(tail) - 1), tail) ?
		       nonce :
		       "";
}

/* Also of an engine before this one, whose nonces nobody knows. */
static bool
is_proofs(const struct engine *engine, const char *path, const char *nonce)
{
	const struct proof *proof = &engine->proving->proof;

	return *nonce && (str_equal(nonce, proof->nonce) ||
			  str_equal(nonce, proof->before) ||
			  paths_is_beneath(path, engine->proving->folder));
}

bool
proving_event(struct engine *engine, const struct event *event)
{
	struct proving *proving = engine->proving;

	switch (event->type) {
	case EVENT_EXEC:
		if (!take(engine, PROOF_EXEC, nonce_of(event)))
			return false;
		proving->pid = event->pid;
		proving->start_ns = event->start_ns;
		return true;
	case EVENT_EXIT:
		if (!proving->pid || event->pid != proving->pid ||
		    event->start_ns != proving->start_ns)
			return false;
		(void)take(engine, PROOF_EXIT, proving->proof.nonce);
		return true;
	case EVENT_CLOSE:
		return is_proofs(engine, event->path,
				 nonce_in(event->path, event->file_uid));
	default:
		return false;
	}
}

/* The site may have a copy of it.  Anything else that is found is told. */
static bool
is_rule_alone(const struct msg_verdict *verdict)
{
	for (uint32_t i = 0; i < verdict->len; i++)
		if (!str_equal(verdict->matches[i].rule, RULE))
			return false;
	return verdict->len > 0;
}

bool
proving_verdict(struct engine *engine, const struct msg_verdict *verdict)
{
	const char *nonce = nonce_in(verdict->path, verdict->uid);

	if (!is_proofs(engine, verdict->path, nonce) ||
	    verdict->cause != MSG_CAUSE_WRITE || verdict->result != MSG_MATCH ||
	    !is_rule_alone(verdict))
		return false;
	(void)take(engine, PROOF_SCAN, nonce);
	return true;
}

int
proving_take(struct engine *engine, struct buf *buf)
{
	struct proving *proving = engine->proving;
	struct msg_proved proved;

	if (msg_life_get_proved(buf, &proved) < 0)
		return -EBADMSG;
	if (str_equal(proved.nonce, proving->proof.nonce))
		(void)str_copy(proving->error, sizeof(proving->error),
			       proved.error);
	return 0;
}

static bool
has_rule(const struct engine *engine)
{
	const struct rules *rules = engine->rules;

	for (size_t i = 0; i < rules->active.len; i++) {
		const char *name = rules_name(rules, i);
		if (name && str_equal(name, RULE))
			return true;
	}
	return false;
}

/* What did not arrive, and what may be done about it. */
static void
explain(const struct engine *engine, enum proof_part part, char *dst,
	size_t size)
{
	const struct proving *proving = engine->proving;

	if (part != PROOF_STORE && proving->error[0])
		(void)snprintf(dst, size,
			       "khien-proof, which is run to see it, fails: %s",
			       proving->error);
	else if (part == PROOF_SENSOR)
		(void)snprintf(dst, size,
			       "the start and end of a program that the agent "
			       "ran were not told: what processes do may go "
			       "unseen; restart the agent, and see its log");
	else if (part == PROOF_STORE)
		(void)snprintf(dst, size,
			       "rows that were written cannot be read back: "
			       "events may be lost; see khienctl doctor");
	else if (!has_rule(engine))
		(void)snprintf(
			dst, size,
			"rule " RULE " is not in force, so that nobody "
			"can see whether files are scanned: put it among "
			"the rules again, then khienctl reload");
	else
		(void)snprintf(
			dst, size,
			"a marked file that the agent wrote was not "
			"found: what is written or run may go unscanned; "
			"khienctl doctor says what is wrong with "
			"scanners, gate and coverage");
}

static void
put_missed(const struct engine *engine, enum proof_part part, char *dst,
	   size_t size)
{
	const struct proof_entry *entry = &engine->proving->proof.parts[part];
	char when[REASON_TIME_SIZE];
	char why[WHY_MAX / 2];

	reason_time(engine, entry->since_ns, when);
	explain(engine, part, why, sizeof(why));
	(void)snprintf(dst, size,
		       "no proof of life of the %s since %s (%u missed): %s",
		       names[part], when, entry->missed, why);
}

void
proving_say(const struct engine *engine, enum proof_part part, char *dst,
	    size_t size, int *ret_grave)
{
	const char *word;
	const char *hindrance = find_hindrance(engine, part, &word);

	*ret_grave = REASON_OK;
	*dst = '\0';
	if (hindrance && str_equal(word, "impossible"))
		(void)snprintf(dst, size, "the %s cannot be proved to work: %s",
			       names[part], hindrance);
	if (hindrance ||
	    proof_state(&engine->proving->proof, part) != PROOF_BAD)
		return;
	*ret_grave = part == PROOF_STORE ? REASON_DEGRADED : REASON_AT_RISK;
	put_missed(engine, part, dst, size);
}

/* Of the last round that proved it; -1: there is none. */
static int64_t
age_s(const struct proof_entry *entry)
{
	return entry->last_ns ?
		       (int64_t)((loop_now_ns() - entry->last_ns) / SECOND_NS) :
		       -1;
}

bool
proving_check(const struct engine *engine, enum proof_part part, char *dst,
	      size_t size)
{
	const struct proof *proof = &engine->proving->proof;
	const char *word;
	const char *hindrance = find_hindrance(engine, part, &word);
	enum proof_state state = proof_state(proof, part);

	if (hindrance)
		(void)snprintf(dst, size, "%s: none (%s)", names[part],
			       hindrance);
	else if (state == PROOF_BAD)
		put_missed(engine, part, dst, size);
	else if (state == PROOF_WAITING)
		(void)snprintf(dst, size, "%s: not yet", names[part]);
	else
		(void)snprintf(dst, size, "%s: %lld s ago", names[part],
			       (long long)age_s(&proof->parts[part]));
	return hindrance || state != PROOF_BAD;
}

static struct doc *
part_write(struct engine *engine, enum proof_part part)
{
	const struct proof_entry *entry = &engine->proving->proof.parts[part];
	enum proof_state state = proof_state(&engine->proving->proof, part);
	const char *word = proof_word(state);
	const char *hindrance = find_hindrance(engine, part, &word);
	struct doc *doc = doc_new();
	char why[WHY_MAX];

	doc_set_text(doc, "state", hindrance ? word : proof_word(state));
	if (hindrance) {
		doc_set_text(doc, "why", hindrance);
		return doc;
	}
	doc_set_number(doc, "missed", entry->missed);
	if (entry->last_ns) {
		doc_set_number(doc, "age_s", age_s(entry));
		doc_set_time(doc, "last",
			     clock_wall(engine->clock, entry->last_ns));
	}
	if (state != PROOF_BAD)
		return doc;
	explain(engine, part, why, sizeof(why));
	doc_set_text(doc, "why", why);
	return doc;
}

void
proving_write(struct engine *engine, struct doc *doc)
{
	char name[64];

	doc_set_number(doc, "khien.proof.every_s", engine->peer->conf->proof_s);
	for (size_t i = 0; i < PROOF_PARTS; i++) {
		(void)snprintf(name, sizeof(name), "khien.proof.%s", names[i]);
		doc_set(doc, name, part_write(engine, i));
	}
}
