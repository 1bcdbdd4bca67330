/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/types.h"

#include <stdio.h>

#include "agent/lib/event.h"
#include "agent/lib/str.h"

_Static_assert(EVENT_TYPES <= 64 * TYPES_WORDS, "a bit for each type");

static const struct {
	const char *word;
	enum event_family family;
} families[] = {
	{ "process", EVENT_OF_PROCESS }, { "file", EVENT_OF_FILE },
	{ "network", EVENT_OF_NETWORK }, { "privilege", EVENT_OF_PRIVILEGE },
	{ "agent", EVENT_OF_AGENT },
};

#define FAMILIES_LEN (sizeof(families) / sizeof(families[0]))

void
types_add(struct types *types, uint16_t type)
{
	types->bits[type / 64] |= UINT64_C(1) << (type % 64);
}

bool
types_has(const struct types *types, uint16_t type)
{
	return types->bits[type / 64] & UINT64_C(1) << (type % 64);
}

bool
types_is_empty(const struct types *types)
{
	for (size_t i = 0; i < TYPES_WORDS; i++)
		if (types->bits[i])
			return false;
	return true;
}

bool
types_add_word(struct types *types, const char *word)
{
	uint16_t type = event_type_find(word);

	if (type) {
		types_add(types, type);
		return true;
	}
	for (size_t i = 0; i < FAMILIES_LEN; i++) {
		if (!str_equal(families[i].word, word))
			continue;
		for (type = 1; type < EVENT_TYPES; type++)
			if (event_family(type) == families[i].family)
				types_add(types, type);
		return true;
	}
	return false;
}

void
types_words(char *dst, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < FAMILIES_LEN && len < size; i++)
		len += (size_t)snprintf(dst + len, size - len, "%s%s",
					i ? ", " : "", families[i].word);
	for (uint16_t type = 1; type < EVENT_TYPES && len < size; type++) {
		const char *name = event_type_name(type);
		if (name)
			len += (size_t)snprintf(dst + len, size - len, ", %s",
						name);
	}
}
