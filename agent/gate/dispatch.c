/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/gate/asker.h"
#include "agent/gate/histogram.h"
#include "agent/gate/ident.h"
#include "agent/gate/pending.h"
#include "agent/gate/policy.h"
#include "agent/gate/recall.h"
#include "agent/gate/scanner.h"
#include "agent/gate/trust.h"
#include "agent/lib/msg.h"

#define NONE SCANNER_NONE
#define NS_PER_MS 1000000U
#define NS_PER_US 1000U
/* Scanners that one file may end. */
#define BLAME_MAX 2
/* How long a question waits for its scanner's successor: khiend's back-off. */
#define RETRY_NS 6000000000U

struct dispatch {
	struct pending *pending; /* borrowed */
	struct recall *recall;	 /* borrowed */
	dispatch_stuck_fn stuck;
	void *arg;
	int proc; /* borrowed; -1: there is none */
	struct policy policy;
	uint64_t timeout_ns;
	uint64_t last_tag;
	struct scanner scanners[DISPATCH_SCANNERS_MAX];
	struct dispatch_counts counts; /* its last four are made when asked */
	struct histogram durations_us;
};

struct dispatch *
dispatch_new(struct pending *pending, struct recall *recall,
	     dispatch_stuck_fn stuck, void *arg)
{
	struct dispatch *dispatch = calloc(1, sizeof(*dispatch));

	if (!dispatch)
		return NULL;
	dispatch->pending = pending;
	dispatch->recall = recall;
	dispatch->proc = -1;
	dispatch->stuck = stuck;
	dispatch->arg = arg;
	for (size_t i = 0; i < DISPATCH_SCANNERS_MAX; i++)
		scanner_init(&dispatch->scanners[i]);
	return dispatch;
}

void
dispatch_free(struct dispatch *dispatch)
{
	free(dispatch);
}

void
dispatch_set_timeout(struct dispatch *dispatch, uint64_t timeout_ms)
{
	dispatch->timeout_ns = (timeout_ms + DISPATCH_GRACE_MS) * NS_PER_MS;
}

void
dispatch_set_policy(struct dispatch *dispatch, const struct conf *conf,
		    const struct allow *allow)
{
	policy_init(&dispatch->policy, conf, allow);
}

void
dispatch_set_proc(struct dispatch *dispatch, int proc)
{
	dispatch->proc = proc;
}

/* Without the time the machine sleeps: no scanner answers in it. */
static uint64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
describe(struct msg_verdict *verdict, const struct question *question,
	 uint16_t result, const char *error)
{
	*verdict = (struct msg_verdict){
		.result = result,
		.cause = question->cause,
		.size = question->ident->size,
		.sha256 = "",
		.error = error,
		.path = "",
	};
}

/* Settles a scan without a scanner's word. */
static void
settle(struct dispatch *dispatch, int leader, uint16_t result,
       const char *error)
{
	struct msg_verdict verdict;

	describe(&verdict, pending_get(dispatch->pending, leader), result,
		 error);
	pending_settle(dispatch->pending, leader, &verdict);
}

/* Fills in the answer when it is known without a scan. */
static bool
recall(struct dispatch *dispatch, const struct question *question,
       const struct ident *ident, bool executed, struct msg_verdict *verdict,
       bool *ret_leads)
{
	/* Where nobody tells of a write nothing is known for longer. */
	if (question->judge)
		return false;
	if (recall_find_bad(dispatch->recall, question, ident, verdict,
			    ret_leads) &&
	    policy_denies(&dispatch->policy, verdict,
			  trust_is_writable(ident))) {
		recall_bar(dispatch->recall, question, ident, verdict, true);
		dispatch->counts.bad++;
		return true;
	}
	switch (recall_find(dispatch->recall, question, ident, executed)) {
	case CACHE_CLEAN:
		describe(verdict, question, MSG_CLEAN, "");
		return true;
	case CACHE_CRASHES:
		describe(verdict, question, MSG_CRASHED,
			 "not scanned: this content ended a scanner before");
		return true;
	default:
		return false;
	}
}

void
dispatch_refuse(struct dispatch *dispatch, const struct question *question,
		uint16_t result, const char *error)
{
	struct msg_verdict verdict;

	if (question->written)
		recall_forget(dispatch->recall, question);
	if (question->waits)
		dispatch->counts.refused++;
	describe(&verdict, question, result, error);
	pending_answer(dispatch->pending, question, &verdict);
}

/* No room: what waits is answered as at its deadline. */
static void
drop(struct dispatch *dispatch, const struct question *question)
{
	uint16_t result = MSG_SKIPPED;

	if (question->cause == MSG_CAUSE_ASKED)
		result = MSG_FAILED;
	else if (question->waits)
		result = MSG_TIMEOUT;
	dispatch->counts.dropped++;
	dispatch_refuse(dispatch, question, result,
			"not scanned: too many files wait");
}

/*
 * Nothing to scan.  It may be filled any moment, before who executes it has
 * read it: that one is scanned with the care of any other.
 */
static bool
is_empty(const struct question *question)
{
	return question->ident->size == 0 &&
	       question->cause != MSG_CAUSE_ASKED &&
	       !(question->waits && question->cause == MSG_CAUSE_EXEC);
}

