/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done about a file that a rule found: decided from the verdict and
 * the configuration alone.  Pure.  Whether who asked was denied is the gate's
 * decision, by the same configuration.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct conf;

struct policy {
	bool acts; /* false: observe mode, or on_malicious is alert */
	bool quarantines;
	unsigned int min_severity; /* msg_severity_find() */
};

void policy_init(struct policy *policy, const struct conf *conf);

struct policy_case {
	unsigned int severity; /* the highest of its matches; 0: none */
	uint16_t cause;	       /* enum msg_cause */
	uint16_t answer;       /* enum msg_answer */
	bool allowed; /* by a responder, who had this content restored */
};

/* Bits of enum msg_act_bit. */
uint32_t policy_actions(const struct policy *policy,
			const struct policy_case *what);

/* What came of it, from the least on. */
enum policy_outcome {
	POLICY_ALERT = 0,
	POLICY_BLOCK,
	POLICY_KILL,
	POLICY_QUARANTINE,
};

/* Of the gate's answer alone. */
enum policy_outcome policy_answered(uint16_t answer);

/* Of what khien-keep did: bits, and how many processes. */
enum policy_outcome policy_done(uint32_t done, uint32_t killed);

/* "alert", "block", "kill", "quarantine": as detections tell it. */
const char *policy_word(enum policy_outcome outcome);
