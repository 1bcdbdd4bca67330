/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/denied.h"

#include <stddef.h>
#include <stdlib.h>

#include "agent/gate/ident.h"
#include "agent/lib/buf.h"
#include "agent/lib/msg.h"

#define NS_PER_MS 1000000U

struct entry {
	struct ident ident;
	uint32_t generation;
	size_t size; /* of the verdict; 0: free */
	uint64_t used;
	uint64_t led_ns; /* when the file was last told with it */
};

struct denied {
	uint64_t clock;
	size_t len;
	struct entry entries[DENIED_MAX];
	uint8_t verdicts[DENIED_MAX][DENIED_SIZE];
};

struct denied *
denied_new(void)
{
	return calloc(1, sizeof(struct denied));
}

void
denied_free(struct denied *denied)
{
	free(denied);
}

/* The one way out of the table. */
static void
drop(struct denied *denied, struct entry *entry)
{
	entry->size = 0;
	entry->used = 0;
	denied->len--;
}

/* The one to be written over: free, or the longest not asked for. */
static struct entry *
place_of(struct denied *denied)
{
	struct entry *place = &denied->entries[0];

	for (size_t i = 1; i < DENIED_MAX; i++)
		if (denied->entries[i].used < place->used)
			place = &denied->entries[i];
	return place;
}

void
denied_add(struct denied *denied, const struct ident *ident,
	   uint32_t generation, uint64_t now_ns,
	   const struct msg_verdict *verdict)
{
	struct buf buf;

	denied_forget(denied, ident);
	struct entry *place = place_of(denied);
	if (place->size)
		drop(denied, place);
	buf_init_write(&buf, denied->verdicts[place - denied->entries],
		       DENIED_SIZE);
	msg_put_verdict(&buf, verdict);
	if (buf.failed)
		return;
	*place = (struct entry){
		.ident = *ident,
		.generation = generation,
		.size = buf.at,
		.used = ++denied->clock,
		.led_ns = now_ns,
	};
	denied->len++;
}

static bool
take(struct denied *denied, struct entry *entry, uint64_t now_ns,
     struct msg_verdict *ret_verdict, bool *ret_leads)
{
	struct buf buf;

	buf_init_read(&buf, denied->verdicts[entry - denied->entries],
		      entry->size);
	if (msg_get_verdict(&buf, ret_verdict) < 0)
		return false;
	entry->used = ++denied->clock;
	*ret_leads =
		now_ns - entry->led_ns >= (uint64_t)DENIED_LEAD_MS * NS_PER_MS;
	if (*ret_leads)
		entry->led_ns = now_ns;
	return true;
}

bool
denied_find(struct denied *denied, const struct ident *ident,
	    uint32_t generation, uint64_t now_ns,
	    struct msg_verdict *ret_verdict, bool *ret_leads)
{
	for (size_t i = 0; denied->len > 0 && i < DENIED_MAX; i++) {
		struct entry *entry = &denied->entries[i];

		if (entry->size && entry->generation == generation &&
		    ident_same_content(&entry->ident, ident))
			return take(denied, entry, now_ns, ret_verdict,
				    ret_leads);
	}
	return false;
}

void
denied_forget(struct denied *denied, const struct ident *ident)
{
	for (size_t i = 0; denied->len > 0 && i < DENIED_MAX; i++) {
		struct entry *entry = &denied->entries[i];

		if (entry->size && entry->ident.inode == ident->inode &&
		    entry->ident.device == ident->device)
			drop(denied, entry);
	}
}

void
denied_clear(struct denied *denied)
{
	for (size_t i = 0; i < DENIED_MAX; i++)
		if (denied->entries[i].size)
			drop(denied, &denied->entries[i]);
}
