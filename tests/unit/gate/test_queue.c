/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/answers.h"
#include "agent/gate/asker.h"
#include "agent/gate/barred.h"
#include "agent/gate/cache.h"
#include "agent/gate/debt.h"
#include "agent/gate/dispatch.h"
#include "agent/gate/hold.h"
#include "agent/gate/ident.h"
#include "agent/gate/intake.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/queue.h"
#include "agent/gate/recall.h"
#include "agent/gate/report.h"
#include "agent/lib/conf.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

#define TABLE 64
#define SHARE (TABLE / PENDING_SHARE) /* the engine's, and our own's */
#define ROOM (TABLE - 2 * SHARE)
#define DEADLINE_MS 200
#define OURS 4000 /* a process that is announced */

static struct conf conf;
static struct debt debt;

struct scene {
	struct loop *loop;
	struct notify notify;
	int kernel; /* the other end of its descriptor */
	struct cache *cache;
	struct hold *hold;
	struct barred *barred;
	struct recall *recall;
	struct report *report;
	struct answers *answers;
	struct pending *pending;
	struct dispatch *dispatch;
	struct intake *intake;
	struct queue *queue;
	char folder[32];
	unsigned int files, turns;
};

static void
on_stuck(void *arg, uint16_t index, uint32_t pid)
{
	(void)arg;
	(void)index;
	(void)pid;
}

static int
on_turn(void *arg)
{
	struct scene *scene = arg;

	scene->turns++;
	return queue_go_on(scene->queue);
}

static int
on_end(void *arg)
{
	struct scene *scene = arg;

	loop_stop(scene->loop);
	return 0;
}

static void
make_parts(struct scene *scene)
{
	scene->cache = cache_new(64, 1);
	scene->hold = hold_new(4);
	scene->barred = barred_new();
	scene->recall = recall_new(scene->cache, &scene->notify, scene->hold,
				   scene->barred);
	scene->report = report_new(1000, &debt);
	scene->answers = answers_new(&scene->notify, scene->report);
	scene->pending =
		pending_new(answers_give, answers_expire, scene->answers);
	pending_set_max(scene->pending, TABLE);
	scene->dispatch =
		dispatch_new(scene->pending, scene->recall, on_stuck, scene);
	scene->intake = intake_new(scene->dispatch, scene->answers,
				   scene->report, NULL, &conf);
	struct queue_parts parts = {
		.loop = scene->loop,
		.notify = &scene->notify,
		.pending = scene->pending,
		.recall = scene->recall,
		.hold = scene->hold,
		.dispatch = scene->dispatch,
		.intake = scene->intake,
		.debt = &debt,
		.report = scene->report,
	};
	scene->queue = queue_new(&parts, on_turn, scene);
}

static int
setup(void **state)
{
	static struct scene scene;
	int pair[2];

	scene = (struct scene){ .folder = "/tmp/khien-queue-XXXXXX" };
	/* The kernel's side of fanotify is read and written like this one. */
	if (!mkdtemp(scene.folder) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       pair) < 0)
		return -1;
	scene.notify = (struct notify){ .fd = pair[0], .can_ask = true };
	scene.kernel = pair[1];
	scene.loop = loop_new();
	conf_init(&conf);
	strcpy(conf.mode, "enforce");
	conf.deadline_ms = DEADLINE_MS;
	memset(&debt, 0, sizeof(debt));
	make_parts(&scene);
	answers_set_policy(scene.answers, &conf, NULL);
	recall_set_asking(scene.recall, true);
	*state = &scene;
	return queue_set_conf(scene.queue, &conf);
}

static int
teardown(void **state)
{
	struct scene *scene = *state;

	queue_free(scene->queue);
	loop_free(scene->loop);
	intake_free(scene->intake);
	dispatch_free(scene->dispatch);
	pending_free(scene->pending);
	answers_free(scene->answers);
	report_free(scene->report);
	recall_free(scene->recall);
	barred_free(scene->barred);
	hold_free(scene->hold);
	cache_free(scene->cache);
	notify_close(&scene->notify);
	(void)close(scene->kernel);
	return rmdir(scene->folder);
}

static void
happen(const struct scene *scene, uint64_t mask, int fd, int pid)
{
	struct fanotify_event_metadata event = {
		.event_len = sizeof(event),
		.vers = FANOTIFY_METADATA_VERSION,
		.metadata_len = sizeof(event),
		.mask = mask,
		.fd = fd,
		.pid = pid,
	};

	assert_int_equal(write(scene->kernel, &event, sizeof(event)),
			 sizeof(event));
}

/* Each time a file of its own. */
static int
open_file(struct scene *scene)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%u", scene->folder,
		       scene->files++);
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(unlink(path), 0);
	return fd;
}

