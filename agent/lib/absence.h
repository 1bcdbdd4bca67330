/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the sensor says that a kernel program is absent: one text, which passes
 * through the engine to whoever asks: "absent: CAUSE; not seen: COST".  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct absence {
	const char *cause; /* borrowed, not ended by a NUL */
	size_t cause_len;
	const char *cost; /* borrowed; "" when nothing is said of it */
};

/* Writes the text, cut to `size` bytes. */
void absence_write(char *dst, size_t size, const char *cause, const char *cost);

/* False when the text says something else; *ret_absence borrows from it. */
bool absence_read(const char *text, struct absence *ret_absence);

bool absence_has_cause(const struct absence *absence,
		       const struct absence *other);
