/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/update.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/daemon/answer.h"
#include "agent/daemon/job.h"
#include "agent/daemon/order.h"
#include "agent/daemon/place.h"
#include "agent/daemon/release.h"
#include "agent/daemon/supervise.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/str.h"

#define STATE "state.json" /* khien-verify's: it has something to say */

struct update {
	struct supervise *supervise;
	struct release release;
	struct job verify, fetch, trial;
	bool known;   /* there is something to ask about at the start */
	bool started; /* the processes of this step */
	bool heard;   /* its answer */
	uint64_t id;  /* of who waits; 0: nobody */
	bool later;   /* ... until what is under way of our own has ended */
	uint16_t asked;
	int fd;		 /* to be imported, or -1 */
	char tried[128]; /* how the trial went */
	struct answer answer;
};

/* Whoever waits hears of the last step; the engine of each. */
static void
tell_step(struct update *update, bool last)
{
	const struct answer *answer = &update->answer;
	bool waits = last && update->id && !update->later;
	const char *note = answer->note;

	if (update->release.kind == MSG_UPDATE_ACTIVATE && !*note)
		note = update->tried;
	answer_tell(answer, update->supervise, waits ? update->id : 0,
		    waits ? update->asked : update->release.kind, answer->error,
		    note);
	if (last && !update->later) {
		update->id = 0;
		file_closep(&update->fd);
	}
}

/* What came of a step is done. */
static void
take_step(struct update *update, enum release_do next)
{
	update->started = false;
	update->heard = false;
	if (next != RELEASE_REPLACE)
		return;
	log_info("rules of release %" PRIu64
		 " are in force: scanners are replaced one by one",
		 update->release.active);
	order_replace_scanners(update->supervise);
}

static void
end_jobs(struct update *update)
{
	job_end(&update->verify);
	job_end(&update->fetch);
	job_end(&update->trial);
}

static int
on_verify(struct job *job, uint16_t type, struct buf *buf)
{
	struct update *update = job->supervise->update;
	struct msg_updated updated;

	if (type != MSG_UPDATED || msg_update_get_state(buf, &updated) < 0 ||
	    updated.kind != update->release.kind || update->heard)
		return -EBADMSG;
	if (updated.more) {
		updated.id = update->id;
		answer_forward(update->supervise, &updated);
		return 0;
	}
	update->heard = true;
	answer_take(&update->answer, &updated);
	end_jobs(update);
	return 0;
}

/* It has nobody to talk to but khien-verify. */
static int
on_fetch(struct job *job, uint16_t type, struct buf *buf)
{
	(void)job;
	(void)type;
	(void)buf;
	return -EBADMSG;
}

static void
tried(struct update *update, const char *why)
{
	struct release *release = &update->release;
	uint64_t number = release->staged;

	update->heard = true;
	if (*why)
		log_warning("release %" PRIu64 " is refused: %s", number, why);
	enum release_do next = release_tried(release, why);
	if (next == RELEASE_END) {
		(void)snprintf(update->answer.error,
			       sizeof(update->answer.error),
			       "release %" PRIu64 " waits until another one "
			       "is taken back: ask again",
			       number);
		tell_step(update, true);
	}
	take_step(update, next);
}

static int
on_trial(struct job *job, uint16_t type, struct buf *buf)
{
	struct update *update = job->supervise->update;
	struct msg_trial trial;

	if (type != MSG_TRIAL || update->heard ||
	    msg_update_get_trial(buf, &trial) < 0)
		return -EBADMSG;
	(void)snprintf(update->tried, sizeof(update->tried),
		       "tried with %u rules, %u test files and %u files of "
		       "this machine",
		       trial.rules, trial.vectors, trial.samples);
	tried(update, trial.why);
	end_jobs(update);
	return 0;
}

/* The last thing that it is told. */
static int
order(struct job *job, const struct msg_update *message, int fd)
{
	struct buf buf;

	int r = job_ready(job);
	if (r < 0)
		return r;
	msg_begin(&buf, job->supervise->out, MSG_MAX, MSG_UPDATE);
	msg_update_put(&buf, message);
	return job_write(job, &buf, fd);
}

static bool
needs_fetch(const struct update *update)
{
	return (update->release.kind == MSG_UPDATE_CHECK ||
		update->release.kind == MSG_UPDATE_NOW) &&
	       update->supervise->conf->url[0];
}

static int
start_fetch(struct update *update)
{
	int r = job_start(&update->fetch, update->supervise, UPDATE_TOTAL_MS,
			  UPDATE_TOTAL_MS);
	if (r == 0)
		r = job_link(&update->verify, &update->fetch);
	return r < 0 ? r : job_ready(&update->fetch);
}

