/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel programs: loads and attaches them, each one optional, and hands
 * out the descriptors that keep them alive and that a successor goes on with.
 * Wraps libbpf; everything here happens before the process is sealed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sensor/fit.h"
#include "agent/sensor/programs.h"

#define PROBE_MAPS 18
#define PROBE_RING_SIZE (8u << 20)    /* RING_SIZE of kernel/ring.h */
#define PROBE_STOPS_SIZE (256u << 10) /* STOPS_SIZE of kernel/reach.bpf.c */

enum probe_map {
	PROBE_CRITICAL,
	PROBE_BULK,
	PROBE_COUNTERS,
	PROBE_OWN,
	PROBE_REACH,	/* struct khien_reach */
	PROBE_STOPS,	/* ring of struct khien_stop */
	PROBE_NAMES,	/* struct khien_names */
	PROBE_KNOWN,	/* credentials as last known */
	PROBE_ARMED,	/* whether they are compared */
	PROBE_HANDLERS, /* who goes on with a system call */
	PROBE_CLAIMS,	/* lanes of those who may be preempted */
	PROBE_GUARD,	/* struct khien_guard */
	PROBE_GUARDED,	/* files, by struct khien_guard_key */
	PROBE_PLACES,	/* their paths */
	PROBE_OURS,	/* kernel objects that are guarded */
	PROBE_LEFTS,	/* what hooks saw */
	PROBE_WANTS,	/* requests of io_uring under way */
	PROBE_BAD,	/* struct khien_bad */
};

struct probe {
	int maps[PROBE_MAPS];	  /* owned; -1: none, and then each is */
	int links[PROGRAMS];	  /* owned; -1: absent; or of the program */
	int32_t errors[PROGRAMS]; /* 0, or why not: see programs_why() */
	uint32_t cpus;		  /* possible ones */
	uint64_t base;		  /* numbers begin after it: see probe_init() */
	struct fit fit;
	bool passing; /* system calls go on to the programs of privilege */
	bool hooked;  /* hooks leave something for them: kernel/left.h */
};

/*
 * What is switched on; what is not is absent with ECANCELED.  What stops
 * executions is always there, and does nothing until it is armed.
 */
struct probe_wanted {
	bool process, file, network, privilege, guard;
};

/* "critical"; for the name under which it is kept. */
const char *probe_map_name(size_t map);

/* Whether that program is switched on. */
bool probe_is_wanted(struct probe_wanted wanted, size_t program);

/*
 * Everything -1; finds out the number of possible cpus.  `base` becomes the
 * boot time in microseconds, which no numbering reaches: so numbers of one boot
 * never repeat, whenever the programs are loaded anew.  0 or -errno.
 */
int probe_init(struct probe *probe);

/*
 * Loads and attaches.  `own` are `len` thread groups that are the agent's, and
 * so is what they start.  Returns 0 also when programs are absent: where the
 * kernel takes none at all there are no maps.  -errno when they cannot be made.
 */
int probe_load(struct probe *probe, struct probe_wanted wanted,
	       const uint32_t *own, size_t len);

/* Another thread group is the agent's.  0 or -errno. */
int probe_add_own(struct probe *probe, uint32_t pid);

/*
 * Opens the task iterator: a descriptor to read seeds from, the caller's.
 * -ENOENT when the program is absent; -errno.
 */
int probe_open_seeds(struct probe *probe);
void probe_done(struct probe *probe);
