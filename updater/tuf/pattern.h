/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path patterns of delegations: '*' and '?' and [sets], none of which matches
 * '/'.  Unlike fnmatch(3) it has no escapes, no locale, and takes time in
 * proportion to the product of both lengths at most.
 */
#pragma once

#include <stdbool.h>

/* Both are UTF-8; '?' and a set match one character. */
bool pattern_matches(const char *pattern, const char *path);
