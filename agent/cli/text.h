/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for a person's terminal.  What came from files and processes may hold
 * control characters, which a terminal would obey, and marks that turn the
 * direction of writing: they are shown as \n, \x1b, \u{202e}.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes text escaped into dst (size at least 1), cut at the last character
 * that fits, and returns how many characters that were.
 */
size_t text_escape(char *dst, size_t size, const char *text);

/* Prints to standard output: escaped. */
void text_put(const char *text);
/* The same, filled up with spaces to width characters. */
void text_column(const char *text, size_t width);
/* Prints to standard output as printf(3): the format is ours, %s is not
   escaped and must be. */
void text_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "khienctl: ...", escaped, as a line to standard error. */
void text_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "1.4 MiB"; dst has TEXT_SIZE_SIZE bytes. */
#define TEXT_SIZE_SIZE 24
void text_size(char *dst, uint64_t bytes);

/* A user's name, or the number.  Borrowed until the next call. */
const char *text_user(const char *id);

/*
 * Ends standard output.  Returns 0, or -errno when something could not be
 * written, said on standard error unless nobody was there to read.
 */
int text_finish(void);
