/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a status that say whether the agent itself is at work. */
#pragma once

struct doc_value;

/* How many kernel programs are attached, and which are absent by what cause. */
void life_sensors(const struct doc_value *doc);

/* Proofs of life: of each part how old the last is, or why there is none. */
void life_proofs(const struct doc_value *doc);

/* What cannot be seen or found now, by whose fault. */
void life_blind(const struct doc_value *doc);
