/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client's question, checked: {"version":1,"command":"events",
 * "options":{"type":"exec,exit","since_ns":...}}.  Only the commands that the
 * store answers; the engine answers the others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/query/remote.h"
#include "agent/query/types.h"

#define REQUEST_VERSION 1
/* Rows told when nothing narrows the question, ... */
#define REQUEST_ROWS 1000
/* ... when a time was given, ... */
#define REQUEST_ROWS_SINCE 100000
/* ... before what follows, ... */
#define REQUEST_ROWS_FOLLOW 10
/* ... and the most that may be asked for: 24 bytes each while sorting. */
#define REQUEST_ROWS_MAX 1000000

enum request_command {
	REQUEST_DETECTIONS = 1,
	REQUEST_SHOW,
	REQUEST_EVENTS,
	REQUEST_TREE,
	REQUEST_QUERY,
};

struct request {
	struct doc *doc; /* owned; the texts below are borrowed from it */
	enum request_command command;
	/* 0: not narrowed by it */
	int64_t since_ns, until_ns; /* wall clock */
	struct types types;
	unsigned int min_severity;
	int64_t pid; /* -1: any */
	/* NULL: not narrowed by it */
	const char *path;
	bool by_remote; /* narrowed by `remote` */
	struct remote remote;
	const char *rule;
	const char *id;	 /* show */
	const char *sql; /* query */
	uint64_t limit;	 /* never 0 */
	bool follow;
};

/*
 * Reads and checks a request.  Returns 0; -EINVAL and `why`, a sentence for
 * whoever asked; -ENOMEM.  Free it with request_done() in either case.
 */
int request_parse(struct request *request, const char *text, char *why,
		  size_t why_size);
void request_done(struct request *request);
