/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request about releases, from the moment its folder is locked to its
 * answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/release/choose.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"
#include "updater/verify/record.h"
#include "updater/verify/remote.h"

struct index;
struct msg_update;
struct msg_updated;
struct trusted;

#define JOB_NOTE_SIZE 1000

struct job {
	/* Set these first; all is borrowed. */
	int dir; /* the folder of updates */
	const struct trusted *trusted;
	const struct reason *trust_why; /* why there is none; or NULL */
	const char *engine;		/* its version */
	const char *seed; /* of the host: see updater/release/wave.h */
	int32_t place;	  /* 0 to 100, or CHOOSE_ANY_PLACE */
	int64_t now_s;	  /* this machine's clock */
	int chan;	  /* to who fetches; -1: nobody does */
	int parent;	  /* see struct remote_how */
	/* A sign of life: what was asked for so far; may be NULL. */
	void (*on_step)(void *arg, const struct remote_told *told);
	void *arg;

	/* What came of it. */
	struct record record;
	struct index *index;	     /* owned; NULL: it was not read */
	struct choose_result choice; /* of that index */
	int64_t left;		     /* staged before, and on the disk still */
	struct trust_times times;    /* after a refresh, but for its name */
	struct remote_told told;
	bool expired; /* something was refused for its age */
	struct reason why;
	char note[JOB_NOTE_SIZE];
};

/*
 * Returns 0, or -errno and job->why; *ret_updated is the answer in either case,
 * with texts that last as long as the job.  -EBUSY: another one is under way.
 * fd: of MSG_UPDATE_IMPORT, borrowed; else -1.
 */
int job_run(struct job *job, const struct msg_update *update, int fd,
	    struct msg_updated *ret_updated);
void job_done(struct job *job);

/* Adds a sentence to what is told beside the answer. */
void job_note(struct job *job, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes the record.  0 or -errno and job->why. */
int job_save(struct job *job);

/* Back to `number`, 0 to the package's rules, for good.  Likewise. */
int job_go_back(struct job *job, int64_t number);
