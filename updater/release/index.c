/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/format.h"
#include "updater/release/text.h"
#include "updater/tuf/date.h"
#include "updater/tuf/reason.h"

struct index *
index_new(void)
{
	return calloc(1, sizeof(struct index));
}

void
index_free(struct index *index)
{
	free(index);
}

void
index_freep(struct index **index)
{
	index_free(*index);
	*index = NULL;
}

void
index_manifest(char dst[INDEX_MANIFEST_SIZE], int64_t number)
{
	(void)snprintf(dst, INDEX_MANIFEST_SIZE, "releases/%" PRId64 ".json.gz",
		       number);
}

const struct index_release *
index_find(const struct index *index, int64_t number)
{
	for (size_t i = 0; i < index->releases_len; i++)
		if (index->releases[i].number == number)
			return &index->releases[i];
	return NULL;
}

const char *
index_revoked(const struct index *index, int64_t number)
{
	for (size_t i = 0; i < index->revoked_len; i++)
		if (index->revoked[i].number == number)
			return index->revoked[i].reason;
	return NULL;
}

static int
bad_release(struct reason *why, int64_t number, const char *what)
{
	return reason_set(why, -EBADMSG, "has release %" PRId64 " %s", number,
			  what);
}

/* Checking: all that a struct may get wrong. */

static int
check_engine(const struct index_release *release, struct reason *why)
{
	struct version min, max;

	if (version_parse(release->engine_min, &min) < 0 ||
	    (release->engine_max[0] &&
	     version_parse(release->engine_max, &max) < 0))
		return bad_release(why, release->number,
				   "with a malformed version of engines");
	if (release->engine_max[0] && version_compare(&min, &max) > 0)
		return bad_release(why, release->number,
				   "for no engine: min is above max");
	return 0;
}

static bool
is_date(int64_t s)
{
	char text[DATE_SIZE];

	return date_write(text, s) == 0;
}

static int
check_waves(const struct index_release *release, struct reason *why)
{
	const struct wave *waves = release->waves;

	if (release->waves_len > INDEX_WAVES_MAX)
		return bad_release(why, release->number, "with too many waves");
	for (size_t i = 0; i < release->waves_len; i++) {
		if (waves[i].percent > WAVE_PERCENT_MAX ||
		    !is_date(waves[i].start_s))
			return bad_release(why, release->number,
					   "with a malformed wave");
		if (i > 0 && (waves[i].percent <= waves[i - 1].percent ||
			      waves[i].start_s <= waves[i - 1].start_s))
			return bad_release(why, release->number,
					   "with waves that do not grow, each "
					   "later than the one before");
	}
	return 0;
}

static bool
is_number(int64_t number)
{
	return number >= 1 && number <= INDEX_NUMBER_MAX;
}

static int
check_release(const struct index_release *release, int64_t before,
	      struct reason *why)
{
	if (!is_number(release->number))
		return bad_release(why, release->number,
				   "which is no number of a release");
	if (release->number <= before)
		return bad_release(why, release->number,
				   "twice, or behind a newer one");
	if (!is_date(release->created_s))
		return bad_release(why, release->number,
				   "with a malformed date of creation");
	int r = check_engine(release, why);
	return r < 0 ? r : check_waves(release, why);
}

static int
check_revoked(const struct index *index, size_t at, struct reason *why)
{
	const struct index_revoked *revoked = &index->revoked[at];

	if (!is_number(revoked->number))
		return reason_set(why, -EBADMSG,
				  "revokes %" PRId64
				  ", which is no number of a release",
				  revoked->number);
	for (size_t i = 0; i < at; i++)
		if (index->revoked[i].number == revoked->number)
			return reason_set(why, -EBADMSG,
					  "revokes release %" PRId64 " twice",
					  revoked->number);
	if (!text_is_line(revoked->reason, INDEX_REASON_MAX))
		return reason_set(why, -EBADMSG,
				  "revokes release %" PRId64
				  " without a reason of up to %d bytes in one "
				  "line",
				  revoked->number, INDEX_REASON_MAX);
	return 0;
}

