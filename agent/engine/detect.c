/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/detect.h"

#include <stdio.h>

#include "agent/engine/act.h"
#include "agent/engine/behaviour.h"
#include "agent/engine/clock.h"
#include "agent/engine/engine.h"
#include "agent/engine/fold.h"
#include "agent/engine/guard.h"
#include "agent/engine/heat.h"
#include "agent/engine/image.h"
#include "agent/engine/loss.h"
#include "agent/engine/patience.h"
#include "agent/engine/progress.h"
#include "agent/engine/record.h"
#include "agent/engine/row.h"
#include "agent/engine/spool.h"
#include "agent/engine/store.h"
#include "agent/engine/tree.h"
#include "agent/engine/writer.h"
#include "agent/lib/event.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

#define DESCRIPTION_MAX 256

bool
detect_own_match(const struct msg_verdict *verdict, struct msg_match *ret_match)
{
	struct msg_match match = { .id = "", .ruleset = "khien", .attack = "" };

	if (verdict->result == MSG_CRASHED) {
		match.rule = "khien_scanner_crashed";
		match.description = "the scanner died while it read this file";
		match.severity = "high";
	} else if (verdict->result == MSG_TIMEOUT) {
		match.rule = "khien_scanner_timeout";
		match.description =
			"the scan of this file did not end within its limit";
		match.severity = "medium";
	} else {
		return false;
	}
	*ret_match = match;
	return true;
}

bool
detect_is_due(const struct msg_verdict *verdict)
{
	return verdict->len || verdict->result == MSG_CRASHED ||
	       verdict->result == MSG_TIMEOUT;
}

/* Counts what is not told. */
static void
note(struct engine *engine, const struct msg_verdict *verdict)
{
	if (verdict->result != MSG_FAILED)
		return;
	engine->scans_failed++;
	(void)snprintf(engine->scan_error, sizeof(engine->scan_error), "%s: %s",
		       verdict->path, verdict->error);
}

/* Counts up the earlier row, which may still be in memory: rows keep order. */
static void
count_up(struct engine *engine, const struct fold_key *key)
{
	row_begin(engine->row, STORE_FOLD, EVENT_AGENT, 1);
	row_number(engine->row, clock_now(engine->clock));
	row_text(engine->row, key->rule);
	row_text(engine->row, key->sha256);
	row_text(engine->row, key->path);
	row_text(engine->row, key->executable);
	writer_add(engine->writer);
	engine->folded++;
}

static void
raise_match(struct engine *engine, const struct msg_verdict *verdict,
	    const struct msg_match *match, struct tree_process *process)
{
	const struct image *image =
		image_at(process ? process->image : NULL, verdict->boot_ns);
	struct fold_key key = {
		.rule = match->rule,
		.sha256 = verdict->sha256,
		.path = verdict->path,
		.executable = image ? image->executable : "",
	};

	heat_rule(engine, match->rule, verdict->pid);
	if (fold_repeats(engine->fold, &key, loop_now_ns())) {
		count_up(engine, &key);
		return;
	}
	if (record_detection(engine->row, verdict, match, engine->tree, process,
			     engine->store, engine->clock) < 0) {
		log_error("detection of %s in %s lost: out of memory",
			  match->rule, verdict->path);
		loss_add(engine->loss, EVENT_CRITICAL, 1);
		return;
	}
	writer_add(engine->writer);
	engine->detections++;
}

/* How an execution where the gate cannot look ended. */
static struct msg_match
stop_match(const struct event *event)
{
	struct msg_match match = {
		.rule = "khien_unreached_killed",
		.id = "",
		.ruleset = "khien",
		.description = "executed from where the gate cannot "
			       "look, and killed before its first "
			       "instruction",
		.severity = "high",
		.attack = "T1620"
	};

	if (event->flags & EVENT_KILLED)
		return match;
	match.rule = "khien_unreached_ran";
	match.description = "executed from where the gate cannot look, and "
			    "nobody could hold it: it ran without a scan";
	match.severity = "medium";
	return match;
}

/* What an event says of its file, as if that had been scanned. */
static void
begin_verdict(struct msg_verdict *verdict, const struct event *event,
	      uint16_t cause)
{
	*verdict = (struct msg_verdict){
		.result = MSG_SKIPPED,
		.cause = cause,
		.size = event->size,
		.sha256 = "",
		.error = "",
		.len = 1,
		.boot_ns = event->boot_ns,
		.pid = event->pid,
		.device = event->device,
		.inode = event->inode,
		.mode = event->mode,
		.uid = event->file_uid,
		.gid = event->file_gid,
		.path = event->path,
	};
}

void
detect_stopped(struct engine *engine, const struct event *event,
	       struct tree_process *process)
{
	/* Too large for the stack; nothing here is called again meanwhile. */
	static struct msg_verdict verdict;

	/* Told when its file was judged. */
	if (event->flags & (EVENT_HELD | EVENT_FOREIGN))
		return;
	begin_verdict(&verdict, event, MSG_CAUSE_EXEC);
	verdict.answer = event->flags & EVENT_KILLED ? MSG_ANSWER_DENIED :
						       MSG_ANSWER_NONE;
	verdict.matches[0] = stop_match(event);
	raise_match(engine, &verdict, &verdict.matches[0], process);
	act_mark(engine, &verdict);
}

void
detect_denied(struct engine *engine, const struct event *event,
	      struct tree_process *process)
{
	/* Too large for the stack; nothing here is called again meanwhile. */
	static struct msg_verdict verdict;

