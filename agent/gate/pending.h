/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of unanswered questions.  A question is a file that was
 * written, executed, or handed to us to be scanned; questions about the same
 * content of a file share one scan, which the first of them, the leader,
 * stands for.
 *
 * All memory is there from the start.  A question enters by pending_add() and
 * leaves by pending_settle() alone.  Every answer is given by pending_answer(),
 * which also closes the descriptor.
 * While pending_room() is 0 the fanotify queue must not be read: the kernel
 * keeps what comes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ident;
struct msg_verdict;
struct pending;

/* Each question holds a descriptor: stay well below files_max in role.c. */
#define PENDING_MAX 4096
/* Of these, questions that the engine may have open: 16 to each client. */
#define PENDING_ASKED_MAX 512

/* What an asker says of its question. */
struct question {
	uint16_t cause;	  /* enum msg_cause */
	bool written;	  /* the file was just closed after writing */
	uint32_t pid;	  /* who wrote or executed; 0: asked */
	uint64_t tag;	  /* the asker's own */
	uint64_t boot_ns; /* when it was asked */
	int fd;
	const struct ident *ident; /* the file as it was when asked */
};

/* How one question was answered; the descriptor is closed after it returns. */
typedef void (*pending_answer_fn)(void *arg, const struct question *question,
				  const struct msg_verdict *verdict);

/* NULL: no memory. */
struct pending *pending_new(pending_answer_fn answer, void *arg);
/* Closes what is held, unanswered. */
void pending_free(struct pending *pending);

/* How many questions may still be added; `asked`: by the engine. */
size_t pending_room(const struct pending *pending, bool asked);

/*
 * Copies the question (with what ident points at) and takes its descriptor;
 * there must be room.  A file that waits to be scanned is not queued twice;
 * one that is being scanned is scanned again when it was written meanwhile.
 */
void pending_add(struct pending *pending, const struct question *question);

/*
 * The next scan, as its leader's number, now under way; -1 when nothing
 * waits.  Takes turns between executed, written and asked files, so that none
 * of them starves another.  See pending_again() and pending_settle() for how
 * it is given back.
 */
int pending_next(struct pending *pending);

/* The question with that number, while its scan is under way. */
const struct question *pending_get(const struct pending *pending, int leader);

/* Whether the file was written since its scan began. */
bool pending_is_dirty(const struct pending *pending, int leader);

/* Puts a scan that is under way back to the front of its queue. */
void pending_again(struct pending *pending, int leader);

/* Notes that the scan ended its scanner; returns how many it did by now. */
unsigned int pending_blame(struct pending *pending, int leader);

/* Answers every question of the scan with `verdict` (borrowed) and drops it. */
void pending_settle(struct pending *pending, int leader,
		    const struct msg_verdict *verdict);

/* Answers a question that does not enter the table, and closes its fd. */
void pending_answer(struct pending *pending, const struct question *question,
		    const struct msg_verdict *verdict);

/* Questions open now, and at most so far. */
size_t pending_len(const struct pending *pending);
size_t pending_len_max(const struct pending *pending);