void
dispatch_ask(struct dispatch *dispatch, const struct question *question)
{
	bool asked = question->cause == MSG_CAUSE_ASKED;
	bool executed = question->waits && question->cause == MSG_CAUSE_EXEC;
	struct question whose = *question;
	struct msg_verdict verdict;

	if (is_empty(question)) {
		dispatch_refuse(dispatch, question, MSG_CLEAN, "");
		return;
	}
	if (question->written)
		recall_forget(dispatch->recall, question);
	if (recall(dispatch, question, question->ident, executed, &verdict,
		   &whose.leads)) {
		pending_answer(dispatch->pending, &whose, &verdict);
		return;
	}
	size_t room = asked ? pending_room(dispatch->pending, true) :
			      pending_room_reserve(dispatch->pending);
	if (room == 0) {
		drop(dispatch, question);
		return;
	}
	whose.uid =
		asker_uid(dispatch->proc, question->pid, question->ident->uid);
	pending_add(dispatch->pending, &whose);
}

void
dispatch_link(struct dispatch *dispatch, uint16_t index, uint32_t pid, int chan)
{
	if (index >= DISPATCH_SCANNERS_MAX)
		return;
	dispatch_unlink(dispatch, index);
	recall_renew(dispatch->recall);
	struct scanner *scanner = &dispatch->scanners[index];
	scanner->chan = chan;
	scanner->pid = pid;
	scanner->stuck = false;
}

/* Its hands are empty from now on; returns what was in them. */
static int
release(struct dispatch *dispatch, struct scanner *scanner)
{
	int leader = scanner->leader;

	recall_unguard(dispatch->recall, scanner->guard);
	scanner->guard = 0;
	scanner->leader = NONE;
	return leader;
}

/*
 * The scanner ended, or hangs, with a question in its hands.  That alone is no
 * proof against the file, for scanners are also replaced, killed and stopped;
 * but what its fresh successor does with it is.
 */
static void
blame(struct dispatch *dispatch, struct scanner *scanner, const char *error)
{
	int leader = release(dispatch, scanner);

	if (pending_blame(dispatch->pending, leader) < BLAME_MAX) {
		scanner->retry = leader;
		scanner->retry_ns = now_ns() + RETRY_NS;
		return;
	}
	dispatch->counts.crashes++;
	recall_add(dispatch->recall, -1, &scanner->ident, CACHE_CRASHES);
	settle(dispatch, leader, MSG_CRASHED, error);
}

void
dispatch_unlink(struct dispatch *dispatch, uint16_t index)
{
	if (index >= DISPATCH_SCANNERS_MAX)
		return;
	struct scanner *scanner = &dispatch->scanners[index];
	scanner->chan = -1;
	if (scanner->leader != NONE)
		blame(dispatch, scanner,
		      "the scanner ended while it read this file");
}

/* One that has its predecessor's question to settle comes first. */
static struct scanner *
find_idle(struct dispatch *dispatch)
{
	struct scanner *idle = NULL;

	for (size_t i = 0; i < DISPATCH_SCANNERS_MAX; i++) {
		struct scanner *scanner = &dispatch->scanners[i];

		if (scanner->chan < 0 || scanner->stuck ||
		    scanner->leader != NONE)
			continue;
		if (scanner->retry != NONE)
			return scanner;
		if (!idle)
			idle = scanner;
	}
	return idle;
}

/*
 * A scanner that was idle takes one small message, or is gone (its link will
 * end), or does not read at all.
 */
static void
send_failed(struct dispatch *dispatch, struct scanner *scanner, int error)
{
	scanner->stuck = true;
	pending_again(dispatch->pending, release(dispatch, scanner));
	if (error != -EPIPE && error != -ECONNRESET) {
		dispatch->counts.stuck++;
		dispatch->stuck(dispatch->arg,
				(uint16_t)(scanner - dispatch->scanners),
				scanner->pid);
	}
}

/* Hands one question over, or settles it from memory. */
static void
start(struct dispatch *dispatch, struct scanner *scanner, int leader)
{
	const struct question *question =
		pending_get(dispatch->pending, leader);
	struct msg_verdict verdict;
	bool leads; /* the table knows */

	int r = recall_look(question, &scanner->ident);
	if (r < 0) {
		settle(dispatch, leader, MSG_FAILED, strerror(-r));
		return;
	}
	if (recall(dispatch, question, &scanner->ident,
		   pending_is_executed(dispatch->pending, leader), &verdict,
		   &leads)) {
		pending_settle(dispatch->pending, leader, &verdict);
		return;
	}

	scanner->leader = leader;
	scanner->executed = pending_is_executed(dispatch->pending, leader);
	if (scanner->executed)
		scanner->guard = recall_guard(dispatch->recall, question->fd,
					      &scanner->ident);
	scanner->tag = ++dispatch->last_tag;
	scanner->generation = recall_generation(dispatch->recall);
	scanner->sent_ns = now_ns();
	scanner->deadline_ns = scanner->sent_ns + dispatch->timeout_ns;
	dispatch->counts.scans++;
	r = scanner_send(scanner, question);
	if (r < 0)
		send_failed(dispatch, scanner, r);
}

