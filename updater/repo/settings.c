/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/files.h"
#include "updater/tuf/reason.h"

#define FORMAT 1
#define SIZE_MAX_BYTES 65536
#define WHY_SIZE 200

void
settings_init(struct settings *settings)
{
	*settings = (struct settings){
		.days = {
			[DUTY_OFFICE_ROOT] = 365,
			[DUTY_OFFICE_TARGETS] = 90,
			[DUTY_OFFICE_SNAPSHOT] = 7,
			[DUTY_OFFICE_TIMESTAMP] = 2,
			[DUTY_OFFICE_CHANNEL] = 90,
		},
	};
}

static int
parse(const struct doc_value *root, struct settings *settings,
      struct reason *why)
{
	const struct doc_value *days = doc_member(root, "days");

	if (doc_number_or(root, "format", 0) != FORMAT)
		return reason_set(why, -EBADMSG,
				  "is of another format than %d: a newer "
				  "khien-repo wrote it",
				  FORMAT);
	settings->hybrid = doc_true(root, "hybrid");
	for (unsigned int i = 0; i < DUTY_OFFICES; i++) {
		int64_t one = doc_number_or(days, duty_office_name(i), 0);
		if (one < 1 || one > SETTINGS_DAYS_MAX)
			return reason_set(why, -EBADMSG,
					  "has no days from 1 to %d for %s",
					  SETTINGS_DAYS_MAX,
					  duty_office_name(i));
		settings->days[i] = one;
	}
	if (str_copy(settings->online, sizeof(settings->online),
		     doc_text_or(root, "online_key", "")) < 0)
		return reason_set(why, -EBADMSG, "has too long an online_key");
	return 0;
}

int
settings_read(int dir, struct settings *ret_settings, struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	char said[WHY_SIZE] = "";
	size_t len;

	int r = files_read(dir, SETTINGS_FILE, SIZE_MAX_BYTES, &bytes, &len);
	if (r < 0)
		return r;
	r = doc_parse((char *)bytes, len, &doc, said, sizeof(said));
	if (r == -EINVAL)
		r = reason_set(why, -EBADMSG, "is not JSON: %s", said);
	if (r == 0)
		r = parse(doc_root(doc), ret_settings, why);
	return r < 0 ? reason_about(why, r, SETTINGS_FILE) : 0;
}

int
settings_write(int dir, const struct settings *settings)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	doc_set_number(doc, "format", FORMAT);
	doc_set_bool(doc, "hybrid", settings->hybrid);
	for (unsigned int i = 0; i < DUTY_OFFICES; i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "days.%s",
			       duty_office_name(i));
		doc_set_number(doc, path, settings->days[i]);
	}
	if (settings->online[0])
		doc_set_text(doc, "online_key", settings->online);
	CLEANUP_FREE char *text = doc_write(doc);
	if (!text)
		return -ENOMEM;
	return files_write(dir, SETTINGS_FILE, text, strlen(text));
}
