/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khien-sensor: the kernel's records to the engine.  Started by khiend. */
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/sensor/held.h"
#include "agent/sensor/kept.h"
#include "agent/sensor/probe.h"
#include "agent/sensor/reach.h"
#include "agent/sensor/report.h"
#include "agent/sensor/sensitive.h"
#include "agent/sensor/stream.h"
#include "agent/sensor/window.h"
#include "kernel/khien_abi.h"

#define BUSY_MS 10
#define IDLE_MS 50
#define REPORT_MS 1000
/* For what is under way when we are to end; khiend waits 2 s. */
#define END_MS 1500
#define END_LOOK_MS 20

struct sensor {
	struct peer peer;
	struct probe probe;
	struct window window;
	struct stream stream;
	struct report report;
	struct reach reach;
	struct held held;
	struct khien_names *names;   /* shared with the kernel */
	struct sensitive *sensitive; /* owned */
	bool fresh; /* nothing was taken over from a predecessor */
	struct loop_watch *timer;
	uint64_t interval_ms;
	uint64_t end_ns; /* when to end at the latest */
	uint32_t daemon; /* khiend's thread group */
};

static struct probe_wanted
wanted(const struct conf *conf)
{
	return (struct probe_wanted){ .process = conf->process,
				      .file = conf->file,
				      .network = conf->network,
				      .privilege = conf->privilege,
				      .guard = conf->guard &&
					       !conf->guard_disarmed };
}

/* 0 also when the engine is away or slow: what is not sent stays. */
static int
absorb(int r)
{
	return r == -EAGAIN || r == -ENOTCONN || r == -EPIPE ? 0 : r;
}

static int
send_batches(struct sensor *sensor)
{
	struct buf buf;

	while (window_next(&sensor->window, &buf)) {
		int r = peer_write(&sensor->peer, &buf, ROLE_ENGINE, 0, -1);
		if (r < 0)
			return r;
		window_sent(&sensor->window);
	}
	return 0;
}

/* Whoever is held waits for this; the engine is told by the other rings. */
static void
tell_held(struct sensor *sensor)
{
	struct msg_held held;
	struct buf buf;

	reach_beat(&sensor->reach, loop_now_ns());
	while (held_next(&sensor->held, &sensor->reach, &held)) {
		peer_begin(&sensor->peer, &buf, MSG_HELD);
		msg_put_held(&buf, &held);
		/* khiend is busy: again with the next tick. */
		if (peer_write_parent(&sensor->peer, &buf, -1) < 0)
			return;
		held_told(&sensor->held, &sensor->reach);
	}
}

static int
drain(struct sensor *sensor)
{
	tell_held(sensor);
	int count = stream_drain(&sensor->stream);

	if (count < 0) {
		errno = -count;
		log_error("rings: %m, ending");
		return count;
	}
	uint64_t interval_ms = count > 0 ? BUSY_MS : IDLE_MS;
	if (interval_ms != sensor->interval_ms) {
		sensor->interval_ms = interval_ms;
		int r = loop_set_timer(sensor->timer, interval_ms, interval_ms);
		if (r < 0)
			return r;
	}
	return send_batches(sensor);
}

static int
on_timer(void *arg)
{
	return absorb(drain(arg));
}

/* A ring is above a quarter: the kernel does not wait for the timer. */
static int
on_ring(void *arg, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	return absorb(drain(arg));
}

static int
on_report(void *arg)
{
	struct sensor *sensor = arg;
	struct buf buf;

	peer_begin(&sensor->peer, &buf, MSG_STATUS);
	if (!report_put(&sensor->report, &buf, &sensor->stream, &sensor->reach,
			sensor->probe.errors))
		return 0;
	int r = peer_write(&sensor->peer, &buf, ROLE_ENGINE, 0, -1);
	if (r < 0)
		report_forget(&sensor->report);
	return absorb(r);
}

/* The answer stands behind all that was drained, in a batch of its own. */
static int
answer_sync(struct sensor *sensor)
{
	struct msg_events head = { 0 };
	struct buf buf;

	int r = drain(sensor);
	if (r < 0)
		return r;
	head.drained_ns = window_drained(&sensor->window);
	peer_begin(&sensor->peer, &buf, MSG_EVENTS);
	(void)msg_put_events(&buf, &head);
	return peer_write(&sensor->peer, &buf, ROLE_ENGINE, 0, -1);
}

static int
take_ack(struct sensor *sensor, struct buf *buf)
{
	uint64_t number;
	int r = msg_get_number(buf, &number);

	return r < 0 ? r : window_ack(&sensor->window, number);
}

