/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Room in a table of questions that is full. */
#pragma once

#include <stddef.h>

struct msg_verdict;
struct pending;

/*
 * Settles scans that nobody is held for and that have not begun, to make room:
 * `max` questions, and those that share the last one's scan; the engine's stay.
 * First of files that were only written, which are asked about when they are
 * used; then those of whom somebody was answered without.  Returns how many.
 */
size_t shed_scans(struct pending *pending, size_t max,
		  const struct msg_verdict *verdict);
