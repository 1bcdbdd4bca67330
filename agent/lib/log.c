/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define TEXT_MAX 2048
/* An escape, "\xNN", takes four bytes for one. */
#define ESCAPED_MAX (4 * TEXT_MAX + 1)
#define HEAD_MAX 128

static const char *name = "khien";
static bool debug;
static bool journal;	     /* whoever reads us knows levels: sd-daemon(3) */
static unsigned int dropped; /* lines since the last that was written */

/*
 * A pipe that we share has one page left, two of us see it, and one waits for
 * ever.  Opened anew it is ours alone, and may be told not to wait.  Whoever
 * may not, or writes elsewhere, goes on as he is.
 */
static void
own_pipe(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode))
		return;
	int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
}

void
log_init(const char *program)
{
	name = program;
	own_pipe();
	debug = getenv("KHIEN_DEBUG") != NULL;
	journal = getenv("JOURNAL_STREAM") != NULL;
}

/* Control characters and the backslash itself; the rest is for str_utf8(). */
static void
escape(char *dst, const char *text)
{
	for (const uint8_t *c = (const uint8_t *)text; *c; c++) {
		if (*c >= 0x20 && *c != 0x7f && *c != '\\') {
			*dst++ = (char)*c;
			continue;
		}
		*dst++ = '\\';
		*dst++ = 'x';
		str_hex(dst, c, 1);
		dst += 2;
	}
	*dst = '\0';
}

/*
 * A reader of the log that reads nothing must not stop the writer: a pipe that
 * is ready takes PIPE_BUF bytes at once (pipe(7)), anything else is dropped.
 */
static void
write_or_drop(const char *line, size_t len)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	char note[HEAD_MAX];

	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) {
		dropped++;
		return;
	}
	if (file_write_all(STDERR_FILENO, line, len) < 0) {
		dropped++;
		return;
	}
	if (!dropped)
		return;
	int size = snprintf(note, sizeof(note), "%.60s: %u lines were lost\n",
			    name, dropped);
	dropped = 0;
	if (poll(&out, 1, 0) == 1)
		(void)file_write_all(STDERR_FILENO, note, (size_t)size);
}

/* One write(2) a line, so that lines of several processes do not mix. */
__attribute__((format(printf, 2, 0))) static void
write_line(int level, const char *format, va_list args)
{
	int saved = errno;
	char text[TEXT_MAX];
	char escaped[ESCAPED_MAX];
	char line[PIPE_BUF];
	int head;

	/* vsnprintf() expands %m from errno. */
	(void)vsnprintf(text, sizeof(text), format, args);
	escape(escaped, text);
	if (journal)
		head = snprintf(line, HEAD_MAX, "<%d>%.60s: ", level, name);
	else
		head = snprintf(line, HEAD_MAX, "%.60s: ", name);
	(void)str_utf8(line + head, sizeof(line) - (size_t)head - 1, escaped);
	size_t len = strlen(line);
	line[len++] = '\n';
	write_or_drop(line, len);
	errno = saved;
}

#define LOG_FUNCTION(word, level)                                              \
	void log_##word(const char *format, ...)                               \
	{                                                                      \
		va_list args;                                                  \
		va_start(args, format);                                        \
		write_line(level, format, args);                               \
		va_end(args);                                                  \
	}

/* The levels are those of syslog(3). */
LOG_FUNCTION(info, 6)
LOG_FUNCTION(warning, 4)
LOG_FUNCTION(error, 3)

void
log_debug(const char *format, ...)
{
	va_list args;

	if (!debug)
		return;
	va_start(args, format);
	write_line(7, format, args);
	va_end(args);
}
