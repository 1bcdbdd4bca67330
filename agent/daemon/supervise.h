/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that khiend knows while it runs: the table of its children, what it
 * keeps for them, and what it has yet to tell the engine.
 *
 * Nothing here blocks: channels are non-blocking, programs are executed and
 * configuration is read by child processes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/daemon/announce.h"
#include "agent/daemon/child.h"
#include "agent/daemon/config.h"
#include "agent/daemon/guard.h"
#include "agent/daemon/keep.h"
#include "agent/daemon/notify.h"
#include "agent/daemon/pass.h"
#include "agent/daemon/prove.h"
#include "agent/lib/role.h"

struct acts;
struct conf;
struct guardians;
struct loop;
struct loop_watch;
struct place;
struct update;

#define SUPERVISE_SCANS_MAX 4 /* of [scan] workers, see agent/lib/conf.c */
#define SUPERVISE_CHILDREN 9 /* engine, query, sensor, mounts, scanners, gate */

struct supervise {
	const char *folder; /* of the programs; borrowed */
	uint64_t since_ns;  /* boot time of our start */
	const char *path;   /* configuration file, or NULL; borrowed */
	struct conf *conf;  /* in force; borrowed */
	struct loop *loop;
	struct loop_watch *timer; /* of the next due_ms */
	int signals;		  /* signalfd(2), or -1 */
	uint8_t *bytes;		  /* MSG_MAX: message received */
	uint8_t *out;		  /* MSG_MAX: message being written */
	struct child children[SUPERVISE_CHILDREN];
	struct keep keeps[ROLE_LEN];
	struct announce announce;
	struct acts *acts;	     /* owned by act.c; NULL: none yet */
	struct guardians *guardians; /* owned by guardian.c; NULL: none yet */
	struct update *update;	     /* owned by update.c */
	struct prove prove;	     /* a proof of life that runs */
	struct pass pass;	     /* who waits for the gate to know of him */
	struct config config;	     /* a khien-conf that reads again */
	struct guard guard;	     /* of the agent, by the kernel */
	bool again;		     /* ... and one more time after this one */
	bool stand_in;	      /* a second scanner is there for the only one */
	struct notify notify; /* the service manager */
	bool stopping;
	bool asked_to_stop;   /* by a command: not to be started again */
	uint32_t step;	      /* of the start's order, then of the stop's */
	bool begun;	      /* this step's children were started */
	uint64_t step_due_ms; /* go on without them then; 0: never */
};

/*
 * Takes a zeroed *supervise, starts everything in order and looks after it
 * until SIGTERM or SIGINT; the caller has blocked these, SIGHUP and SIGCHLD.
 * Changes *conf when it is read again.  The place's sockets and folder are
 * passed to the engine.  Returns 0 after an orderly stop, or -errno, logged.
 */
int supervise_run(struct supervise *supervise, struct conf *conf,
		  const struct place *place, const char *folder,
		  const char *path);

/* The child of that role and index, or NULL. */
struct child *supervise_find(struct supervise *supervise, uint16_t role,
			     uint16_t index);

/* Says which children are wanted by the configuration in force. */
void supervise_want(struct supervise *supervise);

/* Starts a child that is down, or sets when to try again. */
void supervise_start(struct supervise *supervise, struct child *child);

/* Waits, without blocking, for every child that has ended. */
void supervise_reap(struct supervise *supervise);

/*
 * Tells the engine of `child` (NULL: khiend), at once or when it is back, and
 * the next engine too while it is not stored.
 */
void supervise_tell(struct supervise *supervise, const struct child *child,
		    uint16_t state, uint64_t boot_ns, const char *detail);

/*
 * A new engine knows nothing of who else is there.  It has the reports that no
 * engine has stored first, then each process as it is now, khiend first: no
 * news, so that one that is not taken is not sent again.
 */
void supervise_introduce(struct supervise *supervise);

/* Sends the engine what waits for it. */
void supervise_flush(struct supervise *supervise);

/*
 * Leave for a process that is about to be forked: nothing when there is no
 * gate that could ask about it.  Give the pipe's end for reading to the process
 * and close it; pass both its pid and the other end on.
 */
struct supervise_leave {
	int read, write; /* -1: at once */
};
void supervise_open_leave(struct supervise *supervise,
			  struct supervise_leave *ret_leave);
/* The process is there, or pid is 0 and it is not.  Closes both ends. */
void supervise_use_leave(struct supervise *supervise,
			 struct supervise_leave *leave, int pid);
/* The gate need not know that process any more. */
void supervise_settled(struct supervise *supervise, int pid);
/* A new gate is told of all that it cannot know by their links. */
void supervise_announce_all(struct supervise *supervise);

/* What every handler does last: goes on in the order, sets the timer. */
void supervise_settle(struct supervise *supervise);
