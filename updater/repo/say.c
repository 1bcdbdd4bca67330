/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"

#define ASCII_MAX 0x7f

/* Beyond ASCII everything is shown by its bytes: direction marks and look-alike
   letters have no place in what somebody is about to sign. */
static void
put(FILE *file, const char *text)
{
	for (; *text; text++) {
		uint8_t byte = (uint8_t)*text;
		if (byte < ' ' || byte >= ASCII_MAX)
			(void)fprintf(file, "\\x%02x", byte);
		else
			(void)fputc(byte, file);
	}
	(void)fputc('\n', file);
}

__attribute__((format(printf, 3, 0))) static void
line(FILE *file, const char *start, const char *format, va_list args)
{
	CLEANUP_FREE char *text = NULL;

	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		return;
	}
	(void)fputs(start, file);
	put(file, text);
}

void
say_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(stdout, "", format, args);
	va_end(args);
}

void
say_error(const char *format, ...)
{
	va_list args;

	/* What was said before comes first, also in a file. */
	(void)fflush(stdout);
	va_start(args, format);
	line(stderr, "khien-repo: ", format, args);
	va_end(args);
}

void
say_json(const struct doc *doc)
{
	CLEANUP_FREE char *text = doc_write(doc);

	if (text)
		(void)puts(text);
	else
		say_error("no memory");
}

int
say_finish(void)
{
	errno = 0;
	if (fflush(stdout) == EOF || ferror(stdout))
		return errno ? -errno : -EIO;
	return 0;
}
