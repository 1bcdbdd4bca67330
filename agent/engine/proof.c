/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/proof.h"

#include <string.h>

#include "agent/lib/str.h"

#define SECOND_NS UINT64_C(1000000000)
/* Of a round's length: two rounds missed are told before a third is due. */
#define LIMIT_OF(every_ns) ((every_ns)*3 / 10)
#define LIMIT_MAX_NS (24 * SECOND_NS)
#define JITTER_SHARE 8
#define MISSED_MAX 2

static const uint32_t bits_of[PROOF_PARTS] = {
	[PROOF_SENSOR] = PROOF_BIT(PROOF_EXEC) | PROOF_BIT(PROOF_EXIT),
	[PROOF_SCANNER] = PROOF_BIT(PROOF_SCAN),
	[PROOF_STORE] = PROOF_BIT(PROOF_RUN),
};

void
proof_set(struct proof *proof, uint32_t every_s, uint64_t now_ns)
{
	proof->every_ns = every_s * SECOND_NS;
	proof->limit_ns = LIMIT_OF(proof->every_ns);
	if (proof->limit_ns > LIMIT_MAX_NS)
		proof->limit_ns = LIMIT_MAX_NS;
	proof->next_ns = now_ns;
	if (every_s)
		return;
	/* What was known is no longer of today when they begin again. */
	proof->begun_ns = 0;
	memset(proof->parts, 0, sizeof(proof->parts));
}

bool
proof_is_due(const struct proof *proof, uint64_t now_ns)
{
	return proof->every_ns && !proof->begun_ns && now_ns >= proof->next_ns;
}

void
proof_begin(struct proof *proof, const char *nonce, uint32_t random,
	    uint64_t now_ns)
{
	uint64_t jitter_ns =
		proof->every_ns / JITTER_SHARE * (random % 1024) / 1024;

	(void)str_copy(proof->before, sizeof(proof->before), proof->nonce);
	(void)str_copy(proof->nonce, sizeof(proof->nonce), nonce);
	proof->begun_ns = now_ns;
	proof->next_ns = now_ns + proof->every_ns - jitter_ns;
	proof->arrived = PROOF_BIT(PROOF_RUN);
	proof->read = 0;
	for (size_t i = 0; i < PROOF_PARTS; i++)
		proof->parts[i].done = false;
}

bool
proof_take(struct proof *proof, enum proof_mark mark, const char *nonce)
{
	if (!*nonce)
		return false;
	if (proof->begun_ns && str_equal(nonce, proof->nonce))
		proof->arrived |= PROOF_BIT(mark);
	return str_equal(nonce, proof->nonce) ||
	       str_equal(nonce, proof->before);
}

bool
proof_is_unread(const struct proof *proof, enum proof_mark mark)
{
	return proof->begun_ns &&
	       (proof->arrived & ~proof->read & PROOF_BIT(mark));
}

void
proof_read(struct proof *proof, enum proof_mark mark)
{
	proof->read |= PROOF_BIT(mark);
}

static bool
has_all(uint32_t bits, uint32_t wanted)
{
	return (bits & wanted) == wanted;
}

/* Whether this round proves it.  The store is proved last: by every row. */
static bool
is_proved(const struct proof *proof, enum proof_part part, uint32_t wanted,
	  bool over)
{
	if (part != PROOF_STORE)
		return has_all(proof->arrived, bits_of[part] & wanted);
	return (over || has_all(proof->arrived, wanted)) &&
	       has_all(proof->read, proof->arrived);
}

static void
settle(struct proof *proof, enum proof_part part, bool proved)
{
	struct proof_entry *entry = &proof->parts[part];

	entry->done = true;
	if (proved) {
		entry->last_ns = proof->begun_ns;
		entry->missed = 0;
		return;
	}
	if (!entry->missed++)
		entry->since_ns = proof->begun_ns;
}

void
proof_look(struct proof *proof, uint32_t wanted, uint64_t now_ns)
{
	bool over = now_ns - proof->begun_ns >= proof->limit_ns;
	bool again = false, open = false;

	if (!proof->begun_ns)
		return;
	wanted |= PROOF_BIT(PROOF_RUN);
	for (size_t i = 0; i < PROOF_PARTS; i++) {
		struct proof_entry *entry = &proof->parts[i];

		/* What it was is no longer of today when it is wanted again. */
		if (!(bits_of[i] & wanted))
			*entry = (struct proof_entry){ 0 };
		if (entry->done || !(bits_of[i] & wanted))
			continue;
		bool proved = is_proved(proof, i, wanted, over);
		if (proved || over)
			settle(proof, i, proved);
		else
			open = true;
		again = again || (entry->done && entry->missed == 1);
	}
	if (open)
		return;
	proof->begun_ns = 0;
	if (again)
		proof->next_ns = now_ns;
}

enum proof_state
proof_state(const struct proof *proof, enum proof_part part)
{
	const struct proof_entry *entry = &proof->parts[part];

	if (!proof->every_ns)
		return PROOF_OFF;
	if (entry->missed >= MISSED_MAX)
		return PROOF_BAD;
	if (!entry->last_ns)
		return PROOF_WAITING;
	return entry->missed ? PROOF_LATE : PROOF_GOOD;
}

const char *
proof_word(enum proof_state state)
{
	static const char *const words[] = {
		[PROOF_OFF] = "off",	[PROOF_WAITING] = "waiting",
		[PROOF_GOOD] = "ok",	[PROOF_LATE] = "late",
		[PROOF_BAD] = "failed",
	};

	return words[state];
}
