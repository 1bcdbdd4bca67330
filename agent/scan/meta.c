/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/meta.h"

#include <stdint.h>
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

void
meta_add(struct meta *meta, const char *name, const char *value)
{
	if (str_equal(name, "id")) {
		(void)str_copy(meta->id, sizeof(meta->id), value);
	} else if (str_equal(name, "description")) {
		size_t len = cut_length(value, META_DESCRIPTION_MAX);
		memcpy(meta->description, value, len);
		meta->description[len] = '\0';
	} else if (str_equal(name, "attack")) {
		add_attack(meta->attack, value);
	} else if (str_equal(name, "severity")) {
		unsigned int level = msg_severity_find(value);
		if (level > 0)
			meta->severity = msg_severity_name(level);
	}
}

char *
meta_copy(const struct meta *meta, struct msg_match *match)
{
	const char *const texts[] = { meta->id, meta->description,
				      meta->attack };
	const char **const to[] = { &match->id, &match->description,
				    &match->attack };
	size_t size = 0;

	for (size_t i = 0; i < 3; i++)
		size += strlen(texts[i]) + 1;
	char *own = malloc(size);
	if (!own)
		return NULL;
	char *at = own;
	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(texts[i]) + 1;
		*to[i] = memcpy(at, texts[i], len);
		at += len;
	}
	match->severity = meta->severity;
	return own;
}
