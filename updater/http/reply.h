/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer while it comes: what is too much of it, and what of it is wanted.
 * Knows nothing of the network.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/http/http.h"
#include "updater/tuf/reason.h"

struct reply {
	struct http_request request;
	struct http_head head;
	uint32_t header_max;   /* bytes */
	uint64_t header_bytes; /* so far */
	uint64_t came;	       /* of the body */
	bool begun;	       /* all of the head is there */
	bool wanted;	       /* its body is */
	bool enough; /* came of what is not: to end it now is no error */
	int error;   /* below 0: why it was ended, and `why` */
	struct reason why;
};

/* Copies the request. */
void reply_init(struct reply *reply, const struct http_request *request,
		uint32_t header_max);

/* Each returns whether it may go on. */

/* A line of a head, also of interim answers, and of what follows a body. */
bool reply_header(struct reply *reply, size_t len);
/* All of the head is there and was read, but for its length: that is said
   `times` times, and is a number that fits. */
bool reply_begin(struct reply *reply, const struct http_head *head,
		 const char *length, size_t times);
/* Of the body, unpacked.  Not before reply_begin(). */
bool reply_body(struct reply *reply, const void *bytes, size_t len);
/* Bytes of the body as they are on the wire, so far: what is compressed may
   come without end and be nothing when unpacked. */
bool reply_wire(struct reply *reply, uint64_t len);
