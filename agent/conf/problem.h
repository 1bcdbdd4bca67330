/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with the configuration: each problem is a line on standard
 * error, "FILE:LINE: [section] key: what is wrong"; the first error is kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PROBLEM_FIRST_MAX 512

/* All zero is the beginning. */
struct problem {
	bool silent; /* print nothing */
	unsigned int errors;
	char first[PROBLEM_FIRST_MAX]; /* cut above */
};

/* Where it is; any but file may be left out (NULL, 0). */
struct problem_place {
	const char *file;
	unsigned int line;
	const char *section, *key;
};

/* Prints an error and counts it.  What is not printable is escaped. */
void problem_error(struct problem *problem, const struct problem_place *place,
		   const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints a warning, which stops nothing. */
void problem_warning(const struct problem *problem,
		     const struct problem_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
