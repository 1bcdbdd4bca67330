/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/file.h"

/* Answers taken from epoll at once; more wait for the next round. */
#define BATCH 32

struct loop_watch {
	struct loop *loop;
	struct loop_watch *next;
	loop_fd_fn on_fd;
	loop_timer_fn on_timer;
	void *arg;
	int fd;
	bool removed; /* freed at the end of the round */
};

struct loop {
	struct loop_watch *watches;
	int epoll;
	bool stopped;
	bool dirty; /* something was removed in this round */
};

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

static void
watch_free(struct loop_watch *watch)
{
	if (watch->on_timer)
		file_closep(&watch->fd);
	free(watch);
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->watches) {
		struct loop_watch *next = loop->watches->next;
		watch_free(loop->watches);
		loop->watches = next;
	}
	file_closep(&loop->epoll);
	free(loop);
}

void
loop_freep(struct loop **loop)
{
	loop_free(*loop);
	*loop = NULL;
}

static struct loop_watch *
watch_add(struct loop *loop, int fd, uint32_t events, void *arg)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	*watch = (struct loop_watch){ .loop = loop, .fd = fd, .arg = arg };
	struct epoll_event event = { .events = events, .data.ptr = watch };
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		int saved = errno;
		free(watch);
		errno = saved;
		return NULL;
	}
	watch->next = loop->watches;
	loop->watches = watch;
	return watch;
}

struct loop_watch *
loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn,
	    void *arg)
{
	struct loop_watch *watch = watch_add(loop, fd, events, arg);

	if (watch)
		watch->on_fd = fn;
	return watch;
}

int
loop_set_events(struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		return -errno;
	return 0;
}

struct loop_watch *
loop_add_timer(struct loop *loop, uint64_t interval_ms, loop_timer_fn fn,
	       void *arg)
{
	CLEANUP_FD int fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return NULL;
	struct loop_watch *watch = watch_add(loop, fd, EPOLLIN, arg);
	if (!watch)
		return NULL;
	watch->on_timer = fn;
	(void)TAKE_FD(fd);
	if (interval_ms &&
	    loop_set_timer(watch, interval_ms, interval_ms) < 0) {
		loop_remove(watch);
		return NULL;
	}
	return watch;
}

static struct timespec
from_ms(uint64_t ms)
{
	return (struct timespec){ .tv_sec = (time_t)(ms / 1000),
				  .tv_nsec = (long)(ms % 1000) * 1000000 };
}

int
loop_set_timer(struct loop_watch *watch, uint64_t first_ms,
	       uint64_t interval_ms)
{
	struct itimerspec spec = { .it_interval = from_ms(interval_ms),
				   .it_value = from_ms(first_ms) };

	if (timerfd_settime(watch->fd, 0, &spec, NULL) < 0)
		return -errno;
	return 0;
}

void
loop_remove(struct loop_watch *watch)
{
	if (!watch || watch->removed)
		return;
	(void)epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->removed = true;
	watch->loop->dirty = true;
	if (watch->on_timer)
		file_closep(&watch->fd);
}

/* Frees what was removed while handlers of this round could still name it. */
static void
sweep(struct loop *loop)
{
	struct loop_watch **at = &loop->watches;

	while (*at) {
		struct loop_watch *watch = *at;
		if (!watch->removed) {
			at = &watch->next;
			continue;
		}
		*at = watch->next;
		watch_free(watch);
	}
	loop->dirty = false;
}

static int
fire(struct loop_watch *watch, uint32_t events)
{
	uint64_t expired;

	if (watch->removed)
		return 0;
	if (watch->on_fd)
		return watch->on_fd(watch->arg, watch->fd, events);
	if (read(watch->fd, &expired, sizeof(expired)) < 0)
		return 0; /* set anew in this very round */
	return watch->on_timer(watch->arg);
}

int
loop_run(struct loop *loop)
{
	struct epoll_event events[BATCH];

	loop->stopped = false;
	while (!loop->stopped) {
		int len = epoll_wait(loop->epoll, events, BATCH, -1);
		if (len < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < len && !loop->stopped; i++) {
			int r = fire(events[i].data.ptr, events[i].events);
			if (r < 0)
				return r;
		}
		if (loop->dirty)
			sweep(loop);
	}
	return 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

uint64_t
loop_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
