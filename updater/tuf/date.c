/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/date.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define FORM "dddd-dd-ddTdd:dd:ddZ"
#define YEAR_MIN 1970
#define YEAR_MAX 9999

static bool
has_form(const char *text)
{
	for (size_t i = 0; i < sizeof(FORM); i++)
		if (FORM[i] == 'd' ? text[i] < '0' || text[i] > '9' :
				     text[i] != FORM[i])
			return false;
	return true;
}

static int
number(const char *digits, size_t len)
{
	int value = 0;

	for (size_t i = 0; i < len; i++)
		value = 10 * value + (digits[i] - '0');
	return value;
}

int
date_parse(const char *text, int64_t *ret_s)
{
	struct tm tm = { 0 };

	if (!has_form(text))
		return -EBADMSG;
	tm.tm_year = number(text, 4) - 1900;
	tm.tm_mon = number(text + 5, 2) - 1;
	tm.tm_mday = number(text + 8, 2);
	tm.tm_hour = number(text + 11, 2);
	tm.tm_min = number(text + 14, 2);
	tm.tm_sec = number(text + 17, 2);
	struct tm asked = tm;
	/* What there is no such day or hour of, it turns into another one. */
	time_t seconds = timegm(&tm);
	if (asked.tm_year < YEAR_MIN - 1900 || tm.tm_mon != asked.tm_mon ||
	    tm.tm_mday != asked.tm_mday || tm.tm_hour != asked.tm_hour ||
	    tm.tm_min != asked.tm_min || tm.tm_sec != asked.tm_sec)
		return -EBADMSG;
	*ret_s = seconds;
	return 0;
}

int
date_write(char dst[DATE_SIZE], int64_t s)
{
	time_t seconds = s;
	struct tm tm;

	dst[0] = '\0';
	if (s < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > YEAR_MAX - 1900)
		return -ERANGE;
	(void)strftime(dst, DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return 0;
}
