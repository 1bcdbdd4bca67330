/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The alerts of the last minutes, for a new engine to go on folding. */
#pragma once

struct clock;
struct fold;
struct store;

/* Returns 0 or -errno. */
int recent_load(struct store *store, struct fold *fold,
		const struct clock *clock);
