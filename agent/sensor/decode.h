/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel record becomes a struct event.  Pure: no state, no system call. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/event.h"

/* The event and the memory that its strings point into, the record's aside. */
struct decode {
	struct event event;
	char comm[17];
	char path[EVENT_PATH_MAX + 1];
	char path2[EVENT_PATH_MAX + 1];
	char cwd[EVENT_PATH_MAX + 1];
	char root[EVENT_PATH_MAX + 1];
};

struct khien_actor;
struct khien_head;
struct khien_inode;

/* What every record begins with, enough to order and number it. */
struct decode_head {
	uint16_t type;
	uint16_t class;
	uint32_t cpu;
	uint32_t size;
	uint64_t sequence;
	uint64_t boot_ns;
};

/* Returns 0; -EBADMSG when it is short or its size is not `size`. */
int decode_head(const uint8_t *bytes, size_t size, struct decode_head *ret);

/* The parts that records have in common; the event begins with its head. */
void decode_put_head(struct decode *ret, const struct khien_head *head);
void decode_put_actor(struct event *event, const struct khien_actor *actor);
void decode_put_inode(struct event *event, const struct khien_inode *inode);

/*
 * Reads a whole record; `bytes` stays borrowed by ret->event.  Returns 0;
 * -EBADMSG when a length is wrong, a text malformed, the type unknown.
 */
int decode_record(const uint8_t *bytes, size_t size, struct decode *ret);
