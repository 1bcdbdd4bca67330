/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command `show`: one record, found by its event.id, or a detection by
 * its bare number.  A detection comes with what its process did to files, on
 * the network and with privilege shortly before and after, as khien.related;
 * an event with the ancestors of its process, as khien.ancestors.
 */
#pragma once

struct job;

/* Returns 0; -errno, said by job_fail() unless the client is gone. */
int show_run(struct job *job);
