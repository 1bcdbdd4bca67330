/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents that a responder allowed although a rule finds them: he had them
 * restored from quarantine.  The engine keeps the list in its store, and sends
 * all of it to the gate whenever it changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct msg_verdict;

/* False positives of a few years; one message has room for all: see msg.h. */
#define ALLOW_MAX 1024
#define ALLOW_SUM_LEN 32 /* bytes of a SHA-256 */

/* All zero is empty. */
struct allow {
	uint32_t len;
	uint8_t sums[ALLOW_MAX][ALLOW_SUM_LEN];
};

/*
 * `sha256` is 64 lower-case hexadecimal digits.  Again is fine.  Returns 0;
 * -EINVAL: it is something else; -ENOSPC.
 */
int allow_add(struct allow *allow, const char *sha256);
/* Returns 0, -EINVAL or -ENOENT. */
int allow_remove(struct allow *allow, const char *sha256);

/*
 * Whether exactly this content is allowed: all of it was scanned and hashed,
 * and it did not change meanwhile.
 */
bool allow_has(const struct allow *allow, const struct msg_verdict *verdict);

/* MSG_ALLOW. */
void allow_put(struct buf *buf, const struct allow *allow);
/* Returns 0, or -EBADMSG: *ret_allow is as it was. */
int allow_get(struct buf *buf, struct allow *ret_allow);
