/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

/*
 * Debian's inih takes its limits from variables of these names; where they are
 * compiled in there are none, and a line is as long as inih was built for.
 */
extern bool on_stack __asm__("ini_use_stack") __attribute__((weak));
extern int line_alloc __asm__("ini_initial_alloc") __attribute__((weak));

#define BLANK " \t\r\f\v"

struct cursor {
	const struct source_reader *reader;
	char *text; /* owned; each line ends with NUL where it had a newline */
	size_t len;
	size_t at;
	unsigned int line; /* handed out last */
	bool checking;	   /* keys are not told, but lines that are too long */
};

static void
error(const struct cursor *cursor, unsigned int line, const char *why)
{
	cursor->reader->on_error(cursor->reader->arg, line, why);
}

static char *
skip_blank(char *text)
{
	return text + strspn(text, BLANK);
}

/*
 * An ini_reader, like fgets(3).  Leading blanks are left out: inih would take
 * an indented key for the second line of the value before it.
 */
static char *
next_line(char *dst, int size, void *arg)
{
	struct cursor *cursor = arg;

	if (cursor->at >= cursor->len)
		return NULL;
	char *line = cursor->text + cursor->at;
	size_t len = strlen(line);
	cursor->at += len + 1;
	cursor->line++;
	char *start = skip_blank(line);
	if (snprintf(dst, (size_t)size, "%s\n", start) < size)
		return dst;
	if (cursor->checking)
		error(cursor, cursor->line, "line is too long");
	memset(line, ' ', len);
	(void)snprintf(dst, (size_t)size, "\n");
	return dst;
}

static int
take_key(void *arg, const char *section, const char *key, const char *value)
{
	const struct cursor *cursor = arg;

	if (!cursor->checking)
		cursor->reader->on_key(cursor->reader->arg, cursor->line,
				       section, key, value ? value : "");
	return 1;
}

/* Returns the first malformed line, 0, or below for no memory. */
static int
run_inih(struct cursor *cursor)
{
	cursor->at = 0;
	cursor->line = 0;
	return ini_parse_stream(next_line, cursor, take_key, cursor);
}

/* Why the bytes of a line are no text, or NULL. */
static const char *
find_binary(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)line[i];
		bool end = byte == '\r' && i + 1 == len;
		if (byte == 0)
			return "has a NUL byte: not a text file?";
		if ((byte < 0x20 && byte != '\t' && !end) || byte == 0x7f)
			return "has a control character: not a text file?";
	}
	if (len >= SOURCE_LINE_MAX)
		return "line is too long";
	return NULL;
}

/* Tells of a section's name; inih would not, nor of what stands after it. */
static const char *
check_section(const struct cursor *cursor, char *line)
{
	char *start = skip_blank(line);
	char *end = strchr(start, ']');

	if (*start != '[' || !end)
		return NULL; /* no section, or malformed for inih too */
	const char *rest = skip_blank(end + 1);
	if (*rest && *rest != ';' && *rest != '#')
		return "something stands after [section]: it belongs on a "
		       "line of its own";
	*end = '\0';
	cursor->reader->on_section(cursor->reader->arg, cursor->line,
				   start + 1);
	*end = ']';
	return NULL;
}

/*
 * What inih would not refuse.  A refused line is blanked, so that the others
 * are read all the same.  Returns how many were refused.
 */
static unsigned int
check_lines(struct cursor *cursor)
{
	unsigned int errors = 0;

	while (cursor->at < cursor->len && errors < SOURCE_ERRORS_MAX) {
		char *line = cursor->text + cursor->at;
		char *end = memchr(line, '\n', cursor->len - cursor->at);
		size_t len =
			end ? (size_t)(end - line) : cursor->len - cursor->at;
		cursor->at += len + 1;
		cursor->line++;
		const char *why = find_binary(line, len);
		line[len] = '\0';
		if (!why)
			why = check_section(cursor, line);
		if (!why)
			continue;
		error(cursor, cursor->line, why);
		memset(line, ' ', len);
		errors++;
	}
	return errors;
}

