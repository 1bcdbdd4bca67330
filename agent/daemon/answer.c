/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/answer.h"

#include <string.h>

#include "agent/daemon/supervise.h"
#include "agent/lib/buf.h"
#include "agent/lib/log.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

void
answer_init(struct answer *answer)
{
	*answer = (struct answer){ 0 };
	answer->state.role = answer->role;
	answer->state.bad_reason = answer->bad_reason;
}

void
answer_begin(struct answer *answer)
{
	answer->requests = 0;
	answer->bytes = 0;
}

void
answer_take(struct answer *answer, const struct msg_updated *updated)
{
	(void)str_copy(answer->role, sizeof(answer->role), updated->role);
	(void)str_copy(answer->error, sizeof(answer->error), updated->error);
	(void)str_copy(answer->note, sizeof(answer->note), updated->note);
	(void)str_copy(answer->bad_reason, sizeof(answer->bad_reason),
		       updated->bad_reason);
	answer->state = *updated;
	answer->state.role = answer->role;
	answer->state.bad_reason = answer->bad_reason;
	answer->requests += updated->requests;
	answer->bytes += updated->bytes;
}

void
answer_forward(struct supervise *supervise, const struct msg_updated *updated)
{
	struct child *engine = supervise_find(supervise, ROLE_ENGINE, 0);
	struct buf buf;

	/* It is told how things stand when it is there. */
	if (engine->state != CHILD_UP)
		return;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_UPDATED);
	msg_update_put_state(&buf, updated);
	int r = child_write(engine, &buf, -1);
	if (r < 0)
		log_warning("khien-engine was not told of an update: %s",
			    strerror(-r));
}

void
answer_tell(const struct answer *answer, struct supervise *supervise,
	    uint64_t id, uint16_t kind, const char *error, const char *note)
{
	struct msg_updated updated = answer->state;

	updated.id = id;
	updated.kind = kind;
	updated.more = false;
	updated.requests = answer->requests;
	updated.bytes = answer->bytes;
	updated.error = error;
	updated.note = note;
	answer_forward(supervise, &updated);
}
