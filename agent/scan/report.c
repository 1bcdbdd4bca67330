/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/report.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

/* "\xNN" for a byte. */
#define ESCAPE_SIZE 4

static void
release_json(json_t **json)
{
	json_decref(*json);
}

/* Any bytes as a JSON string; NULL: no memory. */
static json_t *
make_text(const char *text)
{
	size_t size = ESCAPE_SIZE * strlen(text) + 1;
	char *clean CLEANUP_FREE = malloc(size);

	if (!clean)
		return NULL;
	(void)str_utf8(clean, size, text);
	return json_string(clean);
}

/* "T1059.004 T1027" as an array. */
static json_t *
make_list(const char *words)
{
	json_t *list = json_array();
	char *copy CLEANUP_FREE = strdup(words);
	char *save = NULL;

	if (!list || !copy) {
		json_decref(list);
		return NULL;
	}
	for (char *word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		(void)json_array_append_new(list, make_text(word));
	return list;
}

static json_t *
make_flags(uint32_t flags)
{
	json_t *list = json_array();

	if (flags & MSG_PARTIAL)
		(void)json_array_append_new(list, json_string("partial"));
	if (flags & MSG_CHANGED)
		(void)json_array_append_new(list, json_string("changed"));
	return list;
}

static json_t *
make_object(const char *path, const struct msg_verdict *verdict,
	    const struct msg_match *match)
{
	json_t *json = json_pack(
		"{s:{s:s}, s:{s:o, s:I, s:{s:s}},"
		" s:{s:o, s:o, s:o, s:o}, s:{s:s, s:o}, s:{s:s, s:i}}",
		"ecs", "version", "8.11", /* */
		"file", "path", make_text(path), "size",
		(json_int_t)verdict->size, "hash", "sha256", verdict->sha256,
		"rule", "name", make_text(match->rule), "uuid",
		make_text(match->id), "ruleset", make_text(match->ruleset),
		"description", make_text(match->description), /* */
		"khien", "severity", match->severity, "flags",
		make_flags(verdict->flags), /* */
		"event", "kind", "alert", "severity",
		(int)msg_severity_find(match->severity));

	if (json && match->attack[0])
		(void)json_object_set_new(json, "threat",
					  json_pack("{s:{s:o}}", "technique",
						    "id",
						    make_list(match->attack)));
	return json;
}

int
report_matches(const char *path, const struct msg_verdict *verdict)
{
	for (uint32_t i = 0; i < verdict->len; i++) {
		CLEANUP(release_json)
		json_t *json = make_object(path, verdict, &verdict->matches[i]);
		if (!json)
			return -ENOMEM;
		errno = 0;
		if (json_dumpf(json, stdout, JSON_COMPACT) < 0 ||
		    fputc('\n', stdout) == EOF)
			return errno ? -errno : -ENOMEM;
	}
	return fflush(stdout) == EOF ? -errno : 0;
}
