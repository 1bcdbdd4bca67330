/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/answer.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/tuf/reason.h"

#define UNIT "bytes "
#define DIGITS 20

/* A number that ends with `end`; moves behind that. */
static int
take_number(const char **at, char end, uint64_t *ret_number)
{
	char digits[DIGITS];
	size_t len = strspn(*at, "0123456789");

	if (len >= sizeof(digits) || (*at)[len] != end)
		return -EBADMSG;
	memcpy(digits, *at, len);
	digits[len] = '\0';
	if (str_number(digits, INT64_MAX, ret_number) < 0)
		return -EBADMSG;
	*at += len + (end != '\0');
	return 0;
}

int
answer_range(const char *text, uint64_t *ret_first, uint64_t *ret_last,
	     uint64_t *ret_total)
{
	uint64_t first = 0, last = 0, total = 0;

	if (!str_starts(text, UNIT))
		return -EBADMSG;
	text += strlen(UNIT);
	if (take_number(&text, '-', &first) < 0 ||
	    take_number(&text, '/', &last) < 0 ||
	    take_number(&text, '\0', &total) < 0 || first > last ||
	    last >= total)
		return -EBADMSG;
	*ret_first = first;
	*ret_last = last;
	*ret_total = total;
	return 0;
}

bool
answer_is_strong(const char *etag)
{
	size_t len = strlen(etag);

	return len >= 2 && etag[0] == '"' && etag[len - 1] == '"';
}

/* 206: must be just what is missing of just this file. */
static enum answer_means
read_part(const struct answer *answer, const struct answer_asked *asked,
	  uint64_t *ret_total, struct reason *why)
{
	uint64_t first, last, total;

	if (!asked->from) {
		(void)reason_set(why, 0, "sends a part, and all was asked for");
		return ANSWER_REFUSED;
	}
	if (answer_range(answer->content_range, &first, &last, &total) < 0) {
		(void)reason_set(why, 0, "sends a part and not which: '%.64s'",
				 answer->content_range);
		return ANSWER_ANEW;
	}
	if (first != asked->from || last != total - 1 ||
	    (asked->total && total != asked->total)) {
		(void)reason_set(why, 0,
				 "sends another part than asked for: "
				 "'%.64s'",
				 answer->content_range);
		return ANSWER_ANEW;
	}
	if (answer->etag[0] && !str_equal(answer->etag, asked->etag)) {
		(void)reason_set(why, 0, "sends a part of another file");
		return ANSWER_ANEW;
	}
	if (total > asked->size_max) {
		(void)reason_set(why, 0, "is too long");
		return ANSWER_REFUSED;
	}
	*ret_total = total;
	return ANSWER_REST;
}

static enum answer_means
by_status(long status)
{
	switch (status) {
	case 200:
		return ANSWER_WHOLE;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return ANSWER_ELSEWHERE;
	/* Some servers say 403 of what is not there. */
	case 403:
	case 404:
	case 410:
		return ANSWER_ABSENT;
	case 416:
		return ANSWER_ANEW;
	case 408: /* RFC 9110, 15.5.9 */
	case 425: /* RFC 8470, 5.2 */
	case 429: /* RFC 6585, 4 */
		return ANSWER_LATER;
	default:
		return status >= 500 && status <= 599 ? ANSWER_LATER :
							ANSWER_REFUSED;
	}
}

enum answer_means
answer_read(const struct answer *answer, const struct answer_asked *asked,
	    uint64_t *ret_total, struct reason *why)
{
	if (answer->status == 206)
		return read_part(answer, asked, ret_total, why);
	enum answer_means what = by_status(answer->status);
	if (what == ANSWER_ANEW && !asked->from)
		what = ANSWER_REFUSED;
	if (what == ANSWER_ABSENT)
		(void)reason_set(why, 0, "has no such file (status %ld)",
				 answer->status);
	else if (what == ANSWER_LATER)
		(void)reason_set(why, 0, "cannot now (status %ld)",
				 answer->status);
	else if (what == ANSWER_ANEW || what == ANSWER_REFUSED)
		(void)reason_set(why, 0, "will not (status %ld)",
				 answer->status);
	return what;
}

int
answer_error(enum answer_means means)
{
	switch (means) {
	case ANSWER_ABSENT:
		return -ENOENT;
	case ANSWER_LATER:
		return -EAGAIN;
	default:
		return -EPROTO;
	}
}
