/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/absence.h"
#include "agent/lib/event.h"
#include "agent/lib/msg.h"
#include "agent/sensor/probe.h"
#include "agent/sensor/reach.h"
#include "agent/sensor/stream.h"

static const char *const names[REPORT_FIGURES] = {
	"lost.critical",  "lost.bulk",	 "events.critical", "events.bulk",
	"ring.critical",  "ring.bulk",	 "batches.waiting", "malformed",
	"reach.killed",	  "reach.held",	 "reach.let_go",    "reach.failed",
	"reach.followed", "reach.lists",
};

static void
read_figures(const struct stream *stream, const struct reach *reach,
	     uint64_t *figures)
{
	figures[0] = tally_lost(&stream->tally, EVENT_CRITICAL);
	figures[1] = tally_lost(&stream->tally, EVENT_BULK);
	figures[2] = tally_total(&stream->tally, EVENT_CRITICAL);
	figures[3] = tally_total(&stream->tally, EVENT_BULK);
	figures[4] = ring_used(&stream->rings[0]);
	figures[5] = ring_used(&stream->rings[1]);
	figures[6] = window_waiting(stream->window);
	figures[7] = stream->malformed;
	reach_count(reach, figures + 8);
}

/* Each behind a space but the first. */
static void
put_types(struct buf *buf, const struct programs_entry *program)
{
	char name[64], value[512];
	size_t len = 0;

	(void)snprintf(name, sizeof(name), "types.%s", program->name);
	for (size_t i = 0; i < PROGRAMS_TYPES && program->types[i]; i++) {
		const char *word = event_type_name(program->types[i]);
		if (word && len < sizeof(value))
			len += (size_t)snprintf(value + len,
						sizeof(value) - len, "%s%s",
						len ? " " : "", word);
	}
	if (len)
		msg_put_pair(buf, name, value);
}

static void
put_program(struct buf *buf, size_t program, int32_t error)
{
	char name[64], value[512];

	(void)snprintf(name, sizeof(name), "programs.%s",
		       programs_get(program)->name);
	if (error == 0) {
		msg_put_pair(buf, name, "attached");
		return;
	}
	/* Nobody misses what he has not asked for. */
	if (error == ECANCELED &&
	    programs_get(program)->sensor == PROGRAMS_OF_GUARD) {
		msg_put_pair(buf, name, "off");
		return;
	}
	if (error == PROGRAMS_UNNEEDED) {
		msg_put_pair(buf, name, "not needed by this kernel");
		return;
	}
	absence_write(value, sizeof(value), programs_why(error),
		      programs_get(program)->cost);
	msg_put_pair(buf, name, value);
}

/* What is armed stops nobody without its program. */
static const char *
state_of(const struct reach *reach, const int32_t *programs)
{
	if (programs[PROGRAM_REACH_EXEC] != 0 && reach_is_wanted(reach))
		return "kernel program reach_exec is absent";
	return reach_state(reach);
}

bool
report_put(struct report *report, struct buf *buf, const struct stream *stream,
	   const struct reach *reach, const int32_t *programs)
{
	uint64_t figures[REPORT_FIGURES];
	const char *state = state_of(reach, programs);

	read_figures(stream, reach, figures);
	if (report->told && report->reach == state &&
	    memcmp(figures, report->figures, sizeof(figures)) == 0)
		return false;
	memcpy(report->figures, figures, sizeof(figures));
	report->reach = state;
	msg_put_pair(buf, "reach.state", state);
	/* These stay as they are as long as this process lives. */
	for (size_t i = 0; i < PROGRAMS && !report->told; i++) {
		put_program(buf, i, programs[i]);
		put_types(buf, programs_get(i));
	}
	report->told = true;
	for (size_t i = 0; i < REPORT_FIGURES; i++)
		msg_put_pair_number(buf, names[i], figures[i]);
	return true;
}

void
report_forget(struct report *report)
{
	report->told = false;
}
