/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines for people, and for programs.  Names and texts come from files that
 * others wrote: what a terminal would obey is shown as \x1b.
 */
#pragma once

struct doc;

/* One line to standard output; adds the line's end. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "khien-repo: ..." to standard error. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A document as a line of JSON. */
void say_json(const struct doc *doc);

/* Ends standard output.  Returns 0 or -errno. */
int say_finish(void);
