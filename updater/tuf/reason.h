/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something was refused, for people: which file, which check, what to do.
 * May quote what strangers wrote, so print it through log_*() only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define REASON_SIZE 640

struct reason {
	char text[REASON_SIZE];
};

/* Writes the text, unless why is NULL, and returns r. */
int reason_set(struct reason *why, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts "FILE: " before the text and what to do about errors like r after it.
 * An empty text is filled by the error's own.  Returns r.
 */
int reason_about(struct reason *why, int r, const char *file);
