/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each command does.  Every request is recorded, also a refused one. */
#pragma once

#include <stddef.h>

struct client;

/* Takes a request line; the client is in CLIENT_READING. */
void answer_request(struct client *client, const char *line, size_t len);

/* Refuses what is no request line at all. */
void answer_refuse(struct client *client, const char *line, size_t len,
		   const char *why);

/* Tells further rules until `size` bytes wait to be sent. */
void answer_list(struct client *client, size_t size);

/*
 * Hands a waiting client to khien-query.  Returns 0 when it is gone from here,
 * or -errno: khien-query is not there (yet).
 */
int answer_pass(struct client *client);
