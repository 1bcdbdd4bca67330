/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/msg_update.h"

#include <errno.h>

#include "agent/lib/buf.h"

static int
done(const struct buf *buf)
{
	return buf_done(buf) ? 0 : -EBADMSG;
}

/* A truth is 0 or 1, so that what was read is written again the same. */
static bool
get_bool(struct buf *buf)
{
	uint8_t value = buf_get_u8(buf);

	if (value > 1)
		buf->failed = true;
	return value == 1;
}

static uint64_t
get_number(struct buf *buf)
{
	uint64_t number = buf_get_u64(buf);

	if (number > MSG_UPDATE_NUMBER_MAX)
		buf->failed = true;
	return number;
}

static uint16_t
get_word(struct buf *buf, uint16_t low, uint16_t high)
{
	uint16_t word = buf_get_u16(buf);

	if (word < low || word > high)
		buf->failed = true;
	return word;
}

void
msg_update_put(struct buf *buf, const struct msg_update *update)
{
	buf_put_u64(buf, update->id);
	buf_put_u16(buf, update->kind);
	buf_put_u64(buf, update->number);
	buf_put_text(buf, update->reason);
}

int
msg_update_get(struct buf *buf, struct msg_update *ret_update)
{
	struct msg_update *update = ret_update;

	update->id = buf_get_u64(buf);
	update->kind = get_word(buf, MSG_UPDATE_CHECK, MSG_UPDATE_REFUSE);
	update->number = get_number(buf);
	update->reason = buf_get_text(buf, MSG_UPDATE_REASON_MAX);
	bool reasoned = update->kind == MSG_UPDATE_TAKE_BACK ||
			update->kind == MSG_UPDATE_REFUSE;
	bool numbered = reasoned || update->kind == MSG_UPDATE_ACTIVATE;
	if (numbered != (update->number != 0) ||
	    reasoned != (update->reason[0] != '\0'))
		return -EBADMSG;
	return done(buf);
}

void
msg_update_put_state(struct buf *buf, const struct msg_updated *updated)
{
	buf_put_u64(buf, updated->id);
	buf_put_u16(buf, updated->kind);
	buf_put_u8(buf, updated->more);
	buf_put_u64(buf, updated->active);
	buf_put_u64(buf, updated->previous);
	buf_put_u64(buf, updated->staged);
	buf_put_u64(buf, updated->newest);
	buf_put_u64(buf, updated->waiting);
	buf_put_u64(buf, updated->bad);
	buf_put_u64(buf, updated->activated_s);
	buf_put_u64(buf, updated->wave_s);
	buf_put_u64(buf, updated->issued_s);
	buf_put_u64(buf, updated->expires_s);
	buf_put_text(buf, updated->role);
	buf_put_u64(buf, updated->checked_s);
	buf_put_u64(buf, updated->floor_s);
	buf_put_u16(buf, updated->alarm);
	buf_put_u32(buf, updated->requests);
	buf_put_u64(buf, updated->bytes);
	buf_put_text(buf, updated->error);
	buf_put_text(buf, updated->note);
	buf_put_text(buf, updated->bad_reason);
}

int
msg_update_get_state(struct buf *buf, struct msg_updated *ret_updated)
{
	struct msg_updated *updated = ret_updated;

	updated->id = buf_get_u64(buf);
	updated->kind = get_word(buf, MSG_UPDATE_CHECK, MSG_UPDATE_REFUSE);
	updated->more = get_bool(buf);
	updated->active = get_number(buf);
	updated->previous = get_number(buf);
	updated->staged = get_number(buf);
	updated->newest = get_number(buf);
	updated->waiting = get_number(buf);
	updated->bad = get_number(buf);
	updated->activated_s = get_number(buf);
	updated->wave_s = get_number(buf);
	updated->issued_s = get_number(buf);
	updated->expires_s = get_number(buf);
	updated->role = buf_get_text(buf, MSG_UPDATE_NAME_MAX);
	updated->checked_s = get_number(buf);
	updated->floor_s = get_number(buf);
	updated->alarm = get_word(buf, MSG_UPDATE_FINE, MSG_UPDATE_FIFTH);
	updated->requests = buf_get_u32(buf);
	updated->bytes = buf_get_u64(buf);
	updated->error = buf_get_text(buf, MSG_UPDATE_REASON_MAX);
	updated->note = buf_get_text(buf, MSG_UPDATE_REASON_MAX);
	updated->bad_reason = buf_get_text(buf, MSG_UPDATE_REASON_MAX);
	return done(buf);
}

void
msg_update_put_fetch(struct buf *buf, const struct msg_fetch *fetch)
{
	buf_put_u64(buf, fetch->id);
	buf_put_u16(buf, fetch->what);
	buf_put_text(buf, fetch->path);
	buf_put_u64(buf, fetch->size_max);
	buf_put_u32(buf, fetch->from);
}

int
msg_update_get_fetch(struct buf *buf, struct msg_fetch *ret_fetch)
{
	ret_fetch->id = buf_get_u64(buf);
	ret_fetch->what = get_word(buf, MSG_FETCH_METADATA, MSG_FETCH_TARGET);
	ret_fetch->path = buf_get_text(buf, MSG_UPDATE_PATH_MAX);
	ret_fetch->size_max = buf_get_u64(buf);
	ret_fetch->from = buf_get_u32(buf);
	if (!ret_fetch->path[0] || ret_fetch->path[0] == '/' ||
	    !ret_fetch->size_max)
		return -EBADMSG;
	return done(buf);
}

void
msg_update_put_fetched(struct buf *buf, const struct msg_fetched *fetched)
{
	buf_put_u64(buf, fetched->id);
	buf_put_u32(buf, fetched->error);
	buf_put_u64(buf, fetched->size);
	buf_put_u64(buf, fetched->date_s);
	buf_put_text(buf, fetched->mirror);
	buf_put_text(buf, fetched->reason);
	buf_put_u32(buf, fetched->index);
}

int
msg_update_get_fetched(struct buf *buf, struct msg_fetched *ret_fetched)
{
	struct msg_fetched *fetched = ret_fetched;

	fetched->id = buf_get_u64(buf);
	fetched->error = buf_get_u32(buf);
	fetched->size = buf_get_u64(buf);
	fetched->date_s = get_number(buf);
	fetched->mirror = buf_get_text(buf, MSG_UPDATE_MIRROR_MAX);
	fetched->reason = buf_get_text(buf, MSG_UPDATE_REASON_MAX);
	fetched->index = buf_get_u32(buf);
	/* errno(3): no number of the kernel's is as high as that. */
	if (fetched->error > 4095 ||
	    (fetched->error != 0) != (fetched->reason[0] != '\0'))
		return -EBADMSG;
	return done(buf);
}

void
msg_update_put_trial(struct buf *buf, const struct msg_trial *trial)
{
	buf_put_u8(buf, trial->ok);
	buf_put_u32(buf, trial->rules);
	buf_put_u32(buf, trial->vectors);
	buf_put_u32(buf, trial->samples);
	buf_put_text(buf, trial->why);
}

int
msg_update_get_trial(struct buf *buf, struct msg_trial *ret_trial)
{
	ret_trial->ok = get_bool(buf);
	ret_trial->rules = buf_get_u32(buf);
	ret_trial->vectors = buf_get_u32(buf);
	ret_trial->samples = buf_get_u32(buf);
	ret_trial->why = buf_get_text(buf, MSG_UPDATE_REASON_MAX);
	if (ret_trial->ok != (ret_trial->why[0] == '\0'))
		return -EBADMSG;
	return done(buf);
}
