/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record's texts, taken from the front: see kernel/khien_abi.h.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decode;

struct texts {
	const uint8_t *at; /* borrowed */
	size_t left;
	bool failed; /* one was malformed, or longer than what is left */
};

struct texts_text {
	const uint8_t *bytes; /* borrowed */
	size_t len;
};

/* Just bytes; none when it fails. */
struct texts_text texts_take(struct texts *texts, uint32_t len);

/* A string of at most `size` bytes with its NUL; "" for none. */
const char *texts_take_string(struct texts *texts, uint32_t len, size_t size);

/*
 * A walk as a path, into one of the arrays of `ret` of EVENT_PATH_MAX + 1
 * bytes; sets EVENT_PATH_CUT of its event.
 */
void texts_take_walk(struct texts *texts, uint32_t len, struct decode *ret,
		     char *dst);
void texts_put_walk(struct texts *texts, struct texts_text text,
		    struct decode *ret, char *dst);
