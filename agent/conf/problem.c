/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/problem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define TEXT_MAX 2048

static int
put_place(char *dst, size_t size, const struct problem_place *place)
{
	char line[16] = "";

	if (place->line)
		(void)snprintf(line, sizeof(line), "%u:", place->line);
	if (place->section && place->key)
		return snprintf(dst, size, "%s:%s [%s] %s: ", place->file, line,
				place->section, place->key);
	if (place->section)
		return snprintf(dst, size, "%s:%s [%s]: ", place->file, line,
				place->section);
	return snprintf(dst, size, "%s:%s ", place->file, line);
}

__attribute__((format(printf, 4, 0))) static void
put_text(char *dst, size_t size, const struct problem_place *place,
	 const char *format, va_list args)
{
	int len = put_place(dst, size, place);

	if (len >= 0 && (size_t)len < size)
		(void)vsnprintf(dst + len, size - (size_t)len, format, args);
}

/* Names of files and of keys are anything that their writer wished. */
static void
print(const char *text)
{
	char valid[4 * TEXT_MAX];
	char line[4 * sizeof(valid) + 1];
	size_t len = 0;

	(void)str_utf8(valid, sizeof(valid), text);
	for (const uint8_t *c = (const uint8_t *)valid; *c; c++) {
		if (*c >= 0x20 && *c != 0x7f) {
			line[len++] = (char)*c;
			continue;
		}
		line[len++] = '\\';
		line[len++] = 'x';
		str_hex(line + len, c, 1);
		len += 2;
	}
	line[len++] = '\n';
	(void)file_write_all(STDERR_FILENO, line, len);
}

void
problem_error(struct problem *problem, const struct problem_place *place,
	      const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	put_text(text, sizeof(text), place, format, args);
	va_end(args);
	if (!problem->silent)
		print(text);
	if (!problem->errors++)
		(void)snprintf(problem->first, sizeof(problem->first), "%.*s",
			       PROBLEM_FIRST_MAX - 1, text);
}

void
problem_warning(const struct problem *problem,
		const struct problem_place *place, const char *format, ...)
{
	char text[TEXT_MAX];
	char line[TEXT_MAX + 16];
	va_list args;

	va_start(args, format);
	put_text(text, sizeof(text), place, format, args);
	va_end(args);
	(void)snprintf(line, sizeof(line), "%s (warning)", text);
	if (!problem->silent)
		print(line);
}
