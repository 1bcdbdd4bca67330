/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
progress_init(struct progress *progress)
{
	*progress = (struct progress){ 0 };
	progress->lines = calloc(PROGRESS_MAX, sizeof(struct progress_line *));
	return progress->lines ? 0 : -ENOMEM;
}

void
progress_done(struct progress *progress)
{
	for (size_t i = 0; i < progress->len; i++)
		free(progress->lines[i]);
	free(progress->lines);
	*progress = (struct progress){ 0 };
}

/* A few numberings on a workstation: a walk with the last hit first is fine. */
struct progress_line *
progress_line(struct progress *progress, uint16_t class, uint32_t cpu)
{
	struct progress_line **lines = progress->lines;

	for (size_t i = 0; i < progress->len; i++) {
		struct progress_line *line = lines[i];
		if (line->class != class || line->cpu != cpu)
			continue;
		lines[i] = lines[0];
		lines[0] = line;
		return line;
	}
	if (progress->len == PROGRESS_MAX)
		return NULL;
	struct progress_line *line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->class = class;
	line->cpu = cpu;
	lines[progress->len++] = line;
	return line;
}

static uint64_t *
word_of(struct progress_line *line, uint64_t sequence)
{
	return &line->window[sequence % PROGRESS_WINDOW / 64];
}

static uint64_t
bit_of(uint64_t sequence)
{
	return UINT64_C(1) << (sequence % 64);
}

/* Moves the window so that its upper end is `sequence`. */
static void
advance(struct progress_line *line, uint64_t sequence)
{
	if (sequence - line->sequence >= PROGRESS_WINDOW)
		memset(line->window, 0, sizeof(line->window));
	else
		for (uint64_t i = line->sequence + 1; i < sequence; i++)
			*word_of(line, i) &= ~bit_of(i);
	line->sequence = sequence;
}

static bool
known(struct progress_line *line, uint64_t sequence)
{
	if (sequence > line->sequence)
		return false;
	if (line->sequence - sequence >= PROGRESS_WINDOW)
		return true;
	return *word_of(line, sequence) & bit_of(sequence);
}

bool
progress_take(struct progress *progress, uint16_t class, uint32_t cpu,
	      uint64_t sequence, uint64_t boot_ns)
{
	struct progress_line *line = progress_line(progress, class, cpu);

	if (!line)
		return true;
	if (known(line, sequence)) {
		if (boot_ns <= line->newest_ns)
			return false;
		memset(line->window, 0, sizeof(line->window));
		line->sequence = sequence;
	}
	if (sequence > line->sequence)
		advance(line, sequence);
	*word_of(line, sequence) |= bit_of(sequence);
	if (boot_ns > line->newest_ns)
		line->newest_ns = boot_ns;
	line->dirty = true;
	return true;
}
