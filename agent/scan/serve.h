/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jailed half of an offline scan: as a worker, but for its own parent.
 * See jail.h for the other side.
 */
#pragma once

#include <stdint.h>

struct rules;
struct scanner_limits;

/*
 * A verdict with this flag is followed by another of the same tag, with
 * further matches.  Only ever set between the two halves of an offline scan.
 */
#define SERVE_MORE (1U << 31)

/*
 * Shuts the jail, tells all rules as MSG_RULE, then answers each MSG_SCAN with
 * MSG_VERDICT until the channel ends.  Returns 0, or -errno, logged.
 */
int serve_run(int chan, struct rules *rules,
	      const struct scanner_limits *limits);
