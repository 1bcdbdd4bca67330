/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/answers.h"

#include <stdlib.h>

#include "agent/gate/histogram.h"
#include "agent/gate/ident.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/policy.h"
#include "agent/gate/price.h"
#include "agent/gate/report.h"
#include "agent/gate/second.h"
#include "agent/gate/trust.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

#define NS_PER_US 1000U

struct answers {
	struct notify *notify; /* borrowed */
	struct report *report; /* borrowed */
	struct price *price;   /* borrowed, or NULL */
	struct policy policy;
	answers_judge_fn judge;
	void *judge_arg;
	int error;
	struct answers_counts counts; /* its last three are made when asked */
	struct histogram waits_us;
	struct second second;
	char path[CONF_PATH_MAX];
};

struct answers *
answers_new(struct notify *notify, struct report *report)
{
	struct answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		return NULL;
	answers->notify = notify;
	answers->report = report;
	return answers;
}

void
answers_free(struct answers *answers)
{
	free(answers);
}

void
answers_set_judge(struct answers *answers, answers_judge_fn judge, void *arg)
{
	answers->judge = judge;
	answers->judge_arg = arg;
}

void
answers_set_price(struct answers *answers, struct price *price)
{
	answers->price = price;
}

void
answers_set_policy(struct answers *answers, const struct conf *conf,
		   const struct allow *allow)
{
	policy_init(&answers->policy, conf, allow);
}

/* The only place from which the kernel is answered. */
static void
reply(struct answers *answers, int fd, bool allow)
{
	int r = notify_answer(answers->notify, fd, allow);

	if (r < 0 && answers->error == 0)
		answers->error = r;
}

static uint64_t
waited_us(const struct question *question)
{
	uint64_t now_ns = loop_now_ns() + question->queued_ns;

	return now_ns > question->boot_ns ?
		       (now_ns - question->boot_ns) / NS_PER_US :
		       0;
}

static void
reply_judge(struct answers *answers, uint64_t judge, bool allow)
{
	answers->counts.judged++;
	if (answers->judge)
		answers->judge(answers->judge_arg, judge, allow);
}

/* Returns how long it took, in microseconds. */
static uint32_t
answer(struct answers *answers, const struct question *question, bool allow)
{
	if (question->judge)
		reply_judge(answers, question->judge, allow);
	else
		reply(answers, question->fd, allow);
	uint64_t us = waited_us(question);
	histogram_add(&answers->waits_us, us);
	answers->counts.asked++;
	if (answers->price)
		price_question(answers->price, question);
	if (!allow)
		answers->counts.denied++;
	else if (question->cause == MSG_CAUSE_EXEC && !question->judge)
		second_note(&answers->second, question->pid, question->ident,
			    loop_now_ns());
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void
tell(struct answers *answers, const struct question *question,
     const struct msg_verdict *verdict, uint16_t how, uint32_t us)
{
	struct msg_verdict told = *verdict;
	const struct ident *ident = question->ident;
	bool allowed = policy_allows(&answers->policy, verdict);

	if (file_path(question->fd, answers->path, sizeof(answers->path)) < 0)
		answers->path[0] = '\0';
	told.flags &= MSG_PARTIAL | MSG_CHANGED;
	told.flags |= allowed ? MSG_ALLOWED : 0;
	told.tag = question->tag;
	told.cause = question->cause;
	told.boot_ns = question->boot_ns;
	told.pid = question->pid;
	told.device = ident->device;
	told.inode = ident->inode;
	told.mode = ident->mode;
	told.uid = ident->uid;
	told.gid = ident->gid;
	told.path = answers->path;
	told.answer = how;
	told.waited_us = us;
	/* Whoever is to act needs the file itself, not its name. */
	bool acts = question->leads && !allowed && !question->spared &&
		    policy_counts(&answers->policy, verdict);
	report_verdict(answers->report, &told, acts ? question->fd : -1);
}

static bool
denies(const struct answers *answers, const struct question *question,
       const struct msg_verdict *verdict)
{
	return policy_denies(&answers->policy, verdict,
			     trust_is_writable(question->ident));
}

void
answers_give(void *arg, const struct question *question,
	     const struct msg_verdict *verdict)
{
	struct answers *answers = arg;
	uint16_t how = MSG_ANSWER_NONE;
	uint32_t us = 0;

	if (question->waits) {
		bool allow = !denies(answers, question, verdict);

		us = answer(answers, question, allow);
		how = allow ? MSG_ANSWER_ALLOWED : MSG_ANSWER_DENIED;
		answers->counts.allowed +=
			policy_allows(&answers->policy, verdict);
	} else if (question->late) {
		how = MSG_ANSWER_LATE;
		if (denies(answers, question, verdict))
			answers->counts.late++;
	}
	/* One that is recalled took no time. */
	if (answers->price && question->leads && verdict->duration_us)
		price_scan(answers->price, question, verdict->duration_us);
	if (question->cause == MSG_CAUSE_ASKED ||
	    (verdict->result != MSG_CLEAN && verdict->result != MSG_SKIPPED))
		tell(answers, question, verdict, how, us);
}

void
answers_expire(void *arg, const struct question *question, bool first)
{
	struct answers *answers = arg;
	struct msg_verdict verdict = {
		.result = MSG_TIMEOUT,
		.cause = question->cause,
		.size = question->ident->size,
		.sha256 = "",
		.error = question->busy ? "open to write when it was to be "
					  "executed" :
					  "not scanned within the deadline",
		.path = "",
	};
	/*
	 * With a writer the kernel refuses to execute it anyway, unless he is
	 * gone at that very moment and what he left was never scanned.
	 */
	bool deny = denies(answers, question, &verdict) ||
		    (question->busy && question->cause == MSG_CAUSE_EXEC &&
		     !question->judge);
	uint32_t us = answer(answers, question, !deny);

	answers->counts.deadline++;
	if (first)
		tell(answers, question, &verdict,
		     deny ? MSG_ANSWER_DEADLINE_DENIED :
			    MSG_ANSWER_DEADLINE_ALLOWED,
		     us);
}

bool
answers_give_second(struct answers *answers, const struct question *question)
{
	if (!question->waits || question->cause != MSG_CAUSE_OPEN ||
	    !second_take(&answers->second, question->pid, question->ident,
			 question->boot_ns))
		return false;
	answers->counts.second++;
	(void)answer(answers, question, true);
	return true;
}

void
answers_forget(struct answers *answers, const struct ident *ident)
{
	second_forget(&answers->second, ident);
}

void
answers_allow_own(struct answers *answers, int fd)
{
	answers->counts.own++;
	reply(answers, fd, true);
}

int
answers_error(const struct answers *answers)
{
	return answers->error;
}

void
answers_count(const struct answers *answers, struct answers_counts *ret_counts)
{
	*ret_counts = answers->counts;
	ret_counts->p50_us = histogram_find(&answers->waits_us, 50);
	ret_counts->p99_us = histogram_find(&answers->waits_us, 99);
	ret_counts->max_us = answers->waits_us.max;
}
