/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/meta.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/msg.h"
#include "agent/lib/str.h"

void
meta_init(struct meta *meta)
{
	*meta = (struct meta){ .severity = "medium" };
}

/* Cuts at most max bytes, but no character of UTF-8 in two. */
static size_t
cut_length(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len <= max)
		return len;
	len = max;
	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void
add_attack(char *attack, const char *value)
{
	size_t len = strlen(attack);
	size_t more = strlen(value);

	if (more == 0 || len + 1 + more > META_ATTACK_MAX)
		return;
	if (len > 0)
		attack[len++] = ' ';
	memcpy(attack + len, value, more + 1);
}

static void
add_text(char *dst, size_t max, const char *value)
{
	size_t len = cut_length(value, max);

	memcpy(dst, value, len);
	dst[len] = '\0';
}

static void
add_severity(struct meta *meta, const char *value)
{
	unsigned int level = msg_severity_find(value);

	if (level == 0)
		return;
	meta->severity = msg_severity_name(level);
	meta->graded = true;
}

static bool
is_date(const char *text)
{
	static const char form[] = "0000-00-00";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' :
				     text[i] != form[i])
			return false;
	return true;
}

void
meta_add(struct meta *meta, const char *name, const char *value)
{
	if (str_equal(name, "id"))
		(void)str_copy(meta->id, sizeof(meta->id), value);
	else if (str_equal(name, "description"))
		add_text(meta->description, META_DESCRIPTION_MAX, value);
	else if (str_equal(name, "attack"))
		add_attack(meta->attack, value);
	else if (str_equal(name, "severity"))
		add_severity(meta, value);
	else if (str_equal(name, "author"))
		add_text(meta->author, META_AUTHOR_MAX, value);
	else if (str_equal(name, "date") && is_date(value))
		add_text(meta->date, META_DATE_MAX, value);
	else if (str_equal(name, "false_positives"))
		add_text(meta->false_positives, META_DESCRIPTION_MAX, value);
	else if (str_equal(name, "reference") && !meta->reference[0])
		add_text(meta->reference, META_REFERENCE_MAX, value);
}

static void
find_lacks(struct meta *meta)
{
	const struct {
		const char *name;
		bool there;
	} wanted[] = {
		{ "severity", meta->graded },
		{ "author", meta->author[0] },
		{ "date", meta->date[0] },
		{ "false_positives", meta->false_positives[0] },
	};

	meta->lacks[0] = '\0';
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		size_t len = strlen(meta->lacks);
		if (!wanted[i].there)
			(void)snprintf(meta->lacks + len,
				       sizeof(meta->lacks) - len, "%s%s",
				       len ? " " : "", wanted[i].name);
	}
}

char *
meta_copy(struct meta *meta, struct msg_match *match, struct msg_about *about)
{
	struct msg_about none;
	struct msg_about *more = about ? about : &none;
	const char *const texts[] = { meta->id,	       meta->description,
				      meta->attack,    meta->author,
				      meta->date,      meta->false_positives,
				      meta->reference, meta->lacks };
	const char **const to[] = { &match->id,	      &match->description,
				    &match->attack,   &more->author,
				    &more->date,      &more->false_positives,
				    &more->reference, &more->lacks };
	size_t count = about ? sizeof(texts) / sizeof(*texts) : 3;
	size_t size = 0;

	find_lacks(meta);
	for (size_t i = 0; i < count; i++)
		size += strlen(texts[i]) + 1;
	char *own = malloc(size);
	if (!own)
		return NULL;
	char *at = own;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(texts[i]) + 1;
		*to[i] = memcpy(at, texts[i], len);
		at += len;
	}
	match->severity = meta->severity;
	return own;
}
