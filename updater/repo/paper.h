/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One metadata file as the publisher holds it: its bytes, what they say, and
 * signatures that are added to it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "updater/repo/duty.h"

struct doc;
struct metadata;
struct reason;

struct paper {
	enum duty_id id;
	struct metadata *metadata; /* owned */
	uint8_t *bytes;		   /* owned: as in the file */
	size_t len;
};

/*
 * From a file's bytes (copied).  Returns 0; -EBADMSG, -EPROTONOSUPPORT and
 * why; -ENOMEM.
 */
int paper_parse(enum duty_id id, const void *bytes, size_t len,
		struct paper **ret_paper, struct reason *why);
/* A new one without signatures: takes body, also when it fails. */
int paper_new(enum duty_id id, struct doc *body, struct paper **ret_paper,
	      struct reason *why);
void paper_free(struct paper *paper);
void paper_freep(struct paper **paper);

/*
 * Adds a signature, in the place of one by the same key.  Returns 0, -ENOMEM,
 * -EBADMSG.
 */
int paper_add(struct paper *paper, const char *keyid, const char *sig,
	      struct reason *why);

/* When it was signed, by itself; 0: it does not say. */
int64_t paper_issued_s(const struct paper *paper);
