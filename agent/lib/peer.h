/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every child of khiend does the same: take configuration, links and kept
 * descriptors on descriptor 3, seal itself, say hello, answer heartbeats, end
 * when khiend is gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct loop;
struct loop_watch;
struct role;

#define PEER_FD 3 /* khiend's channel in every child */
#define PEER_LINKS_MAX 16
#define PEER_KEPT_MAX 192

struct peer_kept {
	char name[64];
	int fd; /* -1 once taken */
};

struct peer_link {
	uint16_t role;	/* enum role_id of the other end */
	uint16_t index; /* which of several */
	uint32_t pid;
	int fd; /* -1: free entry */
	struct peer *peer;
	struct loop_watch *watch;
};

struct peer {
	struct loop_watch *parent; /* PEER_FD; NULL once khiend hung up */
	const struct role *role;
	uint16_t index;	   /* which of several */
	struct conf *conf; /* owned */
	struct loop *loop; /* owned */
	struct peer_kept kept[PEER_KEPT_MAX];
	size_t kept_len;
	struct peer_link links[PEER_LINKS_MAX];
	/* Set these before peer_run(); any may be NULL. */
	void *arg;
	/* A new or replaced channel; the old one of that role and index is
	   closed already.  Returns 0 or below to end the process. */
	int (*on_link)(void *arg, const struct peer_link *link);
	/* A channel ended: forget what was under way on it.  Its fd is closed
	   after this returns. */
	void (*on_unlink)(void *arg, const struct peer_link *link);
	/* A message on a link; buf is at its payload, fd (or -1) is the
	   handler's to close.  Returns 0 or below to end the process.
	   What khiend says to this program alone (MSG_PEER) comes here too,
	   with a link of ROLE_DAEMON that is valid during the call. */
	int (*on_message)(void *arg, const struct peer_link *link,
			  uint16_t type, struct buf *buf, int fd);
	/* khiend asks us to end, or is gone: called once, nothing comes from it
	   any more.  The program finishes what is under way and calls
	   loop_stop() soon, as khiend waits two seconds; NULL: ends at once.
	   Returns 0 or below to end the process now. */
	int (*on_end)(void *arg);
	/* A new configuration was accepted by all (SIGHUP). */
	int (*on_config)(void *arg, const struct conf *conf);
	uint8_t *bytes; /* MSG_MAX: received message */
	uint8_t *out;	/* MSG_MAX: message being written, see peer_begin() */
};

/*
 * Reads MSG_CONFIG, MSG_KEEP and MSG_LINK from PEER_FD up to MSG_READY
 * (blocking).  Arguments: argv[1] is the index.  Returns 0; -EBADMSG; -EPIPE;
 * -EBADF when it was not started by khiend.
 */
int peer_start(struct peer *peer, uint16_t role, int argc, char **argv);

/* Takes a kept descriptor out: the caller's, or -1 when there is none. */
int peer_take_kept(struct peer *peer, const char *name);

/* Asks khiend to keep a descriptor (it stays the caller's).  0 or -errno. */
int peer_keep(struct peer *peer, const char *name, int fd);

/* sandbox_enter() for this role, then MSG_HELLO.  dir as there.  0 or -errno,
   logged. */
int peer_seal(struct peer *peer, int dir);
/* Its two halves, for who is at work only some time after the first. */
int peer_enter(struct peer *peer, int dir);
int peer_hello(struct peer *peer);

/* Runs the loop until khiend ends or a handler fails.  Returns as that. */
int peer_run(struct peer *peer);

/* The link to that role and index, or NULL. */
struct peer_link *peer_find(struct peer *peer, uint16_t role, uint16_t index);

/*
 * Takes nothing more from a link: what the other end writes from now on is
 * refused there (-EPIPE), and what it had written goes to on_message() at once.
 * Returns 0, or below to end the process.
 */
int peer_finish(struct peer *peer, struct peer_link *link);

/* Begins a message in peer->out. */
void peer_begin(struct peer *peer, struct buf *buf, uint16_t type);

/*
 * Ends and sends it.  Returns 0, -EAGAIN (not sent), -ENOTCONN when there is
 * no such link, -EPIPE, -EMSGSIZE.
 */
int peer_write(struct peer *peer, struct buf *buf, uint16_t role,
	       uint16_t index, int fd);
/* The same, to khiend. */
int peer_write_parent(struct peer *peer, struct buf *buf, int fd);

void peer_done(struct peer *peer);