	begin_verdict(&verdict, event, MSG_CAUSE_OPEN);
	verdict.answer = MSG_ANSWER_DENIED;
	verdict.matches[0] = (struct msg_match){
		.rule = "khien_mapping_denied",
		.id = "",
		.ruleset = "khien",
		.description = "a file that was found bad was to be mapped as "
			       "code, and that was refused",
		.severity = "high",
		.attack = "T1129",
	};
	raise_match(engine, &verdict, &verdict.matches[0], process);
	act_mark(engine, &verdict);
}

/*
 * Long arguments come from the store; and all the rows of a verdict or event
 * must come into one transaction, with its number.
 */
static void
make_ready(struct engine *engine, const struct tree_process *process)
{
	if ((process && process->image && process->image->args_cut) ||
	    engine->spool->len >= WRITER_ROWS_MAX / 2)
		writer_flush(engine->writer);
}

void
detect_ready(struct engine *engine, const struct event *event)
{
	if (behaviour_knows(event->type) && event->pid)
		make_ready(engine, tree_find(engine->tree, event->pid,
					     event->start_ns));
}

static void
set_scene(struct behaviour_scene *scene, struct tree *tree,
	  const struct event *event, const struct tree_process *process)
{
	const struct image *image =
		image_at(process ? process->image : NULL, event->boot_ns);
	const struct tree_process *target = NULL;

	*scene = (struct behaviour_scene){
		.executable = image ? image->executable : "",
		.comm = event->comm,
	};
	if (event->target_pid && event->target_start_ns)
		target = tree_find(tree, event->target_pid,
				   event->target_start_ns);
	if (!target)
		return;
	scene->target_known = true;
	scene->target_own = tree_descends(tree, target, process);
	scene->target_uid = target->uid;
	scene->target_euid = target->euid;
	scene->target_caps = target->caps;
}

/* What it is about: a file, or the program of whom it was done to. */
static const char *
object_of(struct engine *engine, const struct event *event)
{
	const struct tree_process *target = NULL;

	if (*event->path)
		return event->path;
	/* The agent's own processes are in no tree. */
	if (event->type == EVENT_GUARD)
		return guard_program(engine, event->target_pid);
	if (event->target_pid && event->target_start_ns)
		target = tree_find(engine->tree, event->target_pid,
				   event->target_start_ns);
	const struct image *image =
		image_at(target ? target->image : NULL, event->boot_ns);
	return image ? image->executable : "";
}

void
detect_behaviour(struct engine *engine, const struct event *event,
		 struct tree_process *process)
{
	/* Too large for the stack; nothing here is called again meanwhile. */
	static struct msg_verdict verdict;
	static char description[DESCRIPTION_MAX];
	struct behaviour_scene scene;

	set_scene(&scene, engine->tree, event, process);
	const struct behaviour *behaviour = behaviour_judge(event, &scene);
	if (!behaviour)
		return;
	begin_verdict(&verdict, event, MSG_CAUSE_BEHAVIOUR);
	verdict.path = object_of(engine, event);
	verdict.matches[0] = (struct msg_match){
		.rule = behaviour->name,
		.id = behaviour->id,
		.ruleset = BEHAVIOUR_RULESET,
		.description = behaviour->description,
		.severity = behaviour->severity,
		.attack = behaviour->attack,
	};
	if (behaviour_describe(event, description, sizeof(description)))
		verdict.matches[0].description = description;
	raise_match(engine, &verdict, &verdict.matches[0], process);
}

/* The gate sends again what it does not know to be stored. */
static bool
is_new(struct engine *engine, const struct msg_verdict *verdict)
{
	return !verdict->number ||
	       progress_take(engine->progress, EVENT_AGENT, EVENT_CPU_VERDICT,
			     verdict->number, verdict->boot_ns);
}

/* An asker did nothing to the file: there is no process to tell. */
static bool
has_process(const struct msg_verdict *verdict)
{
	return verdict->cause != MSG_CAUSE_ASKED && verdict->pid;
}

static void
raise_all(struct engine *engine, const struct msg_verdict *verdict)
{
	struct tree_process *process = NULL;
	struct msg_match own;

	if (has_process(verdict))
		process = tree_find_at(engine->tree, verdict->pid,
				       verdict->boot_ns);
	make_ready(engine, process);
	if (!is_new(engine, verdict)) {
		engine->duplicates++;
		return;
	}
	for (uint32_t i = 0; i < verdict->len; i++)
		raise_match(engine, verdict, &verdict->matches[i], process);
	if (detect_own_match(verdict, &own))
		raise_match(engine, verdict, &own, process);
	act_mark(engine, verdict);
}

void
detect_raise(struct engine *engine, const struct peer_link *link,
	     const struct msg_verdict *verdict)
{
	raise_all(engine, verdict);
	writer_ack(engine->writer, link, verdict->number);
	writer_flush(engine->writer);
}

void
detect_verdict(struct engine *engine, const struct peer_link *link,
	       const struct msg_verdict *verdict, const uint8_t *bytes,
	       size_t len)
{
	if (!detect_is_due(verdict)) {
		note(engine, verdict);
		writer_ack(engine->writer, link, verdict->number);
		return;
	}
	if (has_process(verdict) &&
	    patience_wait(engine->patience, link, MSG_VERDICT, verdict->boot_ns,
			  bytes, len) == 0)
		return;
	detect_raise(engine, link, verdict);
}
