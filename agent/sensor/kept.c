/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/kept.h"

#include <errno.h>
#include <linux/types.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/peer.h"
#include "agent/sensor/guard.h"
#include "agent/sensor/probe.h"
#include "agent/sensor/stream.h"
#include "agent/sensor/window.h"
#include "kernel/khien_abi.h"

#define WINDOW_NAME "sensor.window"

static size_t
numberings(const struct probe *probe)
{
	return (size_t)KHIEN_NUMBERINGS(probe->cpus) * KHIEN_CLASSES;
}

static void
map_key(char *dst, size_t size, size_t map)
{
	(void)snprintf(dst, size, "sensor.map.%s", probe_map_name(map));
}

static void
link_key(char *dst, size_t size, size_t program)
{
	(void)snprintf(dst, size, "sensor.link.%s",
		       programs_get(program)->name);
}

bool
kept_is_other(struct window *window, struct probe_wanted wanted)
{
	const int32_t *programs = window_programs(window);

	for (size_t i = 0; i < PROGRAMS; i++)
		if ((programs[i] == ECANCELED) == probe_is_wanted(wanted, i))
			return true;
	return false;
}

static bool
has_programs(struct window *window)
{
	const int32_t *programs = window_programs(window);

	for (size_t i = 0; i < PROGRAMS; i++)
		if (programs[i] == 0)
			return true;
	return false;
}

/* Descriptors as the window says they must be. */
static int
take_descriptors(struct peer *peer, struct probe *probe, struct window *window)
{
	const int32_t *programs = window_programs(window);
	char key[64];

	for (size_t i = 0; i < PROBE_MAPS; i++) {
		map_key(key, sizeof(key), i);
		probe->maps[i] = peer_take_kept(peer, key);
		if (probe->maps[i] < 0)
			return -ESTALE;
	}
	for (size_t i = 0; i < PROGRAMS; i++) {
		link_key(key, sizeof(key), i);
		probe->links[i] = peer_take_kept(peer, key);
		probe->errors[i] = programs[i];
		if (probe->links[i] < 0)
			return -ESTALE;
		if (programs[i] != 0)
			file_closep(&probe->links[i]);
	}
	return 0;
}

int
kept_resume(struct peer *peer, struct probe *probe, struct probe_wanted wanted,
	    struct window *window, struct stream *stream)
{
	CLEANUP_FD int fd = peer_take_kept(peer, WINDOW_NAME);

	if (fd < 0)
		return -ENOENT;
	int r = window_resume(window, numberings(probe), fd);
	if (r < 0)
		return r;
	/* What could not be loaded may be loaded now. */
	if (!has_programs(window))
		return -ENOENT;
	if (kept_is_other(window, wanted))
		return -ESTALE;
	r = take_descriptors(peer, probe, window);
	if (r < 0)
		return r;
	return stream_open(stream, window, probe->maps, PROBE_RING_SIZE);
}

/* khiend reads at its own pace. */
static int
keep(struct peer *peer, const char *key, int fd)
{
	for (;;) {
		struct pollfd wait = { .fd = PEER_FD, .events = POLLOUT };
		int r = peer_keep(peer, key, fd);
		if (r != -EAGAIN)
			return r;
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
}

/* An absent program's name gets another descriptor, so that khiend lets go of
   the link that it may still hold.  No map's does: khiend writes to one. */
static int
keep_all(struct peer *peer, const struct probe *probe, int window)
{
	char key[64];
	int r = 0;

	for (size_t i = 0; r == 0 && i < PROBE_MAPS; i++) {
		map_key(key, sizeof(key), i);
		r = probe->maps[i] < 0 ? 0 : keep(peer, key, probe->maps[i]);
	}
	for (size_t i = 0; r == 0 && i < PROGRAMS; i++) {
		link_key(key, sizeof(key), i);
		r = keep(peer, key,
			 probe->links[i] < 0 ? window : probe->links[i]);
	}
	return r < 0 ? r : keep(peer, WINDOW_NAME, window);
}

/* Of tier L many machines take nothing: one line, and each in status. */
static void
log_absent(const struct probe *probe)
{
	bool said = false;

	for (size_t i = 0; i < PROGRAMS; i++) {
		if (probe->errors[i] == 0 || probe->errors[i] == ECANCELED ||
		    probe->errors[i] == PROGRAMS_UNNEEDED ||
		    (said && programs_get(i)->hook))
			continue;
		said = said || programs_get(i)->hook;
		log_warning(
			"kernel program %s%s refused: %s, going on without; "
			"not seen: %s",
			programs_get(i)->name,
			programs_get(i)->hook ? " and the rest of tier L" : "",
			programs_why(probe->errors[i]), programs_get(i)->cost);
	}
}

int
kept_start(struct peer *peer, struct probe *probe, struct probe_wanted wanted,
	   struct window *window, struct stream *stream)
{
	uint32_t own[] = { (uint32_t)getppid(), (uint32_t)getpid() };
	CLEANUP_FD int fd = -1;

	int r = probe_load(probe, wanted, own, sizeof(own) / sizeof(own[0]));
	if (r < 0)
		return r;
	log_absent(probe);
	if (wanted.guard && probe->maps[PROBE_GUARD] >= 0)
		r = guard_fill(probe, peer->conf);
	if (r < 0)
		return r;
	r = window_new(window, numberings(probe), probe->base, &fd);
	if (r < 0)
		return r;
	memcpy(window_programs(window), probe->errors, sizeof(probe->errors));
	r = stream_open(stream, window, probe->maps, PROBE_RING_SIZE);
	if (r < 0)
		return r;
	return keep_all(peer, probe, fd);
}