static int
start_verify(struct update *update)
{
	const struct release *release = &update->release;
	struct msg_update message = { .id = update->id,
				      .kind = release->kind,
				      .number = release->staged,
				      .reason = "" };

	if (release->kind == MSG_UPDATE_REFUSE)
		message.reason = release->why;
	else if (release->kind == MSG_UPDATE_TAKE_BACK)
		message.reason = release->bad_why;
	int r = job_start(&update->verify, update->supervise, UPDATE_LIMIT_MS,
			  UPDATE_TOTAL_MS);
	if (r == 0 && needs_fetch(update))
		r = start_fetch(update);
	if (r < 0)
		return r;
	return order(&update->verify, &message,
		     release->kind == MSG_UPDATE_IMPORT ? update->fd : -1);
}

static int
start_trial(struct update *update)
{
	struct msg_update message = { .kind = MSG_UPDATE_ACTIVATE,
				      .number = update->release.staged,
				      .reason = "" };

	int r = job_start(&update->trial, update->supervise, UPDATE_TRIAL_MS,
			  UPDATE_TRIAL_MS);
	return r < 0 ? r : order(&update->trial, &message, -1);
}

/* khien-verify has answered and ended. */
static void
answered(struct update *update)
{
	struct release *release = &update->release;
	uint16_t kind = release->kind;
	uint64_t number = release->staged;

	enum release_do next =
		release_answered(release, &update->answer.state,
				 (uint64_t)time(NULL), child_now_ms());
	if (kind == MSG_UPDATE_ACTIVATE && release->active == number)
		log_info("release %" PRIu64 " is active", number);
	if (kind == MSG_UPDATE_TAKE_BACK && release->active != number)
		log_warning("release %" PRIu64 " is taken back: %s", number,
			    release->bad_why);
	uint16_t after = release->kind;
	release->kind = kind;
	tell_step(update,
		  next != RELEASE_GO_ON && kind != MSG_UPDATE_TAKE_BACK);
	release->kind = after;
	take_step(update, next);
}

static void
unanswered(struct update *update, const char *how)
{
	(void)snprintf(update->answer.error, sizeof(update->answer.error),
		       "khien-verify %s without an answer: see khiend's log",
		       how);
	update->answer.note[0] = '\0';
	log_error("%s", update->answer.error);
	enum release_do next =
		release_unanswered(&update->release, child_now_ms());
	tell_step(update, true);
	take_step(update, next);
}

/* What a client asked for; false: nobody did. */
static bool
begin(struct update *update)
{
	if (!update->later)
		return false;
	update->later = false;
	update->tried[0] = '\0';
	answer_begin(&update->answer);
	return release_ask(&update->release, update->asked);
}

static void
go_on(struct update *update)
{
	struct release *release = &update->release;
	int r = 0;

	/* One step's processes are gone before those of the next come. */
	if (update->verify.pid || update->fetch.pid || update->trial.pid ||
	    update->supervise->stopping)
		return;
	if (release->at == RELEASE_IDLE &&
	    !release_next(release, child_now_ms()) && !begin(update))
		return;
	if (update->started)
		return;
	update->started = true;
	if (release->at == RELEASE_TRYING)
		r = start_trial(update);
	else
		r = start_verify(update);
	if (r == 0)
		return;
	/* Reaped and told like any other that fails. */
	log_error("a process for an update cannot be started: %s",
		  strerror(-r));
	if (update->verify.pid || update->trial.pid) {
		job_kill(&update->verify, "it was not told what to do");
		job_kill(&update->trial, "it was not told what to do");
		job_kill(&update->fetch, "it was not told what to do");
	} else if (release->at == RELEASE_TRYING) {
		tried(update, "its trial could not be started");
	} else {
		unanswered(update, "could not be started, and ended");
	}
}

int
update_open(struct supervise *supervise, const struct place *place)
{
	struct update *update = calloc(1, sizeof(*update));

	if (!update)
		return -ENOMEM;
	supervise->update = update;
	update->supervise = supervise;
	update->fd = -1;
	answer_init(&update->answer);
	update->known =
		place->update >= 0 && (supervise->conf->url[0] ||
				       faccessat(place->update, STATE, F_OK,
						 AT_SYMLINK_NOFOLLOW) == 0);
	release_init(&update->release);
	job_init(&update->verify, ROLE_VERIFY, 0, on_verify);
	job_init(&update->fetch, ROLE_FETCH, 0, on_fetch);
	job_init(&update->trial, ROLE_SCAN, MSG_TRIAL_INDEX, on_trial);
	return 0;
}

