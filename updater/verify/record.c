/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/client/folder.h"
#include "updater/release/index.h"
#include "updater/tuf/date.h"
#include "updater/tuf/reason.h"

#define FORMAT 1
#define WHY_MAX 160

/* One member that is read and written. */
struct number {
	const char *name;
	size_t at; /* in struct record */
};

#define NUMBER(member)                                                         \
	{                                                                      \
#member, offsetof(struct record, member)                       \
	}

static const struct number numbers[] = {
	NUMBER(active), NUMBER(previous), NUMBER(staged),
	NUMBER(newest), NUMBER(waiting),
};

static const struct number times[] = {
	{ "activated", offsetof(struct record, activated_s) },
	{ "wave", offsetof(struct record, wave_s) },
	{ "floor", offsetof(struct record, floor_s) },
	{ "checked", offsetof(struct record, checked_s) },
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static int
get_release(const struct doc_value *value, const char *name,
	    int64_t *ret_number)
{
	int64_t number;

	if (doc_number(value, name, &number) < 0 || number < 0 ||
	    number > INDEX_NUMBER_MAX)
		return -EBADMSG;
	*ret_number = number;
	return 0;
}

/* Absent: 0. */
static int
get_time(const struct doc_value *value, const char *name, int64_t *ret_s)
{
	const char *text = doc_text(value, name);

	*ret_s = 0;
	if (!doc_get(value, name))
		return 0;
	return text ? date_parse(text, ret_s) : -EBADMSG;
}

static void
put_time(struct doc *doc, const char *name, int64_t time_s)
{
	char text[DATE_SIZE];

	if (time_s > 0 && date_write(text, time_s) == 0)
		doc_set_text(doc, name, text);
}

static int
get_bad(void *arg, const char *name, const struct doc_value *value)
{
	struct record *record = arg;
	const char *reason = doc_text(value, "reason");
	int64_t number;

	(void)name;
	if (!reason || get_release(value, "number", &number) < 0 || !number)
		return -EBADMSG;
	record_add_bad(record, number, reason);
	return 0;
}

static int
get_role(void *arg, const char *name, const struct doc_value *value)
{
	struct record *record = arg;
	int64_t issued_s, expires_s;

	if (!name || get_time(value, "issued", &issued_s) < 0 ||
	    get_time(value, "expires", &expires_s) < 0)
		return -EBADMSG;
	record_add_role(record, name, issued_s, expires_s);
	return 0;
}

static int
get_members(const struct doc_value *root, struct record *record)
{
	char *base = (char *)record;

	for (size_t i = 0; i < LEN(numbers); i++)
		if (get_release(root, numbers[i].name,
				(int64_t *)(void *)(base + numbers[i].at)) < 0)
			return -EBADMSG;
	for (size_t i = 0; i < LEN(times); i++)
		if (get_time(root, times[i].name,
			     (int64_t *)(void *)(base + times[i].at)) < 0)
			return -EBADMSG;
	record->expired = doc_true(root, "expired");
	if (!doc_is_list(root, "bad") || !doc_is_object(root, "roles"))
		return -EBADMSG;
	int r = doc_each(root, "bad", get_bad, record);
	return r < 0 ? r : doc_each(root, "roles", get_role, record);
}

int
record_parse(const char *text, size_t len, struct record *ret_record,
	     struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	char said[WHY_MAX];
	int64_t format;

	int r = doc_parse(text, len, &doc, said, sizeof(said));
	if (r == -EINVAL)
		return reason_set(why, -EBADMSG, "is damaged: %s", said);
	if (r < 0)
		return r;
	if (doc_number(doc_root(doc), "format", &format) < 0 || format < 1)
		return reason_set(why, -EBADMSG, "is damaged: no format");
	/* Earlier formats are brought up to this one here. */
	if (format != FORMAT)
		return reason_set(why, -EPROTONOSUPPORT,
				  "was written by a later version");
	*ret_record = (struct record){ 0 };
	if (get_members(doc_root(doc), ret_record) < 0)
		return reason_set(why, -EBADMSG,
				  "is damaged: a member is "
				  "missing or malformed");
	return 0;
}

static struct doc *
bad_doc(const struct record *record)
{
	struct doc *list = doc_new_list();

	for (size_t i = 0; i < record->bad_len; i++) {
		struct doc *bad = doc_new();
		doc_set_number(bad, "number", record->bad[i].number);
		doc_set_text(bad, "reason", record->bad[i].reason);
		doc_add(list, NULL, bad);
	}
	return list;
}

static struct doc *
roles_doc(const struct record *record)
{
	struct doc *roles = doc_new_flat();

	for (size_t i = 0; i < record->roles_len; i++) {
		const struct record_role *role = &record->roles[i];
		struct doc *one = doc_new();
		put_time(one, "issued", role->issued_s);
		put_time(one, "expires", role->expires_s);
		doc_set(roles, role->name, one);
	}
	return roles;
}

char *
record_text(const struct record *record)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	const char *base = (const char *)record;

	doc_set_number(doc, "format", FORMAT);
	for (size_t i = 0; i < LEN(numbers); i++) {
		int64_t number;
		memcpy(&number, base + numbers[i].at, sizeof(number));
		doc_set_number(doc, numbers[i].name, number);
	}
	for (size_t i = 0; i < LEN(times); i++) {
		int64_t time_s;
		memcpy(&time_s, base + times[i].at, sizeof(time_s));
		put_time(doc, times[i].name, time_s);
	}
	doc_set_bool(doc, "expired", record->expired);
	doc_set(doc, "bad", bad_doc(record));
	doc_set(doc, "roles", roles_doc(record));
	return doc_write(doc);
}

