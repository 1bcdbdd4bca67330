/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "agent/lib/doc.h"
#include "agent/lib/str.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/reason.h"

#define SNAPSHOT_FILE "snapshot.json"

struct walk {
	size_t len;
	const struct metadata *now;
	struct reason *why;
};

static int
parse(const char *name, const struct doc_value *entry,
      struct listing *ret_listing, struct reason *why)
{
	if (!doc_is_object(entry, NULL) ||
	    doc_number(entry, "version", &ret_listing->version) < 0 ||
	    ret_listing->version < 1 ||
	    ret_listing->version > METADATA_VERSION_MAX)
		return reason_set(why, -EBADMSG,
				  "lists %.64s without a version from 1 up",
				  name);
	return hashes_parse(entry, &ret_listing->hashes, why);
}

static int
check_entry(void *arg, const char *name, const struct doc_value *value)
{
	struct listing listing;
	struct walk *walk = arg;

	if (!name || ++walk->len > LISTING_FILES_MAX)
		return reason_set(walk->why, -EBADMSG,
				  "lists more than %d files",
				  LISTING_FILES_MAX);
	return parse(name, value, &listing, walk->why);
}

int
listing_check_snapshot(const struct metadata *snapshot, struct reason *why)
{
	struct walk walk = { .why = why };

	if (!doc_is_object(snapshot->body, "meta"))
		return reason_set(why, -EBADMSG, "has no object \"meta\"");
	return doc_each(snapshot->body, "meta", check_entry, &walk);
}

int
listing_of_timestamp(const struct metadata *timestamp,
		     struct listing *ret_listing, struct reason *why)
{
	const struct doc_value *meta = doc_get(timestamp->body, "meta");
	const struct doc_value *entry = doc_member(meta, SNAPSHOT_FILE);
	struct walk walk = { .why = why };

	int r = listing_check_snapshot(timestamp, why);
	if (r < 0)
		return r;
	(void)doc_each(meta, NULL, check_entry, &walk);
	if (!entry || walk.len != 1)
		return reason_set(why, -EBADMSG,
				  "does not list %s and nothing else",
				  SNAPSHOT_FILE);
	return parse(SNAPSHOT_FILE, entry, ret_listing, why);
}

int
listing_find(const struct metadata *snapshot, const char *role,
	     struct listing *ret_listing, struct reason *why)
{
	char file[DOC_NAME_MAX];

	int len = snprintf(file, sizeof(file), "%s.json", role);
	if (len < 0 || (size_t)len >= sizeof(file))
		return -ENAMETOOLONG;
	const struct doc_value *entry =
		doc_member(doc_get(snapshot->body, "meta"), file);
	if (!entry)
		return reason_set(why, -ENOENT,
				  "is not listed in the snapshot");
	return parse(file, entry, ret_listing, why);
}

static int
compare_entry(void *arg, const char *name, const struct doc_value *value)
{
	const struct walk *walk = arg;
	const struct doc_value *entry =
		doc_member(doc_get(walk->now->body, "meta"), name);
	int64_t was = doc_number_or(value, "version", 0);

	if (!entry)
		return reason_set(walk->why, -ESTALE, "no longer lists %.64s",
				  name);
	if (doc_number_or(entry, "version", 0) < was)
		return reason_set(walk->why, -ESTALE,
				  "lists %.64s in version %" PRId64
				  ", and had version %" PRId64,
				  name, doc_number_or(entry, "version", 0),
				  was);
	return 0;
}

int
listing_compare(const struct metadata *old, const struct metadata *now,
		struct reason *why)
{
	struct walk walk = { .now = now, .why = why };

	return doc_each(old->body, "meta", compare_entry, &walk);
}
