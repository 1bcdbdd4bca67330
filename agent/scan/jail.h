/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The free half of an offline scan: starts the jailed half, asks it, and
 * replaces it when it dies.  See serve.h for the other side.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_rule;
struct msg_verdict;
struct rules;
struct scanner_limits;

/* Set all up to `arg`; the rest is zero, and chan -1, before the start. */
struct jail {
	struct rules *rules;
	const struct scanner_limits *limits;
	/* Each rule, each file that is left out; at the first start only. */
	void (*on_rule)(void *arg, const struct msg_rule *rule);
	/* A verdict, or one of several with further matches. */
	void (*on_verdict)(void *arg, const struct msg_verdict *verdict);
	void *arg;
	uint8_t *bytes; /* MSG_MAX: the message being read or written */
	int chan;	/* -1: no child */
	int pid;
	bool told; /* on_rule() has had all rules */
};

/*
 * Starts the child and waits until it has compiled the rules.  Returns 0 or
 * -errno; -ECHILD when it died or gave up, with *ret_why (borrowed) saying how.
 */
int jail_start(struct jail *jail, const char **ret_why);

/*
 * Has one file scanned; fd is borrowed.  Returns 0 after the last verdict.
 * -ECHILD: the child died on the file, or took so long that it was killed;
 * *ret_why says how, and the next call starts another.  Else -errno.
 */
int jail_ask(struct jail *jail, int fd, const char **ret_why);

void jail_stop(struct jail *jail);
