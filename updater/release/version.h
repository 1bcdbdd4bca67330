/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Versions of the engine: one to four decimal numbers with dots between,
 * "0.1.0".  A number that is not there is 0: "1" and "1.0.0" are one version.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERSION_PARTS 4
#define VERSION_PART_MAX 999999999
/* Room for the longest text with its NUL. */
#define VERSION_SIZE (VERSION_PARTS * 10)

struct version {
	uint32_t parts[VERSION_PARTS];
};

/*
 * No sign, no space, no letter, no empty part, no 0 in front of a digit.
 * Returns 0 or -EINVAL.
 */
int version_parse(const char *text, struct version *ret_version);

/* Below 0, 0 or above 0, as a is older, the same or newer. */
int version_compare(const struct version *a, const struct version *b);
