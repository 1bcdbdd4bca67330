/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scanner as the gate sees it: its channel, and the question in its hands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/gate/ident.h"

struct question;

#define SCANNER_NONE (-1)

struct scanner {
	int chan; /* borrowed; -1: there is none */
	uint32_t pid;
	bool stuck; /* not to be asked any more */
	int leader; /* the question in its hands, or NONE */
	int retry;  /* one that its predecessor did not survive, or NONE */
	uint64_t retry_ns; /* until when that waits */
	uint64_t tag;
	uint64_t sent_ns, deadline_ns;
	bool executed;	     /* somebody waited to execute it then */
	uint64_t guard;	     /* against writers since before that; or 0 */
	uint32_t generation; /* of the rules, and the file, when it was sent */
	struct ident ident;
};

/* There is none, and nothing in its hands. */
void scanner_init(struct scanner *scanner);

/*
 * Lends it the question's file under scanner->tag: MSG_SCAN.  The descriptor
 * stays the question's.  Returns 0 or -errno of chan_write().
 */
int scanner_send(const struct scanner *scanner,
		 const struct question *question);
