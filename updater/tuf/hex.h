/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes written as lower-case hexadecimal digits; str_hex() writes them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when text is nothing but such digits, and at least one. */
bool hex_is(const char *text);

/*
 * Returns 0 and how many bytes; -EBADMSG when it is not digits, or not an even
 * number of them; -EFBIG when there are more than `size` bytes.
 */
int hex_get(const char *text, uint8_t *dst, size_t size, size_t *ret_len);
