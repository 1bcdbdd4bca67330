/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "agent/cli/text.h"

#define DRAW_NS 100000000ULL
#define SECOND_NS 1000000000ULL
#define BAR_WIDTH 20
#define LINE_SIZE 256

static uint64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void
progress_init(struct progress *progress, bool wanted)
{
	*progress = (struct progress){ .on = wanted && isatty(STDERR_FILENO),
				       .begun_ns = now_ns() };
}

uint64_t
progress_elapsed_ns(const struct progress *progress)
{
	return now_ns() - progress->begun_ns;
}

/* "[#####-----] 50%, 1:30 to go" */
static size_t
put_bar(const struct progress *progress, char *dst, size_t size)
{
	char bar[BAR_WIDTH + 1];
	size_t full = (size_t)(progress->fraction * BAR_WIDTH);
	double seconds = (double)progress_elapsed_ns(progress) / SECOND_NS;

	for (size_t i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < full ? '#' : '-';
	bar[BAR_WIDTH] = '\0';
	size_t len = (size_t)snprintf(dst, size, "[%s] %3.0f%%", bar,
				      progress->fraction * 100);
	/* Before that the estimate jumps. */
	if (seconds < 2 || progress->fraction < 0.01)
		return len;
	uint64_t rest = (uint64_t)(seconds / progress->fraction - seconds);
	return len + (size_t)snprintf(dst + len, size - len,
				      ", %" PRIu64 ":%02" PRIu64 " to go",
				      rest / 60, rest % 60);
}

static unsigned int
terminal_width(void)
{
	struct winsize window;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) < 0 || !window.ws_col)
		return 80;
	return window.ws_col;
}

void
progress_draw(struct progress *progress)
{
	char line[LINE_SIZE];
	char size[TEXT_SIZE_SIZE];
	char rate[TEXT_SIZE_SIZE];
	uint64_t now = progress->on ? now_ns() : 0;

	if (!progress->on || now - progress->drawn_ns < DRAW_NS)
		return;
	progress->drawn_ns = now;
	double seconds = (double)progress_elapsed_ns(progress) / SECOND_NS;
	text_size(size, progress->bytes);
	text_size(rate, (uint64_t)((double)progress->bytes / (seconds + 1e-3)));
	size_t len = put_bar(progress, line, sizeof(line));
	(void)snprintf(line + len, sizeof(line) - len,
		       ", %" PRIu64 " files, %s, %s/s, %" PRIu64 " matched",
		       progress->done, size, rate, progress->matched);
	(void)fprintf(stderr, "\r%.*s\033[K", (int)terminal_width() - 1, line);
	(void)fflush(stderr);
	progress->shown = true;
}

void
progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	progress->shown = false;
	progress->drawn_ns = 0;
}
