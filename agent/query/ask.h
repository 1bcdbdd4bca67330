/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command `query`: one SQL statement of the client's, which may only read;
 * see store.h for what stops it.  A row is an object named by its columns.
 */
#pragma once

/* Rows of one answer. */
#define ASK_ROWS_MAX 10000

struct job;

/*
 * Returns 0; -errno, said by job_fail() unless the client is gone.  More than
 * ASK_ROWS_MAX rows are an error as well: what was told is not the answer.
 */
int ask_run(struct job *job);
