/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who speaks with whom.  A process that starts is linked anew with each of its
 * partners that is there; the others find it when they start themselves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct links_end {
	uint16_t role; /* enum role_id */
	uint16_t index;
	bool there; /* may be sent a channel */
};

/* True when processes of these two roles have a channel between them. */
bool links_between(uint16_t role, uint16_t other);

/*
 * Which of `ends` are to be linked with ends[at], which starts: their numbers,
 * in order.  ret_partners has room for len of them.  Returns how many.
 */
size_t links_plan(const struct links_end *ends, size_t len, size_t at,
		  size_t *ret_partners);