int
record_load(struct folder *folder, struct record *ret_record,
	    struct reason *why)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	*ret_record = (struct record){ 0 };
	int r = folder_read(folder, RECORD_FILE, RECORD_SIZE_MAX, &bytes, &len);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = record_parse((const char *)bytes, len, ret_record, why);
	else if (r == -EFBIG || r == -EINVAL || r == -ELOOP)
		r = reason_set(why, -EBADMSG, "is not a file of ours");
	if (r == 0)
		return 0;
	*ret_record = (struct record){ 0 };
	if (r != -EBADMSG && r != -EPROTONOSUPPORT)
		return reason_about(why, r, RECORD_FILE);
	if (renameat(folder->fd, RECORD_FILE, folder->fd, RECORD_ASIDE) < 0)
		return reason_set(why, -errno, "%s cannot be set aside: %s",
				  RECORD_FILE, strerror(errno));
	(void)reason_about(why, r, RECORD_FILE);
	return 1;
}

int
record_save(struct folder *folder, const struct record *record,
	    struct reason *why)
{
	CLEANUP_FREE char *text = record_text(record);

	if (!text)
		return -ENOMEM;
	int r = folder_write(folder, RECORD_FILE, text, strlen(text));
	return r < 0 ? reason_set(why, r, "%s cannot be written: %s",
				  RECORD_FILE, strerror(-r)) :
		       0;
}

const struct record_bad *
record_find_bad(const struct record *record, int64_t number)
{
	for (size_t i = 0; i < record->bad_len; i++)
		if (record->bad[i].number == number)
			return &record->bad[i];
	return NULL;
}

/* Where a new one goes: NULL when all that are there are newer. */
static struct record_bad *
room(struct record *record, int64_t number)
{
	struct record_bad *lowest = NULL;

	for (size_t i = 0; i < record->bad_len; i++)
		if (record->bad[i].number == number)
			return &record->bad[i];
	if (record->bad_len < RECORD_BAD_MAX)
		return &record->bad[record->bad_len++];
	for (size_t i = 0; i < record->bad_len; i++)
		if (!lowest || record->bad[i].number < lowest->number)
			lowest = &record->bad[i];
	return lowest->number < number ? lowest : NULL;
}

void
record_add_bad(struct record *record, int64_t number, const char *reason)
{
	struct record_bad *bad = room(record, number);

	if (!bad)
		return;
	bad->number = number;
	(void)snprintf(bad->reason, sizeof(bad->reason), "%s", reason);
}

const struct record_bad *
record_newest_bad(const struct record *record)
{
	const struct record_bad *newest = NULL;

	for (size_t i = 0; i < record->bad_len; i++)
		if (!newest || record->bad[i].number > newest->number)
			newest = &record->bad[i];
	return newest;
}

void
record_add_role(struct record *record, const char *name, int64_t issued_s,
		int64_t expires_s)
{
	struct record_role *role = NULL;

	if (strlen(name) >= RECORD_ROLE_MAX)
		return;
	for (size_t i = 0; i < record->roles_len && !role; i++)
		if (str_equal(record->roles[i].name, name))
			role = &record->roles[i];
	if (!role && record->roles_len < RECORD_ROLES_MAX)
		role = &record->roles[record->roles_len++];
	if (!role)
		return;
	(void)str_copy(role->name, sizeof(role->name), name);
	role->issued_s = issued_s;
	role->expires_s = expires_s;
}
