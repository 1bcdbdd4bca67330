/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes khiend act: signals, heartbeats, states that last too long, and
 * configuration that is to be read again.
 */
#pragma once

struct supervise;

/* Adds signals and timers to the loop.  Returns 0 or -errno. */
int control_open(struct supervise *supervise);
void control_close(struct supervise *supervise);

/*
 * Starts reading the configuration again; while that is under way, it will be
 * done once more after it.
 */
void control_reload(struct supervise *supervise);

/*
 * The configuration was read: khien-conf ended with that status.  All of it is
 * put in force, or nothing.
 */
void control_read(struct supervise *supervise, int status);
