/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents that responders had restored from quarantine, and which are allowed
 * since: nothing is done about them, and the gate lets them be used.  The
 * store's table `allowed` keeps them; the gate is sent the list when it comes
 * and whenever it changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allowed;
struct client;
struct engine;
struct msg_acted;
struct msg_verdict;

/* NULL: no memory or descriptors. */
struct allowed *allowed_new(struct engine *engine);
void allowed_free(struct allowed *allowed);

/*
 * Reads what the store has.  Until then the gate is sent nothing: it keeps what
 * an engine before this one sent.  Returns 0 or -errno.
 */
int allowed_load(struct engine *engine);

/* The store is a new one: it is told all of them. */
void allowed_store_all(struct engine *engine);

/* The gate came: it is sent the list. */
void allowed_linked(struct engine *engine);

/*
 * khien-keep restored that for the user: its content is allowed from now on.
 * The row is not flushed.  Returns 0; -EINVAL: it has no sum; -ENOSPC; -ENOMEM.
 */
int allowed_add(struct engine *engine, const struct msg_acted *acted,
		uint32_t uid);

size_t allowed_len(const struct engine *engine);
/* Whether another one would find room. */
bool allowed_has_room(const struct engine *engine);

/* See allow_has(). */
bool allowed_has(const struct engine *engine,
		 const struct msg_verdict *verdict);

/* Answers a client: the whole list, or after taking one back. */
void allowed_answer_list(struct client *client);
void allowed_answer_revoke(struct client *client, const char *sha256);
