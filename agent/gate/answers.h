/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers: to the kernel, which holds somebody, by the policy; to the engine,
 * what came of it.  Every question that somebody is held for passes here
 * exactly once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allow;
struct answers;
struct conf;
struct ident;
struct msg_verdict;
struct notify;
struct question;
struct report;

/* Borrows both.  NULL: no memory. */
struct answers *answers_new(struct notify *notify, struct report *report);
void answers_free(struct answers *answers);

/*
 * Who is told of a question with a `judge` instead of the kernel; he keeps
 * `arg`.
 */
typedef void (*answers_judge_fn)(void *arg, uint64_t judge, bool allow);
void answers_set_judge(struct answers *answers, answers_judge_fn judge,
		       void *arg);

/* Is told of each question that is answered and each scan (borrowed); NULL:
   nobody is. */
struct price;
void answers_set_price(struct answers *answers, struct price *price);

/* From the next answer on; borrows allow. */
void answers_set_policy(struct answers *answers, const struct conf *conf,
			const struct allow *allow);

/* A pending_answer_fn and a pending_expire_fn for struct answers. */
void answers_give(void *arg, const struct question *question,
		  const struct msg_verdict *verdict);
void answers_expire(void *arg, const struct question *question, bool first);

/*
 * Whether this is the second question of an execution that was allowed; then it
 * is answered, and its descriptor stays the caller's.
 */
bool answers_give_second(struct answers *answers,
			 const struct question *question);

/* The file was closed after writing: no such question counts any more. */
void answers_forget(struct answers *answers, const struct ident *ident);

/* A question of our own: nobody else is waited for. */
void answers_allow_own(struct answers *answers, int fd);

/*
 * 0, or -errno of the first answer that the kernel did not take: somebody waits
 * for ever unless we end.
 */
int answers_error(const struct answers *answers);

struct answers_counts {
	uint64_t asked;	 /* questions answered, the ones of our own left out */
	uint64_t second; /* of these, of executions that were allowed */
	uint64_t own;	 /* of our own */
	uint64_t judged; /* of `asked`, for khiend */
	uint64_t denied; /* in time or at the deadline */
	uint64_t deadline; /* answered without a verdict */
	uint64_t late;	   /* of these, verdicts that would have denied */
	uint64_t allowed;  /* let by because a responder allowed the content */
	uint64_t p50_us, p99_us, max_us; /* from asking to answering */
};
void answers_count(const struct answers *answers,
		   struct answers_counts *ret_counts);
