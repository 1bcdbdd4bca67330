/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's own processes as khiend tells of them by MSG_PEER and as links
 * to them come and go.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_peer;

#define ROSTER_MAX 32
#define ROSTER_DETAIL_MAX 160

struct roster_entry {
	uint16_t role, index;
	uint32_t pid; /* 0: not known */
	uint32_t restarts;
	uint64_t since_ns; /* boot time of the last change; 0: not known */
	bool running;
	char detail[ROSTER_DETAIL_MAX]; /* how it ended */
};

struct roster {
	struct roster_entry entries[ROSTER_MAX]; /* by role and index */
	size_t len;
};

/* NULL: the table is full. */
struct roster_entry *roster_get(struct roster *roster, uint16_t role,
				uint16_t index);

/* Started, known, ended or stuck; MSG_PEER_CONFIG changes nothing here. */
void roster_peer(struct roster *roster, const struct msg_peer *peer);

/* A link to it came or went. */
void roster_link(struct roster *roster, uint16_t role, uint16_t index,
		 uint32_t pid, bool up, uint64_t now_ns);

/* How many of that role are running. */
unsigned int roster_running(const struct roster *roster, uint16_t role);
