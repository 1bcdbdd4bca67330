/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings one release: manifest, then what is not here yet, into a draft that
 * takes its final name when it is whole and on the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct manifest;
struct held;
struct reason;

struct stage {
	int dir;	       /* the folder of updates */
	struct client *client; /* after a refresh */
	const int64_t *here;   /* releases that are here; 0: none */
	size_t here_len;
	/* A sign of life, after each file. */
	void (*on_step)(void *arg);
	void *arg;
};

/*
 * Returns 0; errors of client_get(); -EBADMSG when manifest or a file is not
 * what it should be; -ENOSPC, with how much is needed; -errno; each with why.
 * Nothing is to be seen of it then.
 */
int stage_release(const struct stage *stage, int64_t number,
		  struct reason *why);

/*
 * How much a release takes at most that is not here yet, in bytes: whole blocks
 * of the file system.
 */
uint64_t stage_need(const struct manifest *manifest, const struct held *held,
		    uint64_t block);