void
dispatch_run(struct dispatch *dispatch)
{
	for (;;) {
		struct scanner *scanner = find_idle(dispatch);

		if (!scanner)
			return;
		int leader = scanner->retry;
		scanner->retry = NONE;
		if (leader == NONE)
			leader = pending_next(dispatch->pending);
		if (leader == NONE)
			return;
		start(dispatch, scanner, leader);
	}
}

/* Remembers a file, if it is still the one that was scanned. */
static void
remember(struct dispatch *dispatch, const struct scanner *scanner,
	 const struct msg_verdict *verdict, bool bad)
{
	const struct question *question =
		pending_get(dispatch->pending, scanner->leader);

	recall_bar(dispatch->recall, question, &scanner->ident, verdict, bad);
	if ((!bad && verdict->result != MSG_CLEAN) || verdict->flags != 0 ||
	    question->judge ||
	    scanner->generation != recall_generation(dispatch->recall) ||
	    pending_is_dirty(dispatch->pending, scanner->leader))
		return;
	if (!bad)
		recall_add(dispatch->recall, question->fd, &scanner->ident,
			   CACHE_CLEAN);
	else
		recall_add_bad(dispatch->recall, question->fd, &scanner->ident,
			       verdict);
}

/*
 * Whether who waits for the file may have it: it is as it was scanned,
 * and when it is to be executed, stays so until it is.  Otherwise it was given
 * back to be scanned again, until its deadline.
 */
static bool
is_final(struct dispatch *dispatch, const struct scanner *scanner,
	 const struct msg_verdict *verdict)
{
	struct pending *pending = dispatch->pending;
	int leader = scanner->leader;

	if (!pending_is_waited(pending, leader))
		return true;
	if (pending_is_dirty(pending, leader)) {
		dispatch->counts.again++;
		pending_again(pending, leader);
		return false;
	}
	if (!pending_is_executed(pending, leader) ||
	    (!(verdict->flags & MSG_CHANGED) &&
	     recall_secure(dispatch->recall, pending_get(pending, leader)->fd,
			   &scanner->ident, scanner->guard)))
		return true;
	dispatch->counts.again++;
	/* The writer may be one of them. */
	pending_answer_opens(pending, leader, verdict);
	/* Who executes it may have come later than the scan began. */
	if (scanner->executed)
		pending_rest(pending, leader);
	else
		pending_again(pending, leader);
	return false;
}

int
dispatch_verdict(struct dispatch *dispatch, uint16_t index,
		 const struct msg_verdict *verdict)
{
	if (index >= DISPATCH_SCANNERS_MAX)
		return -EBADMSG;
	struct scanner *scanner = &dispatch->scanners[index];
	if (scanner->stuck)
		return 0;
	if (scanner->leader == NONE || verdict->tag != scanner->tag)
		return -EBADMSG;

	histogram_add(&dispatch->durations_us,
		      (now_ns() - scanner->sent_ns) / NS_PER_US);
	bool denies = policy_denies(&dispatch->policy, verdict,
				    trust_is_writable(&scanner->ident));
	remember(dispatch, scanner, verdict,
		 denies && verdict->result == MSG_MATCH);
	if (denies || is_final(dispatch, scanner, verdict))
		pending_settle(dispatch->pending, scanner->leader, verdict);
	(void)release(dispatch, scanner);
	return 0;
}

/* No successor came: any other scanner will do. */
static void
stop_waiting(struct dispatch *dispatch, struct scanner *scanner, uint64_t now)
{
	if (now < scanner->retry_ns)
		return;
	pending_again(dispatch->pending, scanner->retry);
	scanner->retry = NONE;
}

bool
dispatch_tick(struct dispatch *dispatch)
{
	uint64_t now = now_ns();
	bool busy = false;

	for (uint16_t i = 0; i < DISPATCH_SCANNERS_MAX; i++) {
		struct scanner *scanner = &dispatch->scanners[i];

		if (scanner->retry != NONE) {
			busy = true;
			stop_waiting(dispatch, scanner, now);
		}
		if (scanner->leader == NONE)
			continue;
		busy = true;
		if (now < scanner->deadline_ns)
			continue;
		scanner->stuck = true;
		dispatch->counts.stuck++;
		dispatch->stuck(dispatch->arg, i, scanner->pid);
		blame(dispatch, scanner, "the scanner did not answer in time");
	}
	return busy;
}

void
dispatch_count(const struct dispatch *dispatch,
	       struct dispatch_counts *ret_counts)
{
	const struct histogram *durations = &dispatch->durations_us;

	*ret_counts = dispatch->counts;
	for (size_t i = 0; i < DISPATCH_SCANNERS_MAX; i++)
		if (dispatch->scanners[i].chan >= 0 &&
		    !dispatch->scanners[i].stuck)
			ret_counts->scanners++;
	ret_counts->p50_us = histogram_find(durations, 50);
	ret_counts->p99_us = histogram_find(durations, 99);
	ret_counts->max_us = durations->max;
}
