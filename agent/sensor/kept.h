/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives a sensor: the kernel programs' descriptors and the window,
 * kept by khiend.  Either all of it is taken up, or everything starts afresh.
 */
#pragma once

#include <stdbool.h>

struct peer;
struct probe;
struct probe_wanted;
struct stream;
struct window;

/*
 * Takes up what a predecessor left.  Returns 0; -ENOENT when there is nothing;
 * -ESTALE when it is incomplete, of another version, or other programs are
 * wanted now; -errno.
 */
int kept_resume(struct peer *peer, struct probe *probe,
		struct probe_wanted wanted, struct window *window,
		struct stream *stream);

/* Loads everything anew and gives it to khiend to keep.  0 or -errno. */
int kept_start(struct peer *peer, struct probe *probe,
	       struct probe_wanted wanted, struct window *window,
	       struct stream *stream);

/* Whether other programs are wanted than were loaded. */
bool kept_is_other(struct window *window, struct probe_wanted wanted);
