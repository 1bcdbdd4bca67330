/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands `events` and `detections`: the newest rows of one or several
 * tables that a request lets through, told in order of time; then, with
 * `follow`, what comes after, until the client leaves.
 *
 * No statement stays open while the client reads: keys are gathered first,
 * and each row is read on its own.
 */
#pragma once

struct job;

/* Returns 0; -errno, said by job_fail() unless the client is gone. */
int list_run(struct job *job);
