/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matches as JSON, one object a line. */
#pragma once

struct msg_rule;
struct msg_verdict;

/*
 * Prints an object for each match in the verdict on the file at `path`.  Bytes
 * that are not UTF-8 are written as \xNN.  Returns 0, -ENOMEM, or -errno of
 * writing to standard output.
 */
int report_matches(const char *path, const struct msg_verdict *verdict);

/*
 * What a rule says of itself, in the same names and more, and in khien.lacks
 * what it should say and does not.  Returns the same.
 */
int report_rule(const struct msg_rule *rule);
