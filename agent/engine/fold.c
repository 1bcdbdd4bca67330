/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/fold.h"

#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"

void
fold_done(struct fold *fold)
{
	for (size_t i = 0; i < fold->len; i++)
		free(fold->entries[i].key);
	fold->len = 0;
}

/* One text of four; NULL: no memory. */
static char *
join(const struct fold_key *key, size_t *ret_len)
{
	const char *parts[] = { key->rule, key->sha256, key->path,
				key->executable };
	size_t len = 0;

	for (size_t i = 0; i < 4; i++)
		len += strlen(parts[i]) + 1;
	char *text = malloc(len);
	if (!text)
		return NULL;
	char *at = text;
	for (size_t i = 0; i < 4; i++)
		at = stpcpy(at, parts[i]) + 1;
	*ret_len = len;
	return text;
}

static void
forget(struct fold *fold, size_t i)
{
	free(fold->entries[i].key);
	fold->entries[i] = fold->entries[--fold->len];
}

static void
forget_old(struct fold *fold, uint64_t now_ns)
{
	size_t oldest = 0;

	for (size_t i = fold->len; i-- > 0;)
		if (now_ns - fold->entries[i].first_ns >= FOLD_NS)
			forget(fold, i);
	if (fold->len < FOLD_LEN_MAX)
		return;
	for (size_t i = 1; i < fold->len; i++)
		if (fold->entries[i].first_ns < fold->entries[oldest].first_ns)
			oldest = i;
	forget(fold, oldest);
}

bool
fold_repeats(struct fold *fold, const struct fold_key *key, uint64_t now_ns)
{
	size_t len;
	CLEANUP_FREE char *text = join(key, &len);

	/* Told twice is better than not at all. */
	if (!text)
		return false;
	for (size_t i = 0; i < fold->len; i++) {
		const struct fold_entry *entry = &fold->entries[i];
		if (entry->len == len && memcmp(entry->key, text, len) == 0 &&
		    now_ns - entry->first_ns < FOLD_NS)
			return true;
	}
	forget_old(fold, now_ns);
	fold->entries[fold->len++] = (struct fold_entry){ .key = TAKE(text),
							  .len = len,
							  .first_ns = now_ns };
	return false;
}
