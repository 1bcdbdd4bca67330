/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of a connection as somebody may ask for it.  Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* An IPv6 address as text with its NUL, and as 32 digits with theirs. */
#define REMOTE_TEXT_SIZE 46
#define REMOTE_KEY_SIZE 33

struct remote {
	/* One address, in the form that the store has; "": not one. */
	char address[REMOTE_TEXT_SIZE];
	/* A range of them, both ends within; "": any address. */
	char first[REMOTE_KEY_SIZE], last[REMOTE_KEY_SIZE];
	uint16_t port; /* 0: any */
};

/*
 * Reads "10.0.0.1", "10.0.0.0/8", "2001:db8::1", "2001:db8::/32", each also
 * with a port: "10.0.0.1:443", "[2001:db8::1]:443"; or a port alone: ":443".
 * Bits of an address beyond its prefix do not matter.  Returns 0 or -EINVAL.
 */
int remote_find(struct remote *ret, const char *text);
