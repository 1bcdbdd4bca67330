/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/lately.h"

#include "agent/engine/values.h"
#include "agent/lib/role.h"

static const struct {
	uint16_t role;
	const char *name;
} sources[LATELY_LEN] = {
	[LATELY_DEADLINE] = { ROLE_GATE, "questions.deadline" },
	[LATELY_LATE] = { ROLE_GATE, "questions.late" },
	[LATELY_DROPPED] = { ROLE_GATE, "scans.dropped" },
	[LATELY_CRITICAL] = { ROLE_SENSOR, "lost.critical" },
	[LATELY_BULK] = { ROLE_SENSOR, "lost.bulk" },
};

void
lately_look(struct lately *lately, const struct values *values, uint64_t now_ns)
{
	for (size_t i = 0; i < LATELY_LEN; i++) {
		struct lately_counter *counter = &lately->counters[i];
		const char *told =
			values_get(values, sources[i].role, sources[i].name);
		if (!told)
			continue;
		uint64_t value =
			values_number(values, sources[i].role, sources[i].name);
		/* A successor of that process counts from 0. */
		uint64_t from = value < counter->seen ? 0 : counter->seen;
		counter->seen = value;
		if (value == from)
			continue;
		counter->grown += value - from;
		counter->last_ns = now_ns;
	}
}

bool
lately_is(uint64_t last_ns, uint64_t now_ns)
{
	return last_ns && now_ns - last_ns < LATELY_NS;
}
