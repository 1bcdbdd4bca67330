/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/client/policy_file.h"

#include <errno.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/reason.h"

#define WHY_SIZE 200

/* Which names an object must have, and how many it has. */
struct names {
	const char *const *all;
	size_t len, seen;
	const char *where; /* "in floor", for people */
	struct reason *why;
};

static int
check_name(void *arg, const char *name, const struct doc_value *value)
{
	struct names *names = arg;

	(void)value;
	for (size_t i = 0; name && i < names->len; i++)
		if (str_equal(names->all[i], name)) {
			names->seen++;
			return 0;
		}
	return reason_set(names->why, -EBADMSG, "has \"%.32s\"%s, not known",
			  name ? name : "", names->where);
}

/* An object with just these names, each of which is there once. */
static int
check_names(const struct doc_value *object, const char *where,
	    const char *const *all, size_t len, struct reason *why)
{
	struct names names = { all, len, 0, where, why };

	if (!doc_is_object(object, NULL))
		return reason_set(why, -EBADMSG, "has no object%s", where);
	int r = doc_each(object, NULL, check_name, &names);
	if (r == 0 && names.seen != len)
		r = reason_set(why, -EBADMSG, "lacks a member%s", where);
	return r;
}

static int
parse_number(const struct doc_value *object, const char *name,
	     int64_t *ret_number, struct reason *why)
{
	int64_t number;

	if (doc_number(object, name, &number) < 0 || number < 0 ||
	    number > METADATA_VERSION_MAX)
		return reason_set(why, -EBADMSG,
				  "has a \"%s\" that is no number from 0 up",
				  name);
	*ret_number = number;
	return 0;
}

static int
parse_floor(const struct doc_value *floor, struct policy *policy,
	    struct reason *why)
{
	const char *names[METADATA_TYPES];

	for (size_t i = 0; i < METADATA_TYPES; i++)
		names[i] = metadata_name(i);
	int r = check_names(floor, " in \"floor\"", names, METADATA_TYPES, why);
	for (size_t i = 0; i < METADATA_TYPES && r == 0; i++)
		r = parse_number(floor, names[i], &policy->version_min[i], why);
	return r;
}

int
policy_file_parse(const char *text, size_t len, struct policy_file *ret_file,
		  struct reason *why)
{
	static const char *const names[] = { "hybrid", "floor", "release" };
	CLEANUP(doc_freep) struct doc *doc = NULL;
	struct policy_file file = { 0 };
	char said[WHY_SIZE] = "";

	int r = doc_parse(text, len, &doc, said, sizeof(said));
	if (r == -EINVAL)
		return reason_set(why, -EBADMSG, "is not JSON: %s", said);
	if (r < 0)
		return r;
	const struct doc_value *root = doc_root(doc);
	r = check_names(root, "", names, sizeof(names) / sizeof(names[0]), why);
	if (r == 0 && !doc_is_bool(root, "hybrid"))
		r = reason_set(why, -EBADMSG,
			       "has a \"hybrid\" that is neither true nor "
			       "false");
	if (r == 0)
		r = parse_floor(doc_member(root, "floor"), &file.policy, why);
	if (r == 0)
		r = parse_number(root, "release", &file.release, why);
	if (r < 0)
		return r;
	file.policy.hybrid = doc_true(root, "hybrid");
	*ret_file = file;
	return 0;
}

int
policy_file_read(int dir, const char *path, struct policy_file *ret_file,
		 struct reason *why)
{
	char text[POLICY_FILE_MAX + 1];
	size_t len;

	why->text[0] = '\0';
	int r = file_read(dir, path, text, sizeof(text), &len);
	if (r == 0)
		r = policy_file_parse(text, len, ret_file, why);
	return r < 0 ? reason_about(why, r, path) : 0;
}
