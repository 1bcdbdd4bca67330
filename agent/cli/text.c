/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/text.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

/* The code point at text, which is valid UTF-8, and its length in bytes. */
static uint32_t
code_point(const uint8_t *text, size_t *ret_len)
{
	static const uint8_t masks[] = { 0x7f, 0x1f, 0x0f, 0x07 };
	size_t len = text[0] < 0x80 ? 1 :
		     text[0] < 0xe0 ? 2 :
		     text[0] < 0xf0 ? 3 :
				      4;
	uint32_t point = text[0] & masks[len - 1];

	for (size_t i = 1; i < len; i++)
		point = point << 6 | (text[i] & 0x3f);
	*ret_len = len;
	return point;
}

/* What a terminal obeys, hides, or writes somewhere else. */
static bool
is_dangerous(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },	      { 0x7f, 0x9f },	  { 0xad, 0xad },
		{ 0x61c, 0x61c },     { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f },   { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
		{ 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

static size_t
escape_point(char *dst, size_t size, uint32_t point)
{
	int len;

	if (point == '\n')
		len = snprintf(dst, size, "\\n");
	else if (point == '\t')
		len = snprintf(dst, size, "\\t");
	else if (point < 0x80)
		len = snprintf(dst, size, "\\x%02x", point);
	else
		len = snprintf(dst, size, "\\u{%x}", point);
	return (size_t)len;
}

/* The same as text_escape() for what is valid UTF-8. */
static size_t
escape_valid(char *dst, size_t size, const char *text)
{
	const uint8_t *from = (const uint8_t *)text;
	char piece[16];
	size_t columns = 0;

	while (*from) {
		size_t len;
		uint32_t point = code_point(from, &len);
		size_t piece_len = len;
		if (is_dangerous(point))
			piece_len = escape_point(piece, sizeof(piece), point);
		else
			memcpy(piece, from, len);
		if (piece_len >= size)
			break;
		memcpy(dst, piece, piece_len);
		columns += is_dangerous(point) ? piece_len : 1;
		dst += piece_len;
		size -= piece_len;
		from += len;
	}
	*dst = '\0';
	return columns;
}

size_t
text_escape(char *dst, size_t size, const char *text)
{
	size_t valid_size = 4 * strlen(text) + 1;
	CLEANUP_FREE char *valid = malloc(valid_size);

	*dst = '\0';
	if (!valid)
		return 0;
	(void)str_utf8(valid, valid_size, text);
	return escape_valid(dst, size, valid);
}

/* Escapes text whole: to be freed; NULL: no memory. */
static char *
escaped(const char *text, size_t *ret_columns)
{
	/* The longest: one byte as "\xNN", three as "\u{202e}". */
	size_t size = 4 * strlen(text) + 1;
	char *dst = malloc(size);

	if (dst)
		*ret_columns = text_escape(dst, size, text);
	return dst;
}

void
text_put(const char *text)
{
	text_column(text, 0);
}

void
text_column(const char *text, size_t width)
{
	size_t columns = 0;
	CLEANUP_FREE char *line = escaped(text, &columns);

	(void)fputs(line ? line : "?", stdout);
	for (; columns < width; columns++)
		(void)putchar(' ');
}

void
text_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
}

void
text_error(const char *format, ...)
{
	CLEANUP_FREE char *said = NULL;
	size_t columns;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&said, format, args);
	va_end(args);
	if (len < 0) {
		said = NULL;
		return;
	}
	CLEANUP_FREE char *line = escaped(said, &columns);
	/* In order with what was printed before, when both are one file. */
	(void)fflush(stdout);
	(void)fprintf(stderr, "khienctl: %s\n", line ? line : "out of memory");
}

void
text_size(char *dst, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(dst, TEXT_SIZE_SIZE, "%u bytes",
			       (unsigned int)bytes);
		return;
	}
	while (size >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		size /= 1024;
		unit++;
	}
	(void)snprintf(dst, TEXT_SIZE_SIZE, "%.1f %s", size, units[unit]);
}

const char *
text_user(const char *id)
{
	static char last_id[16];
	static char name[64];
	uint64_t uid;

	if (str_equal(id, last_id))
		return name;
	if (str_number(id, UINT32_MAX - 1, &uid) < 0 ||
	    str_copy(last_id, sizeof(last_id), id) < 0)
		return id;
	const struct passwd *user = getpwuid((uid_t)uid);
	(void)text_escape(name, sizeof(name), user ? user->pw_name : id);
	return name;
}

int
text_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	int error = errno ? errno : EIO;
	if (error != EPIPE)
		text_error("cannot write: %s", strerror(error));
	return -error;
}
