/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proofs of life: rounds, what of each has arrived and can be read back from
 * the store, and how long ago each part of the agent proved that it works.
 * Pure: times and randomness come from the caller.
 *
 * A round has a nonce of its own.  What arrives of it is a mark, and each mark
 * is a row; a part is proved by its marks, the store by the rows of all that
 * arrived.  What is not there within the limit is missed.  The first round that
 * a part misses is followed by another at once; the second makes it bad.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/msg_life.h"

enum proof_mark {
	PROOF_RUN,  /* the round was begun; the engine's own */
	PROOF_EXEC, /* the program's start, as the sensor tells it */
	PROOF_EXIT, /* its end */
	PROOF_SCAN, /* its file was scanned, and its rule matched */
	PROOF_MARKS,
};
#define PROOF_BIT(mark) (1u << (mark))

enum proof_part {
	PROOF_SENSOR,
	PROOF_SCANNER, /* and gate, and rules */
	PROOF_STORE,
	PROOF_PARTS,
};

enum proof_state {
	PROOF_OFF = 0, /* no proofs at all */
	PROOF_WAITING, /* there was none yet */
	PROOF_GOOD,
	PROOF_LATE, /* missed one */
	PROOF_BAD,  /* missed two or more in a row */
};

struct proof {
	uint64_t every_ns;		 /* between two rounds; 0: no rounds */
	uint64_t limit_ns;		 /* of a round */
	uint64_t next_ns;		 /* when the next is due */
	uint64_t begun_ns;		 /* this round; 0: none is under way */
	char nonce[MSG_LIFE_NONCE + 1];	 /* of this round, or of the last */
	char before[MSG_LIFE_NONCE + 1]; /* of the one before that */
	uint32_t arrived, read;		 /* bits of this round */
	struct proof_entry {
		uint64_t last_ns; /* begin of the last round that proved it;
				      0: none did */
		uint64_t
			since_ns; /* begin of the first that was missed since */
		uint32_t missed;  /* in a row */
		bool done;	  /* in this round */
	} parts[PROOF_PARTS];
};

/* From now on a round every so many seconds, the first one at now_ns. */
void proof_set(struct proof *proof, uint32_t every_s, uint64_t now_ns);

/* Whether a round is to be begun. */
bool proof_is_due(const struct proof *proof, uint64_t now_ns);

/* `random` moves the next round by up to an eighth: not all machines of a
   network work at the same moment. */
void proof_begin(struct proof *proof, const char *nonce, uint32_t random,
		 uint64_t now_ns);

/*
 * Whether the nonce is of this round or of the one before; of this one the mark
 * has arrived with it.
 */
bool proof_take(struct proof *proof, enum proof_mark mark, const char *nonce);

/* Whether that mark has arrived and was not read back yet. */
bool proof_is_unread(const struct proof *proof, enum proof_mark mark);
/* Its row was read back from the store. */
void proof_read(struct proof *proof, enum proof_mark mark);

/*
 * Settles what is proved, and ends the round when all is or its time is up.
 * `wanted` are the bits of marks that can come; a part of which none is wanted
 * is left out.
 */
void proof_look(struct proof *proof, uint32_t wanted, uint64_t now_ns);

enum proof_state proof_state(const struct proof *proof, enum proof_part part);

/* "off", "waiting", "ok", "late", "failed". */
const char *proof_word(enum proof_state state);
