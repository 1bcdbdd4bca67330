/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gate says of a process that may be so young that the sensor's
 * events of it are still in the ring: it waits until the sensor has told all
 * that happened before, for PATIENCE_MS at most.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct engine;
struct patience_message;
struct peer_link;

#define PATIENCE_MS 300
/* Beyond this the oldest waits no longer: to be late is worse than not to know
   the name. */
#define PATIENCE_BYTES_MAX (1024 * 1024)

struct patience {
	struct engine *engine;
	struct loop_watch *timer;
	struct patience_message *first, **last;
	size_t bytes;
	uint64_t drained_ns; /* all events below have arrived */
	uint64_t asked_ns;   /* when the sensor was last asked */
};

/* Returns 0 or -errno. */
int patience_init(struct patience *patience, struct engine *engine);
void patience_done(struct patience *patience);

/*
 * Keeps a copy of a message's payload until the events before boot_ns are
 * known.  A verdict has the sensor asked for them; events wait for its next
 * batch.  Returns 0, or -EALREADY, -ENOTCONN, -ENOMEM, ...: it need not or
 * cannot wait and must be dealt with now; then nothing else waits any more,
 * for numbered events must not overtake each other (see progress.h).
 */
int patience_wait(struct patience *patience, const struct peer_link *link,
		  uint16_t type, uint64_t boot_ns, const uint8_t *bytes,
		  size_t len);

/* The sensor has sent everything that happened before drained_ns. */
void patience_drained(struct patience *patience, uint64_t drained_ns);

/* The sensor is gone: nothing is worth waiting for. */
void patience_give_up(struct patience *patience);
