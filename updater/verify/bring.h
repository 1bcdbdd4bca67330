/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a mirror to a staged release: refresh, index, choice, staging.  What the
 * publisher took back goes at once, before anything else is brought.
 */
#pragma once

#include <stdint.h>

struct job;

/*
 * kind: MSG_UPDATE_CHECK, which stops after the choice and leaves what is
 * active; MSG_UPDATE_NOW; MSG_UPDATE_IMPORT from fd.  Returns 0 or -errno and
 * job->why; what is active is never worse for it.
 */
int bring_run(struct job *job, uint16_t kind, int fd);
