/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection to status.sock or control.sock: lines and descriptors in,
 * lines out, never waiting for a slow one.  What the lines mean is answer.c's
 * business, and asking.c's for those of a scan.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct doc;
struct loop_watch;

#define CLIENT_FDS_MAX 32	    /* received and not used yet */
#define CLIENT_OUT_MAX (256 * 1024) /* no further line is taken above it */

enum client_state {
	CLIENT_READING,	 /* the request */
	CLIENT_WAITING,	 /* for khien-query to come back */
	CLIENT_SCANNING, /* further lines are files */
	CLIENT_LISTING,	 /* rules are being told as fast as they are read */
	CLIENT_ACTING,	 /* khien-keep is at work for it */
	CLIENT_CLOSING,	 /* once what is to be sent is sent */
};

struct client {
	struct client *next;
	struct control *control;
	struct loop_watch *watch;
	int fd;
	uint32_t uid, pid;
	bool root_socket;
	enum client_state state;
	uint64_t deadline_ns; /* boot time; closed then */
	bool ended;	      /* the other side sends no more */
	bool gone;	      /* to be freed when its handler returns */
	char *in;	      /* REQUEST_MAX + 1, owned; NULL: none yet */
	size_t in_len;
	char *out; /* owned */
	size_t out_len, out_size;
	int fds[CLIENT_FDS_MAX];
	size_t fds_len;
	char *request;		  /* while it waits: the whole line, owned */
	unsigned int outstanding; /* files being scanned */
	uint64_t rows;		  /* lines of answer */
	bool matched, failed;	  /* of the files so far */
	size_t listed;		  /* rules told */
};

/* Takes fd.  NULL: no memory, fd is closed. */
struct client *client_new(struct control *control, int fd, bool root_socket);
/* Closes everything. */
void client_free(struct client *client);

/* Takes `doc` as a line of the answer.  No memory ends the connection. */
void client_put(struct client *client, struct doc *doc);

/* The last line, {"khien":{"end":...}}; closes once it is sent. */
void client_end(struct client *client, int exit, const char *error);

/* Sends what there is; sets what is waited for. */
void client_flush(struct client *client);

/* The next descriptor received: the caller's; -1: none. */
int client_take_fd(struct client *client);

/*
 * Takes the lines that have arrived, as far as they may be taken now.
 */
void client_lines(struct client *client);

/* Ready for something: for loop_add_fd(). */
int client_on_ready(void *arg, int fd, uint32_t events);
