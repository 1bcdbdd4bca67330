/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What khien-verify said last, and how the engine hears of it. */
#pragma once

#include <stdint.h>

#include "agent/lib/msg_update.h"

struct supervise;

struct answer {
	struct msg_updated state; /* its texts are those below */
	char role[MSG_UPDATE_NAME_MAX + 1];
	char error[MSG_UPDATE_REASON_MAX + 1];
	char note[MSG_UPDATE_REASON_MAX + 1];
	char bad_reason[MSG_UPDATE_REASON_MAX + 1];
	uint32_t requests; /* of the whole update, its steps together */
	uint64_t bytes;
};

void answer_init(struct answer *answer);

/* A new update: counts from 0. */
void answer_begin(struct answer *answer);

/* Takes what it said; its texts are copied. */
void answer_take(struct answer *answer, const struct msg_updated *updated);

/*
 * Tells the engine how things stand, as the answer to the question `id` of that
 * kind (0: to none), with this error and note.
 */
void answer_tell(const struct answer *answer, struct supervise *supervise,
		 uint64_t id, uint16_t kind, const char *error,
		 const char *note);

/* The same of something else that was said. */
void answer_forward(struct supervise *supervise,
		    const struct msg_updated *updated);
