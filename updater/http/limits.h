/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds on time, speed and size of what is fetched. */
#pragma once

#include <stdint.h>

struct limits {
	/* Of one request. */
	uint32_t connect_ms; /* name, connection, TLS */
	uint32_t header_ms;  /* after these: the first byte of the body */
	uint32_t header_bytes;
	uint32_t slow_bytes; /* fewer a second for ... */
	uint32_t slow_s;     /* ... so long: given up */
	/* Of one file, with all its requests. */
	uint32_t redirects;   /* in a row */
	uint32_t whole_ms;    /* and a second more for each ... */
	uint32_t whole_bytes; /* ... that it may have */
	uint32_t tries;	      /* of one mirror */
	uint32_t backoff_ms;  /* after the first failure of a mirror */
	uint32_t wait_ms;     /* the longest wish of a server that is granted */
};

/* The defaults. */
void limits_init(struct limits *ret_limits);

/* Sets one: "header_ms=100"; from 1 on.  Returns 0 or -EINVAL. */
int limits_set(struct limits *limits, const char *setting);
