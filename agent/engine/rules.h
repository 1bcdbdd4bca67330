/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules in force, as the scanners tell them by MSG_RULE.  All scanners
 * load the same; the last whole list counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct behaviour;
struct doc;
struct msg_rule;

#define RULES_MAX 65536
#define RULES_BYTES_MAX (12 * 1024 * 1024)

struct rules_list {
	char **texts; /* owned: seven texts, each with its NUL, one rule */
	size_t len, size, bytes;
	size_t failed; /* those with an error */
	bool cut;      /* more than we keep */
};

struct rules {
	struct rules_list active, building;
	bool whole; /* active is a complete list */
	bool is_building;
	uint16_t builder; /* index of the scanner whose list is being taken */
	uint32_t next;	  /* its number of the next rule */
	uint64_t begun_ns;
};

void rules_done(struct rules *rules);

/* Takes one from scanner `index`. */
void rules_take(struct rules *rules, uint16_t index,
		const struct msg_rule *rule, uint64_t now_ns);

/* That scanner is gone: its list will not be finished. */
void rules_forget(struct rules *rules, uint16_t index);

size_t rules_loaded(const struct rules *rules);
size_t rules_failed(const struct rules *rules);

/* Rule number i as a JSON object; NULL: no memory. */
struct doc *rules_write(const struct rules *rules, size_t i);
/* The same of a rule of the engine's own. */
struct doc *rules_write_behaviour(const struct behaviour *behaviour);

/* Its name, or NULL when it is not in force. */
const char *rules_name(const struct rules *rules, size_t i);

/* What the compiler said of the first that failed; "" when none did. */
const char *rules_first_error(const struct rules *rules);
