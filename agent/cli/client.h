/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of a socket: one request, then lines of JSON, the last of
 * which is the end line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct doc;

/* What the end line says. */
struct client_end {
	int exit;
	bool truncated;
	int64_t rows;
	char error[1024]; /* "" when none */
};

/*
 * Connects to the socket at path.  Returns 0 and the client, which is the
 * caller's; -errno, and in `why` a sentence that says what to do about it.
 */
int client_open(const char *path, struct client **ret_client, char *why,
		size_t why_size);
void client_free(struct client *client);
void client_freep(struct client **client);

/* Sends a request; options are borrowed, may be NULL.  Returns 0 or -errno. */
int client_ask(struct client *client, const char *command,
	       const struct doc *options);

/* The same with a descriptor, which stays the caller's; -1: none. */
int client_ask_with(struct client *client, const char *command,
		    const struct doc *options, int fd);

/*
 * Sends one line with a descriptor, which stays the caller's.  Waits while the
 * agent is slow.  Returns 0 or -errno.
 */
int client_send(struct client *client, const char *line, int fd);

/* No more will be sent.  Returns 0 or -errno. */
int client_finish(struct client *client);

/*
 * The next line.  Returns 1: *ret_line (without its line end, borrowed until
 * the next call) and *ret_doc (the caller's) are set; 0: it was the end line,
 * and *ret_end is set; -EINTR: interrupted; -EPIPE: the agent broke off;
 * -EBADMSG: that was not an object; -errno.
 */
int client_read(struct client *client, const char **ret_line,
		struct doc **ret_doc, struct client_end *ret_end);

/*
 * Ends the connection under whoever reads it: client_read() finds -EPIPE.  May
 * be called by a signal handler.
 */
void client_leave(const struct client *client);
