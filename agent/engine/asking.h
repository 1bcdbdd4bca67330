/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that clients ask to have scanned: their descriptors go to the gate, its
 * verdicts come back as lines of the answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asking;
struct client;
struct doc;
struct engine;
struct msg_verdict;

#define ASKING_MAX 64	    /* of all clients */
#define ASKING_OF_CLIENT 16 /* as the protocol says */
/* Far above the scanner's own limit, which the gate watches. */
#define ASKING_NS (300 * UINT64_C(1000000000))
/* The gate is restarted within this time. */
#define ASKING_GATE_NS (3 * UINT64_C(1000000000))
/* Set in all our tags: the gate's own have it clear. */
#define ASKING_TAG (UINT64_C(1) << 63)

/* NULL: no memory or descriptors. */
struct asking *asking_new(struct engine *engine);
void asking_free(struct asking *asking);

/* Whether a further line of that client may be taken now. */
bool asking_has_room(const struct client *client);

/* Takes a line of a scan and the descriptor that came with it. */
void asking_line(struct client *client, const char *line, size_t len);

/* The client sends no more lines: ends the answer when all files are. */
void asking_finish(struct client *client);

/* The client is gone: forgets its files. */
void asking_leave(struct client *client);

/* A verdict with one of our tags.  Returns false when nobody waits for it. */
bool asking_verdict(struct asking *asking, const struct msg_verdict *verdict);

/* The gate came or went. */
void asking_linked(struct asking *asking);
void asking_unlinked(struct asking *asking);

/* Once a second. */
void asking_second(struct asking *asking, uint64_t now_ns);

/* The answer for one file. */
struct doc *asking_write(const struct msg_verdict *verdict, int64_t tag,
			 const char *path);