static void
ask(struct scene *scene, unsigned int times, int pid)
{
	for (unsigned int i = 0; i < times; i++)
		happen(scene, FAN_OPEN_EXEC_PERM, open_file(scene), pid);
}

/* How many who wait were answered since the last time. */
static unsigned int
answered(const struct scene *scene)
{
	struct fanotify_response response;
	unsigned int count = 0;

	while (read(scene->kernel, &response, sizeof(response)) ==
	       (ssize_t)sizeof(response))
		count++;
	return count;
}

static void
settle(struct scene *scene, unsigned int times)
{
	static const struct msg_verdict clean = {
		.result = MSG_CLEAN, .sha256 = "", .error = "", .path = ""
	};

	for (unsigned int i = 0; i < times; i++) {
		int leader = pending_next(scene->pending);

		assert_true(leader >= 0);
		pending_settle(scene->pending, leader, &clean);
	}
}

static void
run(struct scene *scene, uint64_t ms)
{
	struct loop_watch *timer =
		loop_add_timer(scene->loop, ms, on_end, scene);

	assert_non_null(timer);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_remove(timer);
}

/* What finds no room stays with the kernel, and nobody turns in circles. */
static void
full_table(void **state)
{
	struct scene *scene = *state;
	struct queue_counts counts;

	conf.deadline_ms = 60000;
	assert_int_equal(queue_set_conf(scene->queue, &conf), 0);
	ask(scene, ROOM + 10, 50);
	run(scene, 100);
	assert_int_equal(pending_len(scene->pending), ROOM);
	assert_int_equal(notify_waiting(&scene->notify), 10);
	assert_int_equal(debt.questions, ROOM);
	/* The clock turns every 10 ms; a busy loop turns thousands of times. */
	assert_in_range(scene->turns, 1, 50);
	queue_count(scene->queue, &counts);
	assert_int_equal(counts.full, 1);
	assert_int_equal(counts.shed, 0);

	settle(scene, 4);
	assert_int_equal(answered(scene), 4);
	assert_int_equal(queue_go_on(scene->queue), 0);
	run(scene, 50);
	assert_int_equal(pending_len(scene->pending), ROOM);
	assert_int_equal(notify_waiting(&scene->notify), 6);
	settle(scene, ROOM);
	assert_int_equal(queue_go_on(scene->queue), 0);
	run(scene, 50);
	assert_int_equal(notify_waiting(&scene->notify), 0);
	settle(scene, 6);
	assert_int_equal(answered(scene), ROOM + 6);
}

/* Our own starting process may stand behind them all: room is kept for it. */
static void
room_for_announced(void **state)
{
	struct scene *scene = *state;

	ask(scene, ROOM + SHARE - 2, 50);
	ask(scene, 1, OURS);
	assert_true(queue_drain(scene->queue) >= 0);
	assert_int_equal(pending_len(scene->pending), ROOM);
	assert_int_equal(answered(scene), 0);
	intake_announce(scene->intake, OURS);
	assert_true(queue_drain(scene->queue) >= 0);
	assert_int_equal(pending_len(scene->pending), ROOM + SHARE - 2);
	assert_int_equal(notify_waiting(&scene->notify), 0);
	assert_int_equal(answered(scene), 1);
	/* And no longer than it needs it. */
	intake_settled(scene->intake, OURS);
	ask(scene, 1, OURS);
	assert_int_equal(queue_drain(scene->queue), 0);
	assert_int_equal(notify_waiting(&scene->notify), 1);
}

/* The number of one that ended may be an ordinary user's by now. */
static void
number_of_another(void **state)
{
	struct scene *scene = *state;
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = fork();

	assert_true(proc >= 0 && pid >= 0);
	if (pid == 0) {
		if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(1);
		for (;;)
			(void)pause();
	}
	for (int i = 0; asker_uid(proc, (uint32_t)pid, 0) == 0 && i < 5000; i++)
		(void)usleep(1000);
	intake_announce(scene->intake, (uint32_t)pid);
	ask(scene, 1, (uint32_t)pid);
	assert_int_equal(queue_drain(scene->queue), 1);
	assert_int_equal(answered(scene), 1);
	intake_set_proc(scene->intake, proc);
	ask(scene, 1, (uint32_t)pid);
	assert_int_equal(queue_drain(scene->queue), 1);
	assert_int_equal(answered(scene), 0);
	assert_int_equal(pending_len(scene->pending), 1);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(proc);
}

