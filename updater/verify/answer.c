/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/answer.h"

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/msg_update.h"
#include "updater/verify/clock.h"
#include "updater/verify/job.h"

/* The roles as the clock takes them. */
static size_t
lives_of(const struct record *record, struct clock_life *lives)
{
	for (size_t i = 0; i < record->roles_len; i++)
		lives[i] = (struct clock_life){ record->roles[i].name,
						record->roles[i].issued_s,
						record->roles[i].expires_s };
	return record->roles_len;
}

static void
fill_age(struct job *job, struct msg_updated *updated)
{
	struct clock_life lives[RECORD_ROLES_MAX];
	const struct clock_look look = {
		.now_s = job->now_s,
		.floor_s = job->record.floor_s,
		.server_s = job->told.date_s,
		.lives = lives,
		.len = lives_of(&job->record, lives),
	};
	ptrdiff_t life;
	const char *note;

	updated->alarm = clock_judge(&look, job->expired || job->record.expired,
				     &life, &note);
	if (note[0] && life >= 0)
		job_note(job, "%s: %s", lives[life].role, note);
	else if (note[0])
		job_note(job, "%s", note);
	if (life < 0)
		return;
	updated->role = lives[life].role;
	updated->issued_s = (uint64_t)lives[life].issued_s;
	updated->expires_s = (uint64_t)lives[life].expires_s;
}

void
answer_fill(struct job *job, const struct msg_update *update, int error,
	    struct msg_updated *ret_updated)
{
	const struct record *record = &job->record;
	const struct record_bad *bad = record_newest_bad(record);

	*ret_updated = (struct msg_updated){
		.id = update->id,
		.kind = update->kind,
		.active = (uint64_t)record->active,
		.previous = (uint64_t)record->previous,
		.staged = (uint64_t)record->staged,
		.newest = (uint64_t)record->newest,
		.waiting = (uint64_t)record->waiting,
		.bad = bad ? (uint64_t)bad->number : 0,
		.activated_s = (uint64_t)record->activated_s,
		.wave_s = (uint64_t)record->wave_s,
		.role = "",
		.checked_s = (uint64_t)record->checked_s,
		.floor_s = (uint64_t)record->floor_s,
		.requests = (uint32_t)job->told.requests,
		.bytes = job->told.bytes,
		.bad_reason = bad ? bad->reason : "",
	};
	fill_age(job, ret_updated);
	ret_updated->error = error < 0 ? job->why.text : "";
	ret_updated->note = job->note;
}
