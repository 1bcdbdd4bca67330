/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/when.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/lib/str.h"

#define SECOND_NS 1000000000LL
/* A hundred years: what is longer is a slip of the pen. */
#define AGO_MAX_SECONDS (100LL * 366 * 86400)

int64_t
when_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Exactly `len` digits at *text, which then points behind them. */
static bool
digits(const char **text, int len, int *ret_number)
{
	int number = 0;

	for (int i = 0; i < len; i++) {
		char c = (*text)[i];
		if (c < '0' || c > '9')
			return false;
		number = number * 10 + (c - '0');
	}
	*text += len;
	*ret_number = number;
	return true;
}

static bool
skip(const char **text, char c)
{
	if (**text != c)
		return false;
	++*text;
	return true;
}

static int64_t
unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 7 * 86400;
	default:
		return 0;
	}
}

int
when_span(const char *text, int64_t *ret_seconds)
{
	int64_t seconds = 0;

	do {
		int64_t number = 0;
		const char *from = text;
		for (; *text >= '0' && *text <= '9'; text++) {
			number = number * 10 + (*text - '0');
			if (number > AGO_MAX_SECONDS)
				return -EINVAL;
		}
		int64_t unit = unit_seconds(*text);
		if (text == from || !unit)
			return -EINVAL;
		text++;
		seconds += number * unit;
		if (seconds > AGO_MAX_SECONDS)
			return -EINVAL;
	} while (*text);
	*ret_seconds = seconds;
	return 0;
}

static int
parse_ago(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	int64_t seconds;

	int r = when_span(text, &seconds);
	if (r < 0)
		return r;
	/* Before 1970 there is nothing to be found either. */
	*ret_ns = now_ns - seconds * SECOND_NS;
	if (*ret_ns < 1)
		*ret_ns = 1;
	return 0;
}

static bool
parse_date(const char **text, struct tm *tm)
{
	int year;
	int month;
	int day;

	if (!digits(text, 4, &year) || !skip(text, '-') ||
	    !digits(text, 2, &month) || !skip(text, '-') ||
	    !digits(text, 2, &day))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	/* timegm() makes 2 March of 30 February: then it was no date. */
	struct tm copy = *tm;
	(void)timegm(&copy);
	return year >= 1970 && month && copy.tm_mon == tm->tm_mon &&
	       copy.tm_mday == day;
}

/* HH:MM[:SS[.digits]]; *ret_ns is the fraction. */
static bool
parse_clock(const char **text, struct tm *tm, int64_t *ret_ns)
{
	int64_t scale = SECOND_NS / 10;

	if (!digits(text, 2, &tm->tm_hour) || !skip(text, ':') ||
	    !digits(text, 2, &tm->tm_min))
		return false;
	if (tm->tm_hour > 23 || tm->tm_min > 59)
		return false;
	if (!skip(text, ':'))
		return true;
	/* A leap second is written as 60. */
	if (!digits(text, 2, &tm->tm_sec) || tm->tm_sec > 60)
		return false;
	if (!skip(text, '.'))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		*ret_ns += (**text - '0') * scale;
		scale /= 10;
	}
	return true;
}

/* Z, +HH:MM, +HHMM, +HH or nothing; *ret_seconds is what to take off. */
static bool
parse_offset(const char **text, int64_t *ret_seconds)
{
	int sign = **text == '-' ? -1 : 1;
	int hours;
	int minutes = 0;

	if (!**text || skip(text, 'Z') || skip(text, 'z'))
		return true;
	if (!skip(text, '+') && !skip(text, '-'))
		return false;
	if (!digits(text, 2, &hours))
		return false;
	bool colon = skip(text, ':');
	if ((colon || **text) && !digits(text, 2, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600LL + minutes * 60);
	return hours < 24 && minutes < 60;
}

int
when_parse(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	int64_t ns = 0;
	int64_t offset = 0;

	if (str_equal(text, "now")) {
		*ret_ns = now_ns;
		return 0;
	}
	const char *at = text;
	if (!parse_date(&at, &tm))
		return parse_ago(text, now_ns, ret_ns);
	if (*at) {
		if (!skip(&at, 'T') && !skip(&at, 't') && !skip(&at, ' '))
			return -EINVAL;
		if (!parse_clock(&at, &tm, &ns) || !parse_offset(&at, &offset))
			return -EINVAL;
	}
	int64_t seconds = timegm(&tm) - offset;
	/* Above: the last second that nanoseconds in 63 bits can name. */
	if (*at || seconds < 0 || seconds >= INT64_MAX / SECOND_NS)
		return -EINVAL;
	ns += seconds * SECOND_NS;
	/* 0 stands for "no limit" in a request. */
	*ret_ns = ns ? ns : 1;
	return 0;
}

void
when_shorten(char *dst, const char *rfc3339)
{
	(void)snprintf(dst, WHEN_TEXT_SIZE, "%.19s", rfc3339);
	if (strlen(dst) == 19 && dst[10] == 'T') {
		dst[10] = ' ';
		(void)snprintf(dst + 19, 2, "Z");
	}
}
