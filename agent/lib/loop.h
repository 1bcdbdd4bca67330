/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A single-threaded event loop over epoll(7) and timerfd(2).
 *
 * Handlers may add and remove watches, also their own.  A handler that returns
 * a negative number ends the loop with it: that is how -EBADMSG from a peer
 * ends the process.
 */
#pragma once

#include <stdint.h>

struct loop;
struct loop_watch;

/* `events` is a mask of EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. */
typedef int (*loop_fd_fn)(void *arg, int fd, uint32_t events);
typedef int (*loop_timer_fn)(void *arg);

/* NULL: no memory or descriptors, errno says which. */
struct loop *loop_new(void);
/* Frees all watches; their descriptors stay the callers', timers are closed. */
void loop_free(struct loop *loop);
void loop_freep(struct loop **loop);

/*
 * Watches fd (borrowed) for `events`.  The watch is the loop's; free it early
 * with loop_remove().  Returns NULL with errno set on failure.
 */
struct loop_watch *loop_add_fd(struct loop *loop, int fd, uint32_t events,
			       loop_fd_fn fn, void *arg);

/* Changes the events of a descriptor's watch.  Returns 0 or -errno. */
int loop_set_events(struct loop_watch *watch, uint32_t events);

/*
 * Calls fn every interval_ms, first after interval_ms; 0: not until
 * loop_set_timer().  Returns NULL with errno set on failure.
 */
struct loop_watch *loop_add_timer(struct loop *loop, uint64_t interval_ms,
				  loop_timer_fn fn, void *arg);

/* Starts the timer anew; first_ms 0 stops it, interval_ms 0: only once. */
int loop_set_timer(struct loop_watch *watch, uint64_t first_ms,
		   uint64_t interval_ms);

/* Stops watching; NULL is fine.  Safe inside any handler. */
void loop_remove(struct loop_watch *watch);

/*
 * Runs until a handler returns below 0 (returned as is), loop_stop() is called
 * (returns 0), or epoll fails (-errno).
 */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* CLOCK_BOOTTIME in nanoseconds. */
uint64_t loop_now_ns(void);
