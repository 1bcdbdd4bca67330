/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that clients connect to, and who is connected. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct control;
struct engine;

#define CONTROL_CLIENTS_MAX 64
/* Of one user, so that others still find a place; root is not bounded. */
#define CONTROL_CLIENTS_OF_USER 16
/* Time to say what one wants. */
#define CONTROL_REQUEST_NS (5 * UINT64_C(1000000000))

/*
 * Serves the listening descriptors (taken; either may be -1).  NULL: no
 * memory or descriptors.
 */
struct control *control_new(struct engine *engine, int status, int root);
void control_free(struct control *control);

struct engine *control_engine(struct control *control);

/* Closes and frees a client: the only way out of the table. */
void control_drop(struct client *client);

/* After work on a client outside of its own handler: it may be gone then. */
void control_tidy(struct client *client);

/* khien-query is there: whoever waited for it is handed over. */
void control_query_linked(struct control *control);

/* A file of a scan was answered: who had to wait may go on. */
void control_go_on(struct control *control);

/* Once a second: closes those whose time is up. */
void control_second(struct control *control, uint64_t now_ns);

size_t control_len(const struct control *control);
