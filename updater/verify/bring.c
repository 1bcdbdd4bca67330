/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/bring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/str.h"
#include "updater/client/anchor.h"
#include "updater/client/client.h"
#include "updater/client/folder.h"
#include "updater/client/mirror.h"
#include "updater/release/index.h"
#include "updater/tuf/targets.h"
#include "updater/verify/clock.h"
#include "updater/verify/imported.h"
#include "updater/verify/job.h"
#include "updater/verify/layout.h"
#include "updater/verify/stage.h"
#include "updater/verify/tree.h"
#include "updater/verify/trusted.h"

/* One way to a mirror: over the channel, or what was imported. */
struct source {
	struct job *job;
	struct remote *remote; /* owned; NULL: imported */
	struct mirror *folder; /* owned; NULL: over the channel */
	struct client_mirror use;
	struct client *client; /* owned */
};

static void
source_done(struct source *source)
{
	client_close(source->client);
	if (source->remote)
		remote_told(source->remote, &source->job->told);
	remote_free(source->remote);
	mirror_close(source->folder);
}

static void
on_step(void *arg)
{
	struct source *source = arg;
	struct job *job = source->job;

	if (source->remote)
		remote_told(source->remote, &job->told);
	if (job->on_step)
		job->on_step(job->arg, &job->told);
}

static int
open_remote(struct source *source)
{
	struct job *job = source->job;
	const struct remote_how how = { .chan = job->chan,
					.parent = job->parent,
					.on_step = on_step,
					.arg = source,
					.answer_ms = REMOTE_ANSWER_MS,
					.total_ms = REMOTE_TOTAL_MS };

	if (job->chan < 0)
		return reason_set(&job->why, -ENOTCONN,
				  "khien-fetch is not there: set [update] url, "
				  "or import a file");
	source->remote = remote_new(&how);
	if (!source->remote)
		return -ENOMEM;
	remote_use(source->remote, &source->use);
	return 0;
}

static int
open_imported(struct source *source, int fd)
{
	struct job *job = source->job;

	if (fd < 0)
		return reason_set(&job->why, -EINVAL, "no file came along");
	int r = imported_unpack(job->dir, fd, &job->why);
	if (r < 0)
		return r;
	r = mirror_open(job->dir, LAYOUT_IMPORT, &source->folder);
	if (r < 0)
		return reason_about(&job->why, r, LAYOUT_IMPORT);
	mirror_use(source->folder, &source->use);
	return 0;
}

/* The folder of metadata, with a root in it. */
static int
open_client(struct source *source)
{
	struct job *job = source->job;
	struct folder tuf = { -1, -1 };
	int64_t time_s = clock_time(job->now_s, job->record.floor_s);

	if (!job->trusted->root)
		return reason_set(&job->why, -ENOKEY, "%s",
				  job->trust_why->text);
	int r = tree_folder(job->dir, LAYOUT_TUF, &tuf.fd);
	if (r == 0)
		r = anchor_offer(&tuf, job->trusted->root,
				 job->trusted->root_len,
				 &job->trusted->policy.policy, &job->why);
	file_closep(&tuf.fd);
	if (r < 0)
		return r;
	return client_open(job->dir, LAYOUT_TUF, &job->trusted->policy.policy,
			   time_s, &source->use, &source->client, &job->why);
}

/* How old everything is that was verified, and the floor after it. */
static void
take_times(struct job *job, struct client *client, bool good)
{
	struct clock_life lives[METADATA_TYPES];
	struct record *record = &job->record;

	client_times(client, &job->times);
	if (good)
		record->roles_len = 0;
	for (size_t i = 0; i < METADATA_TYPES; i++) {
		const struct trust_time *time = &job->times.roles[i];
		lives[i] =
			(struct clock_life){ metadata_name(i), time->issued_s,
					     time->expires_s };
		if (good)
			record_add_role(record, lives[i].role, time->issued_s,
					time->expires_s);
	}
	if (good && job->times.first)
		record_add_role(record, job->times.first,
				job->times.end.issued_s,
				job->times.end.expires_s);
	job->times.first = NULL;
	record->floor_s =
		clock_floor(record->floor_s, job->now_s, lives, METADATA_TYPES);
}

