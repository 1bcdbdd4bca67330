/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proofs of life at work: has khiend run khien-proof, finds its exec, its exit
 * and the verdict on its file among all others, and reads their rows back from
 * the store.  Nothing else is stored of such a run, and it is no detection: the
 * rows are those of the table `meta` that begin with "proof.", one of each
 * kind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/engine/proof.h"
#include "agent/lib/conf.h"

struct buf;
struct conf;
struct doc;
struct engine;
struct event;
struct msg_verdict;

struct proving {
	struct proof proof;
	/* Where files are written, as the kernel names it. */
	char folder[CONF_PATH_MAX + sizeof(MSG_LIFE_FOLDER)];
	uint32_t pid; /* of this round's program; 0: none yet */
	uint64_t start_ns;
	char error[MSG_LIFE_ERROR_MAX + 1]; /* why it did not run, or "" */
};

/* Before the seal: where the files are. */
void proving_look_around(struct engine *engine);

/* A configuration is in force; a round is due soon. */
void proving_set(struct engine *engine, const struct conf *conf);

/* Once a second: begins and ends rounds. */
void proving_second(struct engine *engine, uint64_t now_ns);

/* Whether that is a proof's, and so nothing to be stored. */
bool proving_event(struct engine *engine, const struct event *event);
bool proving_verdict(struct engine *engine, const struct msg_verdict *verdict);

/* MSG_PROVED.  0 or -EBADMSG. */
int proving_take(struct engine *engine, struct buf *buf);

/* khien.proof.* of a status. */
void proving_write(struct engine *engine, struct doc *doc);

/*
 * A sentence, or "" when all is well, and how grave it is: an enum
 * reason_state.
 */
void proving_say(const struct engine *engine, enum proof_part part, char *dst,
		 size_t size, int *ret_grave);

/* The same for `doctor`: a sentence in any case, and whether all is well. */
bool proving_check(const struct engine *engine, enum proof_part part, char *dst,
		   size_t size);
