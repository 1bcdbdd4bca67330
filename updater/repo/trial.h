/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tries a release with the scanner that agents have: unpacks it, and lets
 * khien-scan compile and run it.  What is found is added to a list of findings:
 * {"kind", "path", "text"}.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct doc;
struct manifest;
struct reason;
struct repo;

struct trial {
	const struct repo *repo;
	const struct manifest *manifest;
	const char *good; /* a folder of good files; NULL: none */
	struct doc *findings;
	struct reason *why;
	bool broken; /* some rules do not compile */
};

/* Adds a finding. */
void trial_find(struct doc *findings, const char *kind, const char *path,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Where the release is unpacked, beneath the repository, until the end. */
#define TRIAL_FOLDER "check.new"

/*
 * Rules that do not compile, or say too little of themselves; vectors; good
 * files that match; slow files.  The release is in TRIAL_FOLDER already: rules/
 * and vectors/N, by their place in the manifest.  Returns 0 or -errno, with
 * why, when it cannot be tried.
 */
int trial_run(struct trial *trial);
