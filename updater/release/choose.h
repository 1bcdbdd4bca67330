/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which release a host should run.  Pure: everything it depends on is handed
 * in, the time as well.
 *
 * A release may be run when the index lists it, is for this engine and does
 * not take it back, when it is not older than the package allows and has not
 * failed here.  It is brought when its wave has this host.  What is active
 * stays until something newer may be brought, even when its wave no longer has
 * this host or the index no longer lists it, unless it must go: then an older
 * one may come back, and when there is none, the package's own rules are used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/reason.h"

struct index;

#define CHOOSE_ANY_PLACE (-1)

struct choose_host {
	const char *engine; /* its version */
	const char *seed;   /* see wave_place(); one that is none, "", makes it
			       the last */
	int32_t place;	    /* `[update] place`, 0 to 100; or ANY_PLACE */
	int64_t now_s;	    /* not before the newest time ever verified */
	int64_t active;	    /* number of the release; 0: package's rules */
	int64_t floor;	    /* older releases are refused; 0: none are */
	const int64_t *bad; /* numbers of those that failed here */
	size_t bad_len;
};

/* Why the active release must go. */
enum choose_active {
	CHOOSE_STAYS = 0, /* it need not, or there is none */
	CHOOSE_REVOKED,
	CHOOSE_BAD,    /* it failed here */
	CHOOSE_OLD,    /* older than the package allows */
	CHOOSE_ENGINE, /* listed, and not for this engine */
};

struct choose_result {
	int64_t target;	   /* what it should run; 0: the package's rules */
	int64_t newest;	   /* the newest listed and not revoked; 0: none */
	int64_t waiting;   /* the newest above target that waits for its wave;
			    0: none */
	int64_t waiting_s; /* when the wave begins that has this host, or
			      WAVE_NEVER while none is announced */
	enum choose_active active;
	struct reason reason; /* why it must go, a sentence; "" if it stays */
	struct reason note;   /* why newest is not target; "" if it is */
};

/*
 * The index is one that index_check() takes.  Returns 0; -EINVAL and why when
 * the host's version or place is none; -ENOMEM; -EIO.
 */
int choose_release(const struct index *index, const struct choose_host *host,
		   struct choose_result *ret_result, struct reason *why);
