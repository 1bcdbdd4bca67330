/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rule files that cost much more than the others: each one scans a sample of
 * the good files by itself, and its processor time is compared.
 */
#pragma once

struct trial;

/* rules: where they lie.  Returns 0 or -errno, with why. */
int slow_find(const struct trial *trial, const char *rules);
