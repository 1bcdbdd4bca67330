/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/report.h"

#include <stddef.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg_update.h"
#include "updater/release/index.h"
#include "updater/tuf/date.h"
#include "updater/tuf/metadata.h"
#include "updater/verify/job.h"

static const char *
alarm_word(uint16_t alarm)
{
	static const char *const words[] = {
		[MSG_UPDATE_FINE] = "none",
		[MSG_UPDATE_CLOCK] = "clock",
		[MSG_UPDATE_FREEZE] = "freeze",
		[MSG_UPDATE_EXPIRED] = "expired",
		[MSG_UPDATE_HALF] = "half of its life is over",
		[MSG_UPDATE_FIFTH] = "four fifths of its life are over",
	};

	return words[alarm];
}

static void
put_time(struct doc *doc, const char *path, int64_t time_s)
{
	char text[DATE_SIZE];

	if (time_s > 0 && date_write(text, time_s) == 0)
		doc_set_text(doc, path, text);
}

static struct doc *
versions(const struct trust_times *times)
{
	struct doc *doc = doc_new();

	for (size_t i = 0; i < METADATA_TYPES; i++)
		if (times->roles[i].version)
			doc_set_number(doc, metadata_name(i),
				       times->roles[i].version);
	return doc;
}

/* Each role that was looked into. */
static struct doc *
roles(const struct record *record)
{
	struct doc *all = doc_new_flat();

	for (size_t i = 0; i < record->roles_len; i++) {
		struct doc *one = doc_new();
		put_time(one, "issued", record->roles[i].issued_s);
		put_time(one, "expires", record->roles[i].expires_s);
		doc_set(all, record->roles[i].name, one);
	}
	return all;
}

static struct doc *
releases(const struct index *index)
{
	struct doc *list = doc_new_list();

	for (size_t i = 0; index && i < index->releases_len; i++) {
		const struct index_release *release = &index->releases[i];
		const char *revoked = index_revoked(index, release->number);
		struct doc *one = doc_new();
		doc_set_number(one, "number", release->number);
		put_time(one, "created", release->created_s);
		if (revoked)
			doc_set_text(one, "revoked", revoked);
		doc_add(list, NULL, one);
	}
	return list;
}

char *
report_text(const struct job *job, const struct msg_updated *updated)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	doc_set(doc, "version", versions(&job->times));
	doc_set_text(doc, "role", updated->role);
	put_time(doc, "issued", (int64_t)updated->issued_s);
	put_time(doc, "expires", (int64_t)updated->expires_s);
	doc_set(doc, "roles", roles(&job->record));
	doc_set(doc, "releases", releases(job->index));
	doc_set_number(doc, "target", job->choice.target);
	doc_set_number(doc, "newest", (int64_t)updated->newest);
	doc_set_number(doc, "waiting", (int64_t)updated->waiting);
	put_time(doc, "wave", (int64_t)updated->wave_s);
	doc_set_number(doc, "active", (int64_t)updated->active);
	doc_set_number(doc, "previous", (int64_t)updated->previous);
	doc_set_number(doc, "staged", (int64_t)updated->staged);
	put_time(doc, "checked", (int64_t)updated->checked_s);
	put_time(doc, "floor", (int64_t)updated->floor_s);
	doc_set_text(doc, "alarm", alarm_word(updated->alarm));
	doc_set_number(doc, "requests", updated->requests);
	doc_set_number(doc, "bytes", (int64_t)updated->bytes);
	doc_set_text(doc, "note", updated->note);
	return doc_write(doc);
}