/* Without descriptors nothing is read until one of ours is back. */
static void
starvation(void **state)
{
	struct scene *scene = *state;

	ask(scene, 5, 50);
	assert_int_equal(queue_drain(scene->queue), 5);
	happen(scene, FAN_OPEN_PERM, -EMFILE, 50);
	assert_int_equal(queue_drain(scene->queue), 1);
	assert_int_equal(debt.events, 1);
	ask(scene, 3, 50);
	assert_int_equal(queue_drain(scene->queue), 0);
	assert_int_equal(queue_drain(scene->queue), 0);
	assert_int_equal(notify_waiting(&scene->notify), 3);
	settle(scene, 1);
	assert_int_equal(queue_drain(scene->queue), 3);
	/* With an empty table they were not ours: try again at once. */
	settle(scene, 7);
	happen(scene, FAN_OPEN_PERM, -ENFILE, 50);
	assert_int_equal(queue_drain(scene->queue), 1);
	ask(scene, 1, 50);
	assert_int_equal(queue_drain(scene->queue), 1);
}

/*
 * Who waits is never shed; what nobody waits for any more gives way at once,
 * only as far as room is needed.
 */
static void
shedding(void **state)
{
	struct scene *scene = *state;
	struct queue_counts counts;

	conf.deadline_ms = 60000;
	assert_int_equal(queue_set_conf(scene->queue, &conf), 0);
	ask(scene, ROOM + 10, 50);
	assert_int_equal(queue_drain(scene->queue), ROOM);
	assert_int_equal(queue_drain(scene->queue), 0);
	queue_count(scene->queue, &counts);
	assert_int_equal(counts.full, 1);
	assert_int_equal(counts.shed, 0);
	pending_expire(scene->pending, loop_now_ns());
	assert_int_equal(answered(scene), ROOM);
	assert_int_equal(queue_drain(scene->queue), 10);
	queue_count(scene->queue, &counts);
	size_t shed = ROOM < NOTIFY_BATCH ? ROOM : NOTIFY_BATCH;
	assert_int_equal(counts.shed, shed);
	assert_int_equal(pending_len(scene->pending), ROOM - shed + 10);
	assert_int_equal(answered(scene), 0);
}

/* By the clock alone, all are answered at their deadline, also those behind. */
static void
deadlines_are_kept_by_the_clock(void **state)
{
	struct scene *scene = *state;
	struct answers_counts counts;
	unsigned int count = 0;

	ask(scene, ROOM + 10, 50);
	for (int i = 0; i < 100 && count < ROOM + 10; i++) {
		run(scene, DEADLINE_MS / 4);
		count += answered(scene);
	}
	assert_int_equal(count, ROOM + 10);
	answers_count(scene->answers, &counts);
	assert_int_equal(counts.deadline, ROOM + 10);
	assert_true(counts.max_us >= DEADLINE_MS * 1000);
}

/* Closes are missing: nothing that was clean is known any more. */
static void
overflow_clears_memory(void **state)
{
	struct scene *scene = *state;
	struct ident ident;
	int fd = open_file(scene);

	assert_int_equal(ident_read(fd, &ident), 0);
	cache_add(scene->cache, &ident, recall_generation(scene->recall),
		  CACHE_CLEAN);
	happen(scene, FAN_OPEN_PERM, open_file(scene), 50);
	assert_int_equal(queue_drain(scene->queue), 1);
	assert_int_equal(cache_len(scene->cache), 1);
	happen(scene, FAN_Q_OVERFLOW, FAN_NOFD, 0);
	assert_int_equal(queue_drain(scene->queue), 1);
	assert_int_equal(cache_len(scene->cache), 0);
	assert_int_equal(scene->notify.overflows, 1);
	assert_int_equal(debt.events, 1);
	/* Once for each overflow. */
	cache_add(scene->cache, &ident, recall_generation(scene->recall),
		  CACHE_CLEAN);
	happen(scene, FAN_OPEN_PERM, open_file(scene), 50);
	assert_int_equal(queue_drain(scene->queue), 1);
	assert_int_equal(cache_len(scene->cache), 1);
	(void)close(fd);
}

/* While it is only watched, a full table loses no one's answer: none waits. */
static void
watched_only(void **state)
{
	struct scene *scene = *state;

	strcpy(conf.mode, "observe");
	assert_int_equal(queue_set_conf(scene->queue, &conf), 0);
	for (unsigned int i = 0; i < ROOM + 10; i++)
		happen(scene, FAN_OPEN_EXEC, open_file(scene), 50);
	run(scene, 50);
	assert_int_equal(pending_len(scene->pending), ROOM);
	assert_int_equal(notify_waiting(&scene->notify), 10);
	settle(scene, 10);
	run(scene, 50);
	assert_int_equal(pending_len(scene->pending), ROOM);
	assert_int_equal(notify_waiting(&scene->notify), 0);
	assert_int_equal(answered(scene), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		SCENE(full_table),
		SCENE(room_for_announced),
		SCENE(number_of_another),
		SCENE(starvation),
		SCENE(shedding),
		SCENE(deadlines_are_kept_by_the_clock),
		SCENE(overflow_clears_memory),
		SCENE(watched_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
