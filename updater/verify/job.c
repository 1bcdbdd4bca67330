/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg_update.h"
#include "updater/client/folder.h"
#include "updater/release/index.h"
#include "updater/verify/activate.h"
#include "updater/verify/answer.h"
#include "updater/verify/bring.h"
#include "updater/verify/layout.h"
#include "updater/verify/sweep.h"
#include "updater/verify/tree.h"

void
job_done(struct job *job)
{
	index_free(job->index);
	job->index = NULL;
}

void
job_note(struct job *job, const char *format, ...)
{
	size_t len = strlen(job->note);
	va_list args;

	if (len && len + 2 < sizeof(job->note)) {
		memcpy(job->note + len, "; ", 3);
		len += 2;
	}
	va_start(args, format);
	(void)vsnprintf(job->note + len, sizeof(job->note) - len, format, args);
	va_end(args);
}

int
job_save(struct job *job)
{
	struct folder folder = { job->dir, -1 };

	return record_save(&folder, &job->record, &job->why);
}

static int
lock(struct job *job)
{
	while (flock(job->dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return reason_set(&job->why, -EBUSY,
					  "an update is under way: try again "
					  "when it has ended");
		if (errno != EINTR)
			return reason_set(&job->why, -errno,
					  "the folder of updates cannot be "
					  "locked: %s",
					  strerror(errno));
	}
	return 0;
}

/* Gone from the disk, bad, or in force by now.  What a disk that fails does not
   tell is not. */
static bool
is_lost(const struct job *job, int64_t number)
{
	CLEANUP_FD int releases = -1;

	if (number == job->record.active ||
	    record_find_bad(&job->record, number))
		return true;
	int r = tree_enter(job->dir, LAYOUT_RELEASES, &releases);
	if (r == 0)
		r = layout_check(releases, number);
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

int
job_go_back(struct job *job, int64_t number)
{
	int r = activate_set(job->dir, number, &job->why);
	bool stray;

	if (r < 0 && number) {
		/* A full disk may have no room for a link: none needs none. */
		job_note(job, "%s; the package's rules are used",
			 job->why.text);
		r = activate_set(job->dir, 0, &job->why);
	}
	if (r < 0)
		return r;
	/* Only what is there is written down. */
	r = activate_find(job->dir, &number, &stray);
	if (r < 0)
		return reason_about(&job->why, r, LAYOUT_CURRENT);
	(void)activate_follow(&job->record, number, job->now_s);
	job->record.previous = 0;
	return job_save(job);
}

static int
read_record(struct job *job)
{
	struct folder folder = { job->dir, -1 };
	struct reason why = { "" };

	int r = record_load(&folder, &job->record, &why);
	if (r == 1) {
		log_warning("%s, set aside as " RECORD_ASIDE, why.text);
		job_note(job,
			 "%s; set aside as " RECORD_ASIDE
			 ", which releases were bad is forgotten",
			 why.text);
	} else if (r < 0) {
		job->why = why;
	}
	return r;
}

/* Of what killed runs left undone, what bears on which release is in force. */
static int
mend(struct job *job, bool *ret_changed)
{
	struct record *record = &job->record;
	int64_t linked;
	bool stray;

	int r = activate_find(job->dir, &linked, &stray);
	if (r < 0)
		return reason_about(&job->why, r, LAYOUT_CURRENT);
	if (stray) {
		job_note(job, "\"" LAYOUT_CURRENT "\" named no whole release; "
			      "the package's rules are used");
		r = activate_set(job->dir, 0, &job->why);
		if (r < 0)
			return r;
	}
	*ret_changed = activate_follow(record, linked, job->now_s);
	if (record->previous && is_lost(job, record->previous)) {
		record->previous = 0;
		*ret_changed = true;
	}
	if (record->staged && is_lost(job, record->staged)) {
		record->staged = 0;
		*ret_changed = true;
	}
	return 0;
}

static int
begin(struct job *job)
{
	bool changed = false;

	int r = lock(job);
	if (r == 0)
		r = read_record(job);
	if (r < 0)
		return r;
	changed = r == 1;
	bool mended = false;
	r = mend(job, &mended);
	if (r == 0 && (changed || mended))
		r = job_save(job);
	if (r < 0)
		return r;
	/* Remembered as bad, and then nothing more was done. */
	if (job->record.active &&
	    record_find_bad(&job->record, job->record.active))
		r = job_go_back(job, job->record.previous);
	if (r == 0)
		sweep_run(job->dir, &job->record);
	return r;
}

static int
activate(struct job *job, int64_t number)
{
	struct record *record = &job->record;

	if (number == record->active)
		return 0; /* whoever asked may have died before the answer */
	if (number != record->staged)
		return reason_set(&job->why, -EINVAL,
				  "release %" PRId64 " is not staged: bring "
				  "it first",
				  number);
	int r = activate_set(job->dir, number, &job->why);
	if (r < 0)
		return r;
	(void)activate_follow(record, number, job->now_s);
	return job_save(job);
}

static int
take_back(struct job *job, int64_t number, const char *reason)
{
	struct record *record = &job->record;

	if (number != record->active && record_find_bad(record, number))
		return 0;
	if (number != record->active)
		return reason_set(&job->why, -EINVAL,
				  "release %" PRId64 " is not active", number);
	int64_t back = record->previous;
	record_add_bad(record, number, reason);
	/* On the disk first: a death from here on is mended.  It is left in
	   any case. */
	if (job_save(job) < 0)
		log_warning("%s, going back all the same", job->why.text);
	return job_go_back(job, back);
}

static int
refuse(struct job *job, int64_t number, const char *reason)
{
	struct record *record = &job->record;

	if (number != record->staged && record_find_bad(record, number))
		return 0;
	if (number != record->staged)
		return reason_set(&job->why, -EINVAL,
				  "release %" PRId64 " is not staged", number);
	record_add_bad(record, number, reason);
	record->staged = 0;
	return job_save(job);
}

static int
run(struct job *job, const struct msg_update *update, int fd)
{
	int64_t number = (int64_t)update->number;

	switch (update->kind) {
	case MSG_UPDATE_CHECK:
	case MSG_UPDATE_NOW:
	case MSG_UPDATE_IMPORT:
		return bring_run(job, update->kind, fd);
	case MSG_UPDATE_ACTIVATE:
		return activate(job, number);
	case MSG_UPDATE_TAKE_BACK:
		return take_back(job, number, update->reason);
	case MSG_UPDATE_REFUSE:
		return refuse(job, number, update->reason);
	default:
		return 0;
	}
}

int
job_run(struct job *job, const struct msg_update *update, int fd,
	struct msg_updated *ret_updated)
{
	job->why.text[0] = '\0';
	job->note[0] = '\0';
	int r = begin(job);
	if (r == 0)
		r = run(job, update, fd);
	if (r < 0 && !job->why.text[0])
		(void)reason_set(&job->why, r, "%s", strerror(-r));
	answer_fill(job, update, r, ret_updated);
	return r;
}