int
index_check(const struct index *index, struct reason *why)
{
	int64_t before = 0;

	if (index->releases_len > INDEX_RELEASES_MAX)
		return reason_set(why, -EBADMSG,
				  "has %zu releases, and %d are allowed",
				  index->releases_len, INDEX_RELEASES_MAX);
	if (index->revoked_len > INDEX_REVOKED_MAX)
		return reason_set(why, -EBADMSG,
				  "revokes %zu releases, and %d are allowed",
				  index->revoked_len, INDEX_REVOKED_MAX);
	for (size_t i = 0; i < index->releases_len; i++) {
		int r = check_release(&index->releases[i], before, why);
		if (r < 0)
			return r;
		before = index->releases[i].number;
	}
	for (size_t i = 0; i < index->revoked_len; i++) {
		int r = check_revoked(index, i, why);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Parsing: all that only text may get wrong. */

static int
parse_date(const struct doc_value *value, const char *name, int64_t *ret_s)
{
	const char *text = doc_text(value, name);

	return text ? date_parse(text, ret_s) : -EBADMSG;
}

static int
parse_engine(const struct doc_value *value, struct index_release *release)
{
	const struct doc_value *engine = doc_member(value, "engine");
	const char *min = doc_text(engine, "min");
	const char *max = doc_text(engine, "max");

	if (!min || str_copy(release->engine_min, VERSION_SIZE, min) < 0)
		return -EBADMSG;
	if (!doc_member(engine, "max"))
		return 0;
	/* Empty stands for "none" in the struct, and for nothing here. */
	if (!max || !max[0] ||
	    str_copy(release->engine_max, VERSION_SIZE, max) < 0)
		return -EBADMSG;
	return 0;
}

static int
parse_waves(const struct doc_value *value, struct index_release *release)
{
	const struct doc_value *waves = doc_member(value, "waves");
	size_t len = doc_len(waves, NULL);

	if (waves && (!doc_is_list(waves, NULL) || len > INDEX_WAVES_MAX))
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		const struct doc_value *item = doc_item(waves, NULL, i);
		int64_t percent = doc_number_or(item, "percent", -1);
		if (percent < 0 || percent > WAVE_PERCENT_MAX ||
		    parse_date(item, "start", &release->waves[i].start_s) < 0)
			return -EBADMSG;
		release->waves[i].percent = (uint32_t)percent;
	}
	release->waves_len = len;
	return 0;
}

static int
parse_release(const struct doc_value *value, struct index_release *release,
	      struct reason *why)
{
	const char *manifest = doc_text(value, "manifest");
	char named[INDEX_MANIFEST_SIZE];

	if (doc_number(value, "number", &release->number) < 0 ||
	    !is_number(release->number))
		return reason_set(why, -EBADMSG,
				  "has a release without a number from 1 to %d",
				  INDEX_NUMBER_MAX);
	if (parse_date(value, "created", &release->created_s) < 0)
		return bad_release(why, release->number,
				   "with a malformed date of creation");
	if (parse_engine(value, release) < 0)
		return bad_release(why, release->number,
				   "with a malformed version of engines");
	index_manifest(named, release->number);
	if (!manifest || !str_equal(manifest, named))
		return bad_release(why, release->number,
				   "whose manifest is not "
				   "\"releases/NUMBER.json.gz\"");
	if (parse_waves(value, release) < 0)
		return bad_release(why, release->number,
				   "with a malformed wave, or too many");
	return 0;
}

static int
parse_releases(const struct doc_value *list, struct index *index,
	       struct reason *why)
{
	size_t len = doc_len(list, NULL);

	if (!doc_is_list(list, NULL) || len > INDEX_RELEASES_MAX)
		return reason_set(why, -EBADMSG,
				  "has no list of up to %d releases",
				  INDEX_RELEASES_MAX);
	for (size_t i = 0; i < len; i++) {
		int r = parse_release(doc_item(list, NULL, i),
				      &index->releases[i], why);
		if (r < 0)
			return r;
	}
	index->releases_len = len;
	return 0;
}

static int
parse_revoked(const struct doc_value *list, struct index *index,
	      struct reason *why)
{
	size_t len = doc_len(list, NULL);

	if (list && (!doc_is_list(list, NULL) || len > INDEX_REVOKED_MAX))
		return reason_set(why, -EBADMSG,
				  "has \"revoked\", which is no list of up to "
				  "%d releases",
				  INDEX_REVOKED_MAX);
	for (size_t i = 0; i < len; i++) {
		const struct doc_value *item = doc_item(list, NULL, i);
		struct index_revoked *revoked = &index->revoked[i];
		const char *reason = doc_text(item, "reason");
		if (doc_number(item, "number", &revoked->number) < 0)
			return reason_set(why, -EBADMSG,
					  "revokes something without a number");
		/* What is cut to nothing here is refused by the check. */
		(void)str_copy(revoked->reason, sizeof(revoked->reason),
			       reason ? reason : "");
	}
	index->revoked_len = len;
	return 0;
}

int
index_parse(const void *bytes, size_t len, struct index **ret_index,
	    struct reason *why)
{
	CLEANUP(index_freep) struct index *index = index_new();
	CLEANUP(doc_freep) struct doc *doc = NULL;

	if (!index)
		return -ENOMEM;
	int r = format_parse(bytes, len, INDEX_SIZE_MAX, INDEX_FORMAT, &doc,
			     why);
	if (r < 0)
		return r;
	r = parse_releases(doc_member(doc_root(doc), "releases"), index, why);
	if (r == 0)
		r = parse_revoked(doc_member(doc_root(doc), "revoked"), index,
				  why);
	if (r == 0)
		r = index_check(index, why);
	if (r == 0)
		*ret_index = TAKE(index);
	return r;
}

/* Writing. */

static void
set_date(struct doc *doc, const char *path, int64_t s)
{
	char text[DATE_SIZE];

	(void)date_write(text, s); /* it was checked */
	doc_set_text(doc, path, text);
}

static struct doc *
release_doc(const struct index_release *release)
{
	struct doc *doc = doc_new();
	char manifest[INDEX_MANIFEST_SIZE];

	index_manifest(manifest, release->number);
	doc_set_number(doc, "number", release->number);
	set_date(doc, "created", release->created_s);
	doc_set_text(doc, "engine.min", release->engine_min);
	if (release->engine_max[0])
		doc_set_text(doc, "engine.max", release->engine_max);
	doc_set_text(doc, "manifest", manifest);
	for (size_t i = 0; i < release->waves_len; i++) {
		struct doc *wave = doc_new();
		set_date(wave, "start", release->waves[i].start_s);
		doc_set_number(wave, "percent", release->waves[i].percent);
		doc_add(doc, "waves", wave);
	}
	return doc;
}

int
index_write(const struct index *index, char **ret_text, struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	int r = index_check(index, why);
	if (r < 0)
		return r;
	doc_set_number(doc, "format", INDEX_FORMAT);
	doc_set(doc, "releases", doc_new_list());
	for (size_t i = 0; i < index->releases_len; i++)
		doc_add(doc, "releases", release_doc(&index->releases[i]));
	for (size_t i = 0; i < index->revoked_len; i++) {
		struct doc *revoked = doc_new();
		doc_set_number(revoked, "number", index->revoked[i].number);
		doc_set_text(revoked, "reason", index->revoked[i].reason);
		doc_add(doc, "revoked", revoked);
	}
	char *text = doc_write(doc);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}
