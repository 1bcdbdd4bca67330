/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a line for people, or a name, may be made of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX 2000 /* bytes; no line is allowed more */

/*
 * True for 1 to max bytes of valid UTF-8 without control characters, also
 * those above 0x7f.
 */
bool text_is_line(const char *text, size_t max);