/* What another mirror may have better. */
static bool
is_the_mirrors(int r)
{
	switch (r) {
	case -EBADMSG:
	case -EKEYREJECTED:
	case -ENOKEY:
	case -EPROTO:
	case -EBADE:
	case -EFBIG:
	case -ESTALE:
	case -EKEYEXPIRED:
	case -ENOENT:
		return true;
	default:
		return false;
	}
}

/* What was wrong with the mirror before. */
struct fault {
	int r;
	struct reason why;
};

/*
 * After an error: whether there is another mirror to begin anew with.  When
 * none is left, what was wrong with the one before stands.
 */
static bool
try_next(const struct source *source, int *r, struct fault *fault)
{
	struct job *job = source->job;

	if (*r == -ENXIO && fault->r < 0) {
		*r = fault->r;
		job->why = fault->why;
		return false;
	}
	if (!source->remote || !is_the_mirrors(*r) ||
	    !remote_skip(source->remote))
		return false;
	*fault = (struct fault){ *r, job->why };
	return true;
}

/* A thief of the channel's key shall not fill the disk. */
static int
check_length(struct client *client, struct reason *why)
{
	struct target target;

	int r = client_find(client, INDEX_TARGET, &target, why);
	if (r == 0 &&
	    (target.hashes.length < 0 || target.hashes.length > INDEX_SIZE_MAX))
		r = reason_set(why, -EFBIG,
			       INDEX_TARGET ": has more than %d bytes",
			       INDEX_SIZE_MAX);
	return r;
}

/* It is kept, so that nothing is asked for when nothing has changed. */
static int
read_index_once(struct job *job, struct client *client)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	struct folder folder = { job->dir, -1 };
	size_t len;

	int r = client_refresh(client, &job->why);
	if (r == 0)
		r = check_length(client, &job->why);
	if (r == 0)
		r = client_save(client, INDEX_TARGET, &folder, INDEX_TARGET,
				&job->why);
	if (r < 0)
		return r;
	r = folder_read(&folder, INDEX_TARGET, INDEX_SIZE_MAX, &bytes, &len);
	if (r == 0)
		r = index_parse(bytes, len, &job->index, &job->why);
	return r < 0 ? reason_about(&job->why, r, INDEX_TARGET) : 0;
}

static int
read_index(const struct source *source)
{
	struct fault fault = { 0 };
	int r;

	do
		r = read_index_once(source->job, source->client);
	while (r < 0 && try_next(source, &r, &fault));
	return r;
}

/* What a host that runs `active` should run. */
static int
choose(struct job *job, int64_t active, struct choose_result *ret_choice)
{
	const struct record *record = &job->record;
	int64_t bad[RECORD_BAD_MAX];

	for (size_t i = 0; i < record->bad_len; i++)
		bad[i] = record->bad[i].number;
	const struct choose_host host = {
		.engine = job->engine,
		.seed = job->seed,
		.place = job->place,
		.now_s = clock_time(job->now_s, record->floor_s),
		.active = active,
		.floor = job->trusted->policy.release,
		.bad = bad,
		.bad_len = record->bad_len,
	};
	return choose_release(job->index, &host, ret_choice, &job->why);
}

/* Whether the publisher and the package still allow it. */
static int
forget_unless_allowed(struct job *job, int64_t *number)
{
	struct choose_result choice;

	int r = *number ? choose(job, *number, &choice) : 0;
	if (r == 0 && *number && choice.active != CHOOSE_STAYS)
		*number = 0;
	return r;
}

