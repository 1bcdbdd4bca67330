/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small work on C strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies src with its NUL.  Returns 0, or -ENAMETOOLONG and leaves dst an
 * empty string.
 */
int str_copy(char *dst, size_t size, const char *src);

bool str_equal(const char *a, const char *b);
bool str_starts(const char *text, const char *prefix);

/*
 * A whole decimal number: no sign, no space, nothing after it.  Returns 0,
 * -EINVAL, or -ERANGE when above max.
 */
int str_number(const char *text, uint64_t max, uint64_t *ret_number);

/* 2 * len lower-case digits and a NUL. */
void str_hex(char *dst, const uint8_t *bytes, size_t len);

/*
 * Copies text as valid UTF-8 into dst (size at least 1): each byte that is not
 * part of a valid sequence becomes the four characters "\xNN".  So dst needs
 * four times the text's length and a NUL, at most.  Returns true when all of
 * it fitted; otherwise dst ends before the first character that did not.
 */
bool str_utf8(char *dst, size_t size, const char *text);
