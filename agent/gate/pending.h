/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of unanswered questions.  A question is a file that was
 * written, executed, opened, or handed to us to be scanned; questions about the
 * same content of a file share one scan, which the first of them, the leader,
 * stands for.  For some of them the kernel keeps somebody waiting: those are
 * answered at their deadline even when the scan is not through.
 *
 * All memory is there from the start.  A question enters by pending_add() and
 * leaves by one function alone, which answers it unless that was done at its
 * deadline, and closes the descriptor.
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
#define PENDING_MAX 16384
/* Of these, questions that the engine may have open: 16 to each client. */
#define PENDING_ASKED_MAX 512
/* Of these, what is read on behalf of our own starting processes, whose
   questions may stand behind others. */
#define PENDING_RESERVE 512
/* Where descriptors are few: how much of the table each of the two may be. */
#define PENDING_SHARE 8

/* What an asker says of its question. */
struct question {
	uint16_t cause;	  /* enum msg_cause */
	bool written;	  /* the file was just closed after writing */
	bool waits;	  /* somebody is held until the kernel is answered */
	uint64_t judge;	  /* not by the kernel, which has executed it: khiend's
			     number, who is answered; 0: none */
	uint32_t pid;	  /* who wrote, opened or executed; 0: asked */
	uint32_t uid;	  /* on whose behalf: users take turns */
	uint64_t tag;	  /* the asker's own */
	uint64_t boot_ns; /* when it was asked, as far as we heard of it */
	uint64_t queued_ns; /* how long before that it may have been asked */
	int fd;
	const struct ident *ident; /* the file as it was when asked */
	bool spared; /* [gate] enforce leaves out its file system */
	/* Set by the table. */
	bool leads; /* the scan is its own */
	bool late; /* who shared the scan, or this one, had no answer in time */
	bool busy; /* scanned as clean, but somebody has it open to write */
};

/* How one question was answered; the descriptor is closed after it returns. */
typedef void (*pending_answer_fn)(void *arg, const struct question *question,
				  const struct msg_verdict *verdict);
/*
 * Its deadline passed: who waits is to be answered now.  `first`: of its scan,
 * which goes on.
 */
typedef void (*pending_expire_fn)(void *arg, const struct question *question,
				  bool first);

/* NULL: no memory. */
struct pending *pending_new(pending_answer_fn answer, pending_expire_fn expire,
			    void *arg);
/* Closes what is held, unanswered: the end of the group answers for us. */
void pending_free(struct pending *pending);

/*
 * No more than `max` questions, if that is less than PENDING_MAX: so that there
 * is a descriptor for each.
 */
void pending_set_max(struct pending *pending, size_t max);

/* How many questions may still be added; `asked`: by the engine. */
size_t pending_room(const struct pending *pending, bool asked);
/* The same for the kernel's questions, the reserve included. */
size_t pending_room_reserve(const struct pending *pending);

/*
 * Copies the question (with what ident points at) and takes its descriptor;
 * there must be room.  A file that waits to be scanned is not queued twice;
 * one that is being scanned is scanned again when it was written meanwhile.
 */
void pending_add(struct pending *pending, const struct question *question);

/*
 * The next scan, as its leader's number, now under way; -1 when nothing
 * waits.  Takes turns between executed, written and asked files, so that none
 * of them starves another, but files that somebody is held for have seven turns
 * of eight; among each kind users take turns.  See pending_again(),
 * pending_rest() and pending_settle() for how it is given back.
 */
int pending_next(struct pending *pending);

/* The question with that number, while its scan is under way. */
const struct question *pending_get(const struct pending *pending, int leader);

/* Whether the file was written since its scan began. */
bool pending_is_dirty(const struct pending *pending, int leader);

/* Whether somebody is held for this scan; and for executing the file. */
bool pending_is_waited(const struct pending *pending, int leader);
bool pending_is_executed(const struct pending *pending, int leader);

/* Puts a scan that is under way back to the front of its queue. */
void pending_again(struct pending *pending, int leader);

/*
 * Lays a scan that is under way aside until pending_wake(): the file was clean,
 * but somebody has it open to write.
 */
void pending_rest(struct pending *pending, int leader);
/* Returns whether there were any. */
bool pending_wake(struct pending *pending);

/* Notes that the scan ended its scanner; returns how many it did by now. */
unsigned int pending_blame(struct pending *pending, int leader);

/* Answers every question of the scan with `verdict` (borrowed) and drops it. */
void pending_settle(struct pending *pending, int leader,
		    const struct msg_verdict *verdict);

/*
 * Lets all expire that may have been asked at `until_ns` or before.  Those that
 * only share a scan leave; the scan itself goes on behind those that are
 * awaited.
 */
void pending_expire(struct pending *pending, uint64_t until_ns);
/* When the oldest of those that somebody is held for was asked; 0: none. */
uint64_t pending_oldest_ns(const struct pending *pending);

/* Answers those who opened it; who executes it waits on, and the scan is as it
   was: call it between that scan's verdict and what becomes of it. */
void pending_answer_opens(struct pending *pending, int leader,
			  const struct msg_verdict *verdict);

/* Settles those of that process that somebody is held for. */
void pending_release(struct pending *pending, uint32_t pid,
		     const struct msg_verdict *verdict);

/* Answers a question that does not enter the table, and closes its fd. */
void pending_answer(struct pending *pending, const struct question *question,
		    const struct msg_verdict *verdict);

/* Questions open now, and at most so far. */
size_t pending_len(const struct pending *pending);
size_t pending_len_max(const struct pending *pending);