static int
take_index(struct job *job)
{
	struct record *record = &job->record;

	int r = choose(job, record->active, &job->choice);
	if (r == 0)
		r = forget_unless_allowed(job, &record->previous);
	if (r < 0)
		return r;
	/* Another is due now, or none is. */
	job->left = record->staged;
	if (record->staged != job->choice.target)
		record->staged = 0;
	record->newest = job->choice.newest;
	record->waiting = job->choice.waiting;
	record->wave_s =
		job->choice.waiting && job->choice.waiting_s != WAVE_NEVER ?
			job->choice.waiting_s :
			0;
	return 0;
}

/* Metadata and index are good, or nothing of the record but its floor, and
   that something was too old, changes. */
static int
refresh(const struct source *source)
{
	struct job *job = source->job;
	struct record *record = &job->record;

	int r = read_index(source);
	job->expired = r == -EKEYEXPIRED;
	if (source->remote)
		remote_told(source->remote, &job->told);
	take_times(job, source->client, r == 0);
	if (r == 0)
		r = take_index(job);
	if (r == 0) {
		record->expired = false;
		record->checked_s = clock_time(job->now_s, record->floor_s);
		return job_save(job);
	}
	record->expired = record->expired || job->expired;
	const struct reason why = job->why;
	if (job_save(job) < 0)
		job_note(job, "%s", job->why.text);
	job->why = why;
	return r;
}

/* Revoked, or no longer allowed: the previous release is as good as it was. */
static int
leave_active(struct job *job)
{
	int64_t left = job->record.active;

	int r = job_go_back(job, job->record.previous);
	if (r < 0)
		return r;
	if (job->record.active)
		job_note(job, "%s; release %" PRId64 " was left for %" PRId64,
			 job->choice.reason.text, left, job->record.active);
	else
		job_note(job,
			 "%s; release %" PRId64 " was left for the package's "
			 "rules",
			 job->choice.reason.text, left);
	return choose(job, job->record.active, &job->choice);
}

static int
stage(struct source *source)
{
	struct job *job = source->job;
	struct record *record = &job->record;
	int64_t target = job->choice.target;
	const int64_t here[] = { record->active, record->previous, job->left };
	const struct stage work = { .dir = job->dir,
				    .client = source->client,
				    .here = here,
				    .here_len = 3,
				    .on_step = on_step,
				    .arg = source };

	if (!target || target == record->active || target == record->staged)
		return 0;
	struct fault fault = { 0 };
	int r;
	do
		r = stage_release(&work, target, &job->why);
	while (r < 0 && try_next(source, &r, &fault));
	if (r < 0) {
		job->expired = r == -EKEYEXPIRED;
		return r;
	}
	record->staged = target;
	take_times(job, source->client, true);
	r = job_save(job);
	/* Nobody would know it, and the next start sweeps it away. */
	if (r < 0)
		record->staged = 0;
	return r;
}

static void
note_check(struct job *job)
{
	const struct choose_result *choice = &job->choice;

	if (choice->active != CHOOSE_STAYS)
		job_note(job, "%s; the next update leaves it",
			 choice->reason.text);
	else if (choice->target != job->record.active)
		job_note(job, "release %" PRId64 " is to be brought",
			 choice->target);
}

static int
bring(struct source *source, bool check)
{
	struct job *job = source->job;

	int r = open_client(source);
	if (r == 0)
		r = refresh(source);
	if (r < 0)
		return r;
	if (check) {
		note_check(job);
		return 0;
	}
	if (job->choice.active != CHOOSE_STAYS)
		r = leave_active(job);
	if (r == 0)
		r = stage(source);
	if (r == 0 && job->choice.note.text[0])
		job_note(job, "%s", job->choice.note.text);
	return r;
}

int
bring_run(struct job *job, uint16_t kind, int fd)
{
	bool import = kind == MSG_UPDATE_IMPORT;
	int r;

	{
		CLEANUP(source_done) struct source source = { .job = job };
		r = import ? open_imported(&source, fd) : open_remote(&source);
		if (r == 0)
			r = bring(&source, kind == MSG_UPDATE_CHECK);
	}
	if (import)
		imported_drop(job->dir);
	return r;
}
