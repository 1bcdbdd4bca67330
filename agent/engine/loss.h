/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many events are missing, per class, in this boot.  The sums are stored
 * with the rows that tell of the losses, and outlive them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOSS_CLASSES 4 /* enum event_class, from 1 */

struct loss {
	uint64_t sum[LOSS_CLASSES];
	uint64_t unstored[LOSS_CLASSES]; /* part of sum */
	uint64_t last_ns; /* boot time of the last; 0: none is known */
};

/* A class that does not exist counts as EVENT_AGENT. */
void loss_add(struct loss *loss, uint32_t class, uint64_t count);

/* All of it is to be stored again, as the store is a new one. */
void loss_unstore(struct loss *loss);
