/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that answer: one for each question, so that a heavy one slows
 * and breaks nobody but whoever asked it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct loop;
struct worker_pool;

/* Questions answered at one time, ... */
#define WORKER_MAX 8
/* ... of which root alone may use the rest: others cannot shut it out. */
#define WORKER_USERS_MAX 6
/* Address space: libraries, SQLite's memory, a spooled reply. */
#define WORKER_MEMORY_MAX (160ULL * 1024 * 1024)

/* NULL: no memory.  The loop is borrowed and watches for workers' ends. */
struct worker_pool *worker_new(struct loop *loop);
/* Does not end the workers: they end with this process. */
void worker_free(struct worker_pool *pool);

/*
 * Answers `request` of user uid on the stream `client`, which stays the
 * caller's, from "store.db" in the working folder.  Returns 0; -EBUSY when all
 * places are taken; -errno of fork(2).  The client was told in each case.
 */
int worker_start(struct worker_pool *pool, int client, uint32_t uid,
		 const char *request);
