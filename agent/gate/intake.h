/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an event of the kernel to a question for the scanners and an event for
 * the engine.  What the agent itself does is left out, or the store's writes
 * would feed themselves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answers;
struct conf;
struct dispatch;
struct intake;
struct marks;
struct notify_event;
struct report;

/* Our own, our parent's and those at the other ends of our links. */
#define INTAKE_PIDS_MAX 18
/* Of ours that are about to execute, or have no link with us. */
#define INTAKE_ANNOUNCED_MAX 32

/* Borrows all of them.  NULL: no memory. */
struct intake *intake_new(struct dispatch *dispatch, struct answers *answers,
			  struct report *report, const struct marks *marks,
			  const struct conf *conf);
void intake_free(struct intake *intake);

/* /proc, to know who asks (borrowed); -1: not known. */
void intake_set_proc(struct intake *intake, int proc);

/* Processes whose doings are ours, while none of them is an ordinary user's. */
void intake_set_pids(struct intake *intake, const uint32_t *pids, size_t len);

/*
 * Another one, until intake_settled(): khiend starts it.  The oldest is
 * forgotten when there are too many.
 */
void intake_announce(struct intake *intake, uint32_t pid);
void intake_settled(struct intake *intake, uint32_t pid);
/* Whether there are any. */
bool intake_expects(const struct intake *intake);

/* A notify_fn for struct intake. */
void intake_event(void *arg, const struct notify_event *event);

/*
 * A file that the engine wants scanned; takes the descriptor.  Its answer
 * carries the tag.
 */
void intake_ask(struct intake *intake, uint64_t tag, int fd);

/*
 * A file that a process runs which is held by khiend's side since `boot_ns`;
 * takes the descriptor.  See answers_set_judge() for the answer.
 */
struct msg_judge;
void intake_judge(struct intake *intake, const struct msg_judge *judge, int fd);

struct intake_counts {
	uint64_t written, executed, opened;
	uint64_t ignored;  /* our own, or not a regular file */
	uint64_t excluded; /* told, but not scanned */
};
void intake_count(const struct intake *intake,
		  struct intake_counts *ret_counts);
