/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a mount is to be watched, from what is known of it alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum decide_reason {
	DECIDE_WANTED = 0, /* to be watched */
	DECIDE_OFF,
	DECIDE_KERNEL,
	DECIDE_FOREIGN,
	DECIDE_EXCLUDED,
	DECIDE_UNWATCHED,
	DECIDE_BEHIND_FOREIGN,
	DECIDE_LAYERED, /* asked about beneath it */
	/* Found out by trying: */
	DECIDE_HIDDEN,	/* its path leads elsewhere */
	DECIDE_HUNG,	/* the walk to it did not come back */
	DECIDE_REFUSED, /* by fanotify_mark(2) */
	DECIDE_AWAITED, /* the gate was told and has not answered */
	DECIDE_MISSING, /* a path of [gate] watch that is not there */
	DECIDE_GONE,	/* ... whose mount was unmounted */
};

struct decide_facts {
	uint8_t kind;	     /* enum kind */
	bool elsewhere;	     /* in a mount namespace that is not ours */
	bool off;	     /* [gate] mode */
	bool excluded;	     /* its mount point, by [gate] exclude */
	bool watching;	     /* [gate] watch names anything */
	bool watched;	     /* ... and its file system among that */
	bool behind_foreign; /* table_is_behind_foreign() */
	bool layered;	     /* layers_has(), and layers_are_asked() */
};

/*
 * What [gate] exclude names is what it names in our namespace: any user may
 * give his files any path in one of his own.
 */
enum decide_reason decide_mount(const struct decide_facts *facts);

/*
 * What that says to whoever stops executions, enum msg_cover_kind, of a mount
 * of our own namespace that is not marked.
 */
uint16_t decide_cover(enum decide_reason reason);

/* For people: "" for DECIDE_WANTED. */
const char *decide_text(enum decide_reason reason);
