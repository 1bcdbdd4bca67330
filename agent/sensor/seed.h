/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that were there before the sensor: what the task iterator
 * tells, with their arguments out of /proc, or EVENT_ARGS_UNREADABLE where
 * those were not to be had in time: see args.h.  Happens before the seal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;

struct seeds {
	uint8_t *bytes; /* owned: events as by event_put() */
	size_t size, len, at;
};

/*
 * Reads all of them from the iterator (borrowed).  Each is shown to `is_own`;
 * those for which it is true are left out.  Returns 0; -ENOMEM; -EBADMSG;
 * -errno.
 */
int seed_read(struct seeds *seeds, int iterator,
	      bool (*is_own)(void *arg, const struct event *event), void *arg);

/* The next one, borrowed until seed_drop(); false when there is none. */
bool seed_next(struct seeds *seeds, struct event *ret_event);
/* It has been told.  The memory is freed with the last one. */
void seed_drop(struct seeds *seeds);
void seed_done(struct seeds *seeds);
