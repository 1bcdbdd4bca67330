/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khien-scan by itself: files and folders in, matches out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scanner_limits;

/* All borrowed. */
struct offline {
	char **rules; /* files and folders; none: the shipped ones */
	size_t rules_len;
	char **paths;
	size_t paths_len;
	bool list; /* print the rules, too */
	const struct scanner_limits *limits;
};

/*
 * Prints matches on standard output and what went wrong on standard error.
 * Returns the exit status: 0 clean, 1 something matched, 2 an error.
 */
int offline_run(const struct offline *offline);