static int
take_cover(struct sensor *sensor, struct buf *buf)
{
	static struct msg_cover covers[MSG_COVER_MAX];
	uint32_t len;
	bool last;
	int r = msg_get_cover(buf, covers, &len, &last);

	if (r < 0)
		return r;
	reach_put(&sensor->reach, covers, len, last);
	tell_held(sensor);
	return 0;
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	CLEANUP_FD int owned = fd;
	struct sensor *sensor = arg;

	if (link->role == ROLE_MOUNTS && type == MSG_COVER)
		return take_cover(sensor, buf);
	if (link->role != ROLE_ENGINE)
		return -EBADMSG;
	switch (type) {
	case MSG_ACK:
		return take_ack(sensor, buf);
	case MSG_SYNC:
		return buf_done(buf) ? absorb(answer_sync(sensor)) : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

/* A message that is all in its type, and in the descriptor. */
static int
say(struct sensor *sensor, uint16_t type, uint16_t role, int fd)
{
	struct buf buf;

	peer_begin(&sensor->peer, &buf, type);
	return absorb(peer_write(&sensor->peer, &buf, role, 0, fd));
}

/* Each gate writes it; the kernel keeps what is in it from one to the next. */
static int
send_barred(struct sensor *sensor)
{
	const int32_t *errors = sensor->probe.errors;
	int fd = sensor->probe.maps[PROBE_BAD];

	/* Nobody would read it. */
	if (fd < 0 ||
	    (errors[PROGRAM_MAPPING_MMAP] && errors[PROGRAM_MAPPING_PROTECT]))
		return 0;
	return say(sensor, MSG_BARRED, ROLE_GATE, fd);
}

static int
on_link(void *arg, const struct peer_link *link)
{
	struct sensor *sensor = arg;

	if (link->role == ROLE_GATE) {
		reach_set_gate(&sensor->reach, link->pid);
		return send_barred(sensor);
	}
	if (link->role == ROLE_MOUNTS)
		return say(sensor, MSG_ATTACHED, ROLE_MOUNTS, -1);
	if (link->role != ROLE_ENGINE)
		return 0;
	window_rewind(&sensor->window);
	/* What it sees is the first thing that is asked of a new engine. */
	report_forget(&sensor->report);
	int r = on_report(sensor);
	return r < 0 ? r : absorb(send_batches(sensor));
}

static int
on_ending(void *arg)
{
	struct sensor *sensor = arg;
	int r = absorb(drain(sensor));

	if (r == 0 && (loop_now_ns() >= sensor->end_ns ||
		       window_waiting(&sensor->window) == 0))
		loop_stop(sensor->peer.loop);
	return r;
}

/* Mounts that come now are told by its successor. */
static void
on_unlink(void *arg, const struct peer_link *link)
{
	struct sensor *sensor = arg;

	if (link->role == ROLE_MOUNTS)
		reach_doubt(&sensor->reach);
	else if (link->role == ROLE_GATE)
		reach_set_gate(&sensor->reach, 0);
}

/* What happened before the stop is told, floods too, and stored. */
static int
on_end(void *arg)
{
	struct sensor *sensor = arg;

	sensor->end_ns = loop_now_ns() + END_MS * 1000000ull;
	/* Whoever is held from now on would not be told of. */
	reach_disarm(&sensor->reach);
	stream_finish(&sensor->stream);
	if (!loop_add_timer(sensor->peer.loop, END_LOOK_MS, on_ending, sensor))
		return -errno;
	return 0;
}

/* All of the list, or the one before it. */
static int
set_sensitive(struct sensor *sensor, const struct conf *conf)
{
	struct sensitive *list;
	int r = sensitive_new(conf->sensitive, conf->state_dir, &list);

	if (r < 0)
		return r;
	sensitive_fill(list, sensor->names);
	sensor->stream.sensitive = list;
	sensitive_free(sensor->sensitive);
	sensor->sensitive = list;
	return 0;
}

static int
start_names(struct sensor *sensor)
{
	int fd = sensor->probe.maps[PROBE_NAMES];
	void *mapped =
		mmap(NULL, sizeof(*sensor->names), PROT_READ | PROT_WRITE,
		     MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (mapped == MAP_FAILED)
		return -errno;
	sensor->names = mapped;
	return set_sensitive(sensor, sensor->peer.conf);
}

/* Other programs cannot be loaded any more by a sealed process. */
static int
on_config(void *arg, const struct conf *conf)
{
	struct sensor *sensor = arg;
	bool other = kept_is_other(&sensor->window, wanted(conf));

	/* A sealed process finds no cgroup either. */
	if (!other && conf->scope_cgroup[0] == '\0') {
		reach_set(&sensor->reach, conf, 0, sensor->daemon);
		return set_sensitive(sensor, conf);
	}
	(void)drain(sensor);
	log_info("%s configured, starting again",
		 other ? "other kernel programs are" : "a scope_cgroup is");
	return -ECANCELED;
}

/* khiend's other children are told to the kernel here: they were started
   before its programs could see that. */
static bool
is_own(void *arg, const struct event *event)
{
	struct sensor *sensor = arg;

	if (event->pid != sensor->daemon && event->ppid != sensor->daemon) {
		if (sensor->fresh)
			held_note(&sensor->held, event);
		return false;
	}
	(void)probe_add_own(&sensor->probe, event->pid);
	return true;
}

static void
read_seeds(struct sensor *sensor)
{
	CLEANUP_FD int fd = probe_open_seeds(&sensor->probe);
	int r = fd;

	if (fd >= 0)
		r = seed_read(&sensor->stream.seeds, fd, is_own, sensor);
	if (r >= 0 || r == -ENOENT)
		return;
	errno = -r;
	log_warning("running processes not read: %m, going on without");
}

static int
start_probe(struct sensor *sensor)
{
	struct probe_wanted what = wanted(sensor->peer.conf);
	int r = probe_init(&sensor->probe);

	if (r < 0)
		return r;
	r = kept_resume(&sensor->peer, &sensor->probe, what, &sensor->window,
			&sensor->stream);
	if (r == 0 || (r != -ENOENT && r != -ESTALE))
		return r;
	if (r == -ESTALE)
		log_warning("kept state is of another version, starting anew");
	sensor->fresh = true;
	stream_close(&sensor->stream);
	window_done(&sensor->window);
	probe_done(&sensor->probe);
	r = probe_init(&sensor->probe);
	if (r < 0)
		return r;
	return kept_start(&sensor->peer, &sensor->probe, what, &sensor->window,
			  &sensor->stream);
}

static int
start_reach(struct sensor *sensor)
{
	const struct conf *conf = sensor->peer.conf;
	uint64_t scope = 0;

	int r = reach_open(&sensor->reach, sensor->probe.maps[PROBE_REACH],
			   sensor->probe.maps[PROBE_STOPS]);
	if (r < 0)
		return r;
	if (conf->scope_cgroup[0] != '\0')
		scope = reach_find_scope(conf->scope_cgroup);
	reach_beat(&sensor->reach, loop_now_ns());
	reach_set(&sensor->reach, conf, scope, sensor->daemon);
	return 0;
}

/* Edge-triggered: the timer empties the rings, this is only for a hurry. */
static int
watch_rings(struct sensor *sensor)
{
	static const size_t rings[] = { PROBE_CRITICAL, PROBE_BULK,
					PROBE_STOPS };

	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		int fd = sensor->probe.maps[rings[i]];
		/* Where the kernel takes no program we only say so. */
		if (fd >= 0 && !loop_add_fd(sensor->peer.loop, fd,
					    EPOLLIN | EPOLLET, on_ring, sensor))
			return -errno;
	}
	return 0;
}

static int
watch(struct sensor *sensor)
{
	struct loop *loop = sensor->peer.loop;

	sensor->interval_ms = BUSY_MS;
	sensor->timer = loop_add_timer(loop, BUSY_MS, on_timer, sensor);
	if (!sensor->timer ||
	    !loop_add_timer(loop, REPORT_MS, on_report, sensor))
		return -errno;
	return watch_rings(sensor);
}

static int
run(struct sensor *sensor, int argc, char **argv)
{
	int r = peer_start(&sensor->peer, ROLE_SENSOR, argc, argv);

	if (r < 0)
		return r;
	sensor->daemon = (uint32_t)getppid();
	sensor->peer.arg = sensor;
	sensor->peer.on_message = on_message;
	sensor->peer.on_link = on_link;
	sensor->peer.on_unlink = on_unlink;
	sensor->peer.on_config = on_config;
	sensor->peer.on_end = on_end;
	r = start_probe(sensor);
	if (r == 0)
		r = start_reach(sensor);
	if (r == 0)
		r = start_names(sensor);
	if (r < 0) {
		errno = -r;
		log_error("kernel programs: %m, ending");
		return r;
	}
	read_seeds(sensor);
	r = watch(sensor);
	if (r == 0)
		r = peer_seal(&sensor->peer, -1);
	return r < 0 ? r : peer_run(&sensor->peer);
}

int
main(int argc, char **argv)
{
	static struct sensor sensor;

	log_init("khien-sensor");
	int r = run(&sensor, argc, argv);
	if (r == -EBADF)
		log_error("is started by khiend only");
	reach_close(&sensor.reach);
	stream_close(&sensor.stream);
	window_done(&sensor.window);
	sensitive_free(sensor.sensitive);
	peer_done(&sensor.peer);
	/* Whoever is the last to let go of the guard's programs waits for the
	   kernel, seconds in all; khiend does not wait for that. */
	(void)close(PEER_FD);
	probe_done(&sensor.probe);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