void
update_close(struct supervise *supervise)
{
	struct update *update = supervise->update;

	if (!update)
		return;
	job_done(&update->verify);
	job_done(&update->fetch);
	job_done(&update->trial);
	file_closep(&update->fd);
	free(update);
	supervise->update = NULL;
}

/* NULL, or why it is not begun. */
static const char *
find_fault(const struct update *update, const struct msg_update *message)
{
	const struct supervise *supervise = update->supervise;

	if (keep_find(&supervise->keeps[ROLE_VERIFY], PLACE_UPDATE) < 0)
		return "the folder of updates in state_dir is of no use: see "
		       "khiend's log of its start";
	if ((message->kind == MSG_UPDATE_NOW ||
	     message->kind == MSG_UPDATE_CHECK) &&
	    !supervise->conf->url[0])
		return "[update] url is empty: set it, or bring a release by "
		       "khienctl update import FILE";
	return NULL;
}

static void
ask(struct update *update, const struct msg_update *message, int *fd)
{
	const char *fault = find_fault(update, message);

	if (!fault && update->id)
		fault = "an update is under way: ask again when it has ended";
	if (fault) {
		answer_tell(&update->answer, update->supervise, message->id,
			    MSG_UPDATE_STATUS, fault, "");
		return;
	}
	update->id = message->id;
	update->asked = message->kind;
	update->fd = TAKE_FD(*fd);
	update->later = true;
	go_on(update);
}

int
update_take(struct supervise *supervise, struct buf *buf, int *fd)
{
	struct update *update = supervise->update;
	struct msg_update message;

	if (msg_update_get(buf, &message) < 0 ||
	    (message.kind == MSG_UPDATE_IMPORT) != (*fd >= 0))
		return -EBADMSG;
	switch (message.kind) {
	case MSG_UPDATE_ACTIVATE:
	case MSG_UPDATE_REFUSE:
		return -EBADMSG;
	case MSG_UPDATE_TAKE_BACK:
		release_condemn(&update->release, message.number,
				message.reason, child_now_ms());
		go_on(update);
		return 0;
	default:
		ask(update, &message, fd);
		return 0;
	}
}

void
update_introduce(struct supervise *supervise)
{
	struct update *update = supervise->update;

	if (update->release.loaded != RELEASE_UNKNOWN)
		answer_tell(&update->answer, supervise, 0, MSG_UPDATE_STATUS,
			    update->answer.error, "");
}

void
update_died(struct supervise *supervise)
{
	struct update *update = supervise->update;

	release_died(&update->release, child_now_ms());
	go_on(update);
}

int
update_pid(const struct supervise *supervise, size_t at)
{
	const struct update *update = supervise->update;
	const int pids[UPDATE_PIDS_MAX] = { update->verify.pid,
					    update->fetch.pid,
					    update->trial.pid };

	return pids[at];
}

void
update_reap(struct supervise *supervise)
{
	struct update *update = supervise->update;
	char how[JOB_DETAIL_SIZE];
	char why[JOB_DETAIL_SIZE + 64];

	/* khien-verify says what it means that khien-fetch is gone. */
	(void)job_reap(&update->fetch, how);
	if (job_reap(&update->verify, how)) {
		job_end(&update->fetch);
		if (update->heard)
			answered(update);
		else
			unanswered(update, how);
	}
	if (job_reap(&update->trial, how) &&
	    update->release.at == RELEASE_TRYING && update->started) {
		(void)snprintf(why, sizeof(why), "the scanner that tried it %s",
			       how);
		tried(update, why);
	}
	go_on(update);
}

uint64_t
update_due_ms(const struct supervise *supervise)
{
	const struct update *update = supervise->update;
	const uint64_t dues[] = { job_due_ms(&update->verify),
				  job_due_ms(&update->fetch),
				  job_due_ms(&update->trial),
				  release_due_ms(&update->release) };
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < sizeof(dues) / sizeof(dues[0]); i++)
		if (dues[i] < due_ms)
			due_ms = dues[i];
	return due_ms;
}

void
update_check(struct supervise *supervise, uint64_t now_ms)
{
	struct update *update = supervise->update;

	job_check(&update->verify, now_ms);
	job_check(&update->fetch, now_ms);
	job_check(&update->trial, now_ms);
	go_on(update);
}

void
update_begin(struct supervise *supervise)
{
	struct update *update = supervise->update;
	const struct msg_update message = { .kind = MSG_UPDATE_STATUS,
					    .reason = "" };
	int fd = -1;

	if (!update->known)
		return;
	update->known = false;
	ask(update, &message, &fd);
}
