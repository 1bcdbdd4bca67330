/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, checked against two tables: the commands, and the options
 * each of them takes.  Options may stand before or after their command and its
 * operands, up to "--".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc;

enum args_command {
	ARGS_STATUS,
	ARGS_DETECTIONS,
	ARGS_SHOW,
	ARGS_EVENTS,
	ARGS_TREE,
	ARGS_QUERY,
	ARGS_SCAN,
	ARGS_RULES,
	ARGS_DOCTOR,
	ARGS_RELOAD,
	ARGS_QUARANTINE,
	ARGS_UPDATE,
	ARGS_GUARD,
	ARGS_STOP,
	ARGS_COMMANDS,
};

struct args {
	const char *socket; /* never NULL */
	bool json;
	bool help;    /* asked for; the command may be missing then */
	bool version; /* the same */
	bool follow;
	bool service;		   /* --service was given */
	bool if_running;	   /* --if-running was given */
	bool limited;		   /* --limit was given */
	enum args_command command; /* ARGS_COMMANDS: none */
	struct doc *options;	   /* owned: of the request */
	char **operands;	   /* owned array, borrowed texts */
	size_t operands_len;
};

/*
 * Reads the command line.  now_ns is what "1h" is counted back from.  Returns
 * 0; -EINVAL and in `why` what is wrong with which argument; -ENOMEM.  Free it
 * with args_done() in any case.
 */
int args_parse(struct args *args, int argc, char **argv, int64_t now_ns,
	       char *why, size_t why_size);
void args_done(struct args *args);

/* The command's word, NULL for ARGS_COMMANDS. */
const char *args_name(enum args_command command);

/*
 * Help on one command, or on all for ARGS_COMMANDS; prints each piece of it
 * through fn.
 */
void args_help(enum args_command command, void (*fn)(const char *piece));
