/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether rules do what their release says of them: compile, match the files
 * they must, no good one, and all of it in time.
 *
 * Each function returns 0; -EINVAL when they do not, and `why` says which rule
 * does what with which file; -errno when that cannot be said, and `why` says
 * what was being done.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/msg_update.h"

struct doc_value;
struct rules;
struct sample;
struct vector;
struct yara;

struct proof_limits {
	uint32_t timeout_ms;  /* for one file */
	uint32_t deadline_ms; /* who opens a file waits so long: what files take
				 on average must stay below half of it */
	unsigned int min_severity; /* from which on a match has consequences */
};

struct proof {
	struct rules *rules; /* borrowed, with their texts */
	struct proof_limits limits;
	struct yara *yara; /* owned */
	uint32_t *matches; /* owned: room for the rules' numbers */
	uint32_t rules_len, vectors, samples; /* that were good */
	char why[MSG_UPDATE_REASON_MAX + 1];
};

/* Compiles them.  Free it with proof_done() in any case. */
int proof_begin(struct proof *proof, struct rules *rules,
		const struct proof_limits *limits);
void proof_done(struct proof *proof);

/* The files that the manifest of release `number` names. */
int proof_vectors(struct proof *proof, const struct doc_value *manifest,
		  uint64_t number, const struct vector *vector);

/* Good files. */
int proof_samples(struct proof *proof, const struct sample *sample);
