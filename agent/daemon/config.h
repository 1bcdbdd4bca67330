/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks khien-conf, which alone opens and parses configuration files: start it,
 * and take what it said when it has ended.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conf;

#define CONFIG_LIMIT_MS 10000 /* from its start to its end */
#define CONFIG_WHY_MAX 256    /* bytes with the NUL */

struct config {
	int pid;	 /* 0: not running */
	int chan;	 /* our end, or -1 */
	uint64_t due_ms; /* kill it then; 0: never */
};

/* Not running. */
void config_init(struct config *config);

/* Not running any more: after waitpid(2), when its result is not wanted. */
void config_done(struct config *config);

/*
 * Starts khien-conf of `folder` on the file `path`, or on the default one when
 * that is NULL; `leave` as for child_start().  Returns 0, -EBUSY when it is
 * running, -errno.
 */
int config_start(struct config *config, const char *folder, const char *path,
		 int leave);

/*
 * Waits for its end, at most CONFIG_LIMIT_MS, and kills it then.  Not to be
 * used while the gate lives.  Returns the status of waitpid(2).
 */
int config_wait(struct config *config);

/*
 * After waitpid(2): what it found.  Returns 0, or -EINVAL with the first
 * error in `why` (CONFIG_WHY_MAX bytes); all of them it wrote to standard
 * error itself.  -EIO when it ended, or was ended, before it could tell; `why`
 * says so.  -ENOMEM.
 */
int config_take(struct config *config, int status, struct conf *ret_conf,
		char *why);

/* Kills it when it runs for too long.  It is still to be waited for. */
void config_check(struct config *config, uint64_t now_ms);
