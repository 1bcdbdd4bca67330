/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients ask about the quarantine, and khien-keep's answers to them. */
#pragma once

#include <stddef.h>

struct buf;
struct client;
struct msg_acted;

/*
 * A request, {"command":"quarantine","options":{"do":"list"}}: it is answered
 * when khien-keep has done it, or by allowed.h.
 */
void keeping_request(struct client *client, const char *line, size_t len);

/*
 * What khien-keep said; buf is at the entries of a list, of which the next page
 * is asked for when there is one.  Returns 0 or -EBADMSG.
 */
int keeping_answer(struct client *client, const struct msg_acted *acted,
		   struct buf *buf);
