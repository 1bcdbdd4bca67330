/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command `scan`: walks with the caller's rights, hands descriptors to the
 * agent, at most SCAN_WINDOW at a time, and tells what came of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct client;

/* As many files as the agent takes from one client at a time. */
#define SCAN_WINDOW 16

/*
 * Scans the paths.  Returns the command's exit code: 1 when something matched,
 * else 2 when something could not be scanned, else 0.
 */
int scan_run(struct client *client, char **paths, size_t len, bool json);