/* What comes after too many errors was not checked, and is not read. */
static void
cut_rest(struct cursor *cursor)
{
	if (cursor->at < cursor->len)
		cursor->len = cursor->at;
}

static void
blank_line(const struct cursor *cursor, int number)
{
	char *line = cursor->text;

	while (--number > 0)
		line += strlen(line) + 1;
	memset(line, ' ', strlen(line));
}

static int
parse(struct cursor *cursor)
{
	unsigned int errors = check_lines(cursor);

	cut_rest(cursor);
	cursor->checking = true;
	for (;;) {
		int bad = run_inih(cursor);
		if (bad < 0)
			return -ENOMEM;
		if (bad == 0 || errors == SOURCE_ERRORS_MAX)
			break;
		error(cursor, (unsigned int)bad,
		      "is neither [section] nor key = value");
		blank_line(cursor, bad);
		errors++;
	}
	if (errors == SOURCE_ERRORS_MAX) {
		error(cursor, 0, "has too many errors, not reading on");
		return 0;
	}
	cursor->checking = false;
	return run_inih(cursor) < 0 ? -ENOMEM : 0;
}

int
source_parse(const struct source_reader *reader, const uint8_t *bytes,
	     size_t len)
{
	char *text CLEANUP_FREE = malloc(len + 1);
	struct cursor cursor = { .reader = reader, .text = text, .len = len };

	if (!text)
		return -ENOMEM;
	if (len)
		memcpy(text, bytes, len);
	text[len] = '\0';
	if (&on_stack && &line_alloc) {
		on_stack = false;
		line_alloc = SOURCE_LINE_MAX + 2;
	}
	return parse(&cursor);
}

static int
open_file(const char *path, const char **ret_why)
{
	struct stat st;
	CLEANUP_FD int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = -errno;
		*ret_why = strerror(-r);
		return r;
	}
	if (S_ISDIR(st.st_mode)) {
		*ret_why = "is a folder, must be a file";
		return -EISDIR;
	}
	if (!S_ISREG(st.st_mode)) {
		*ret_why = "is not a regular file";
		return -EINVAL;
	}
	return TAKE_FD(fd);
}

int
source_read(const struct source_reader *reader, const char *path,
	    const char **ret_why)
{
	char *bytes CLEANUP_FREE = malloc(SOURCE_SIZE_MAX);
	CLEANUP_FD int fd = open_file(path, ret_why);
	char link[32];
	size_t len;

	if (fd < 0)
		return fd;
	if (!bytes) {
		*ret_why = strerror(ENOMEM);
		return -ENOMEM;
	}
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int r = file_read(AT_FDCWD, link, bytes, SOURCE_SIZE_MAX, &len);
	if (r == 0)
		r = source_parse(reader, (const uint8_t *)bytes, len);
	if (r < 0)
		*ret_why =
			r == -EFBIG ? "is larger than 256 KiB" : strerror(-r);
	return r;
}

static int
is_source(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 &&
	       str_equal(entry->d_name + len - 5, ".conf");
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
source_list(const char *folder, char ***ret_names)
{
	struct dirent **entries = NULL;
	int len = scandir(folder, &entries, is_source, by_bytes);

	if (len < 0)
		return errno == ENOENT ? 0 : -errno;
	char **names = calloc((size_t)len + 1, sizeof(*names));
	for (int i = 0; i < len; i++) {
		if (names)
			names[i] = strdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	for (int i = 0; i < len; i++) {
		if (names && names[i])
			continue;
		source_free_names(names, len);
		return -ENOMEM;
	}
	*ret_names = names;
	return names ? len : -ENOMEM;
}

void
source_free_names(char **names, int len)
{
	for (int i = 0; names && i < len; i++)
		free(names[i]);
	free(names);
}
