/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/mirrors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "updater/http/url.h"
#include "updater/tuf/reason.h"

int
mirrors_parse(struct mirrors *mirrors, const char *text, struct reason *why)
{
	char *rest = NULL;

	*mirrors = (struct mirrors){ .text = strdup(text) };
	if (!mirrors->text)
		return -ENOMEM;
	for (char *one = strtok_r(mirrors->text, " ", &rest); one;
	     one = strtok_r(NULL, " ", &rest)) {
		int r = url_check(one, why);
		if (r < 0)
			return r;
		if (mirrors->len == MIRRORS_MAX)
			return reason_set(why, -EINVAL, "more than %d mirrors",
					  MIRRORS_MAX);
		mirrors->list[mirrors->len++].url = one;
	}
	if (!mirrors->len)
		return reason_set(why, -EINVAL, "no mirror is configured");
	return 0;
}

void
mirrors_done(struct mirrors *mirrors)
{
	free(mirrors->text);
	*mirrors = (struct mirrors){ 0 };
}

static bool
is_out(const struct mirrors *mirrors, const struct mirrors_file *file,
       uint64_t now_ms, size_t at)
{
	uint64_t until_ms = mirrors->list[at].until_ms;

	return file->out[at] ||
	       (until_ms > now_ms && until_ms - now_ms > mirrors->wait_ms);
}

/* Whether a is to be asked rather than b: sooner, then with fewer failures. */
static bool
is_better(const struct mirrors_one *a, const struct mirrors_one *b,
	  uint64_t now_ms)
{
	uint64_t a_ms = a->until_ms > now_ms ? a->until_ms : now_ms;
	uint64_t b_ms = b->until_ms > now_ms ? b->until_ms : now_ms;

	return a_ms != b_ms ? a_ms < b_ms : a->failures < b->failures;
}

int
mirrors_next(const struct mirrors *mirrors, const struct mirrors_file *file,
	     uint64_t now_ms, size_t *ret_at, uint64_t *ret_wait_ms)
{
	const struct mirrors_one *list = mirrors->list;
	size_t best = mirrors->len;

	for (size_t i = 0; i < mirrors->len; i++)
		if (!is_out(mirrors, file, now_ms, i) &&
		    (best == mirrors->len ||
		     is_better(&list[i], &list[best], now_ms)))
			best = i;
	if (best == mirrors->len)
		return -ENOENT;
	uint64_t until_ms = list[best].until_ms;
	*ret_wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	*ret_at = best;
	return 0;
}

void
mirrors_worked(struct mirrors *mirrors, size_t at)
{
	mirrors->list[at].failures = 0;
	mirrors->list[at].until_ms = 0;
}

static uint64_t
backoff(const struct mirrors *mirrors, uint32_t failures)
{
	uint64_t wait_ms = mirrors->backoff_ms;

	while (--failures && wait_ms < MIRRORS_BACKOFF_MAX_MS)
		wait_ms *= 2;
	return wait_ms < MIRRORS_BACKOFF_MAX_MS ? wait_ms :
						  MIRRORS_BACKOFF_MAX_MS;
}

void
mirrors_failed(struct mirrors *mirrors, struct mirrors_file *file, size_t at,
	       uint64_t now_ms, uint64_t wish_ms, bool again)
{
	struct mirrors_one *one = &mirrors->list[at];

	if (one->failures < UINT32_MAX)
		one->failures++;
	file->tried[at]++;
	uint64_t wait_ms = backoff(mirrors, one->failures);
	if (wish_ms > wait_ms)
		wait_ms = wish_ms;
	one->until_ms =
		wait_ms < UINT64_MAX - now_ms ? now_ms + wait_ms : UINT64_MAX;
	if (!again || wait_ms > mirrors->wait_ms ||
	    file->tried[at] >= mirrors->tries)
		file->out[at] = true;
}

void
mirrors_forgive(struct mirrors *mirrors, struct mirrors_file *file, size_t at)
{
	file->tried[at] = 0;
	mirrors->list[at].failures = 0;
}
