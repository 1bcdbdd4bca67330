/* SPDX-License-Identifier: GPL-2.0-or-later - long: parent and child */
/*
 * Requests to a khien-keep that only speaks the protocol: this program again,
 * by a link of that name.  It does what the request's rule says.
 */
#include "agent/daemon/act.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/daemon/child.h"
#include "agent/daemon/place.h"
#include "agent/daemon/supervise.h"
#include "agent/daemon/update.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/str.h"

#define LOOK_MS 2
/* Liveness: none of it takes long. */
#define PATIENCE_MS 20000

static uint8_t bytes[MSG_MAX], out[MSG_MAX];

/* The child. */

static void
fake_send(uint16_t type, const struct msg_act *act, uint64_t inode)
{
	struct msg_acted acted = { .kind = act->kind,
				   .id = act->id,
				   .inode = inode,
				   .path = act->path,
				   .error = "" };
	struct buf buf;

	msg_begin(&buf, out, sizeof(out), type);
	if (type == MSG_ACTED)
		(void)msg_put_acted(&buf, &acted);
	else
		msg_put_number(&buf, 1);
	if (msg_end(&buf) < 0 || chan_write(PEER_FD, &buf, -1) < 0)
		_exit(1);
}

#define BEAT_US 10000

static void
fake_wait(void)
{
	struct pollfd end = { .fd = PEER_FD, .events = POLLIN };

	(void)poll(&end, 1, -1);
}

static void
fake_act(const struct msg_act *act, int fd)
{
	static uint8_t rubbish[8] = { 'r' };
	struct stat st = { 0 };
	struct buf buf;

	(void)fstat(fd, &st);
	if (str_equal(act->rule, "die"))
		_exit(3);
	if (str_equal(act->rule, "wait"))
		fake_wait();
	if (str_equal(act->rule, "rubbish")) {
		buf_init_write(&buf, rubbish, sizeof(rubbish));
		buf.at = sizeof(rubbish);
		(void)chan_write(PEER_FD, &buf, -1);
		fake_wait();
	}
	/* More than one: time must pass between its start and a beat. */
	while (str_equal(act->rule, "beat")) {
		fake_send(MSG_BEAT, act, 0);
		(void)usleep(BEAT_US);
	}
	fake_send(MSG_ACTED, act, st.st_ino);
	if (str_equal(act->rule, "twice"))
		fake_send(MSG_ACTED, act, st.st_ino);
	if (!str_equal(act->rule, "answer and die"))
		fake_wait();
}

/* What it must be told first: configuration, the state folder, go. */
static int
fake_main(void)
{
	static const uint16_t order[] = { MSG_CONFIG, MSG_KEEP, MSG_READY,
					  MSG_ACT };
	struct msg_act act;
	struct buf buf;
	uint16_t type;
	size_t len;
	int fd = -1;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct pollfd more = { .fd = PEER_FD, .events = POLLIN };

		(void)poll(&more, 1, -1);
		if (chan_read(PEER_FD, bytes, sizeof(bytes), &len, &fd) < 0 ||
		    msg_open(&buf, bytes, len, &type) < 0 || type != order[i])
			return 9;
	}
	if (msg_get_act(&buf, &act) < 0)
		return 8;
	fake_act(&act, fd);
	return 0;
}

/* The parent. */

struct scene {
	struct supervise supervise;
	struct conf conf;
	char folder[32];
	char program[64];
	int engine; /* the other end of its channel */
	int running_max;
	uint64_t waited_ms;
	bool (*until)(struct scene *scene);
	struct msg_acted acted[ACT_JOBS_MAX + 8];
	char errors[ACT_JOBS_MAX + 8][128];
	size_t acted_len;
};

static int
on_timer(void *arg)
{
	(void)arg;
	return 0;
}

/* Takes what the engine was told. */
static void
listen_in(struct scene *scene)
{
	static uint8_t heard[MSG_MAX];
	struct buf buf;
	uint16_t type;
	size_t len;
	int fd;

	while (scene->engine >= 0 &&
	       chan_read(scene->engine, heard, sizeof(heard), &len, &fd) == 0) {
		struct msg_acted *acted = &scene->acted[scene->acted_len];

		assert_true(scene->acted_len < ACT_JOBS_MAX + 8);
		assert_int_equal(msg_open(&buf, heard, len, &type), 0);
		assert_int_equal(type, MSG_ACTED);
		assert_int_equal(msg_get_acted(&buf, acted), 0);
		(void)str_copy(scene->errors[scene->acted_len], 128,
			       acted->error);
		scene->acted_len++;
	}
}

static int
running(struct scene *scene)
{
	int count = 0;

	for (size_t i = 0; i < ACT_JOBS_MAX; i++)
		count += act_pid(&scene->supervise, i) != 0;
	return count;
}

/* As khiend's signal handler does it. */
static int
on_look(void *arg)
{
	struct scene *scene = arg;
	int count = running(scene);

	if (count > scene->running_max)
		scene->running_max = count;
	act_reap(&scene->supervise);
	listen_in(scene);
	scene->waited_ms += LOOK_MS;
	if (scene->until(scene) || scene->waited_ms > PATIENCE_MS)
		loop_stop(scene->supervise.loop);
	return 0;
}

static void
wait_until(struct scene *scene, bool (*until)(struct scene *scene))
{
	struct loop_watch *timer =
		loop_add_timer(scene->supervise.loop, LOOK_MS, on_look, scene);

	assert_non_null(timer);
	scene->until = until;
	scene->waited_ms = 0;
	assert_int_equal(loop_run(scene->supervise.loop), 0);
	loop_remove(timer);
	assert_true(until(scene));
}

static bool
nobody_runs(struct scene *scene)
{
	return running(scene) == 0;
}

static bool
some_run(struct scene *scene)
{
	return running(scene) > 0;
}

static void
make_supervise(struct scene *scene)
{
	struct supervise *supervise = &scene->supervise;

	conf_init(&scene->conf);
	supervise->folder = scene->folder;
	supervise->conf = &scene->conf;
	supervise->loop = loop_new();
	supervise->timer = loop_add_timer(supervise->loop, 0, on_timer, scene);
	supervise->bytes = malloc(MSG_MAX);
	supervise->out = malloc(MSG_MAX);
	supervise->step = UINT32_MAX; /* the start is over */
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++)
		child_init(&supervise->children[i], i ? ROLE_GATE : ROLE_ENGINE,
			   0);
	supervise->children[0].state = CHILD_UP;
	supervise->children[0].pid = getpid();
	assert_int_equal(
		update_open(supervise, &(struct place){ .update = -1 }), 0);
}

static int
setup(void **state)
{
	static struct scene scene;
	char self[PATH_MAX] = "";

	scene = (struct scene){ .folder = "/tmp/khien-act-XXXXXX" };
	if (!mkdtemp(scene.folder) ||
	    readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	(void)snprintf(scene.program, sizeof(scene.program), "%s/khien-keep",
		       scene.folder);
	make_supervise(&scene);
	if (symlink(self, scene.program) < 0 ||
	    chan_pair(&scene.supervise.children[0].chan, &scene.engine) < 0 ||
	    keep_put(&scene.supervise.keeps[ROLE_ENGINE], "state",
		     open(scene.folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
		     true) < 0)
		return -1;
	*state = &scene;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *scene = *state;
	struct supervise *supervise = &scene->supervise;

	act_done(supervise);
	update_close(supervise);
	keep_done(&supervise->keeps[ROLE_ENGINE]);
	loop_free(supervise->loop);
	free(supervise->bytes);
	free(supervise->out);
	file_closep(&supervise->children[0].chan);
	file_closep(&scene->engine);
	(void)unlink(scene->program);
	return rmdir(scene->folder);
}

/* A request as the engine sends it; returns what act_take() does. */
static int
request(struct scene *scene, uint64_t id, uint16_t kind, const char *rule,
	int fd)
{
	static uint8_t payload[MSG_MAX];
	struct msg_act act = {
		.id = id, .kind = kind, .path = "/a/path", .rule = rule
	};
	struct buf buf;
	uint16_t type;

	msg_begin(&buf, payload, sizeof(payload), MSG_ACT);
	msg_put_act(&buf, &act);
	assert_int_equal(msg_end(&buf), 0);
	size_t len = buf.at;
	assert_int_equal(msg_open(&buf, payload, len, &type), 0);
	int r = act_take(&scene->supervise, &buf, &fd);
	file_closep(&fd);
	return r;
}

/* Whatever khien-keep does, the engine hears of it once. */
static void
one_answer_a_request(void **state)
{
	static const struct {
		const char *rule, *error; /* a part of it; "": none */
		bool held;		  /* it goes on until it is killed */
	} cases[] = {
		{ "answer", "", false },
		{ "answer and die", "", false },
		{ "twice", "", false },
		{ "die", "without an answer", false },
		{ "rubbish", "without an answer", false },
		{ "wait", "took too long", true },
		{ "beat", "took too long", true },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene->acted_len = 0;
		assert_int_equal(request(scene, 70 + i, MSG_ACT_LIST,
					 cases[i].rule, -1),
				 0);
		if (cases[i].held) {
			wait_until(scene, some_run);
			assert_int_equal(scene->acted_len, 0);
			act_check(&scene->supervise,
				  child_now_ms() + 2 * ACT_LIMIT_MS);
		}
		wait_until(scene, nobody_runs);
		listen_in(scene);
		if (scene->acted_len != 1)
			fail_msg("%s: %zu answers", cases[i].rule,
				 scene->acted_len);
		assert_int_equal(scene->acted[0].id, 70 + i);
		assert_int_equal(scene->acted[0].kind, MSG_ACT_LIST);
		if (*cases[i].error ?
			    !strstr(scene->errors[0], cases[i].error) :
			    *scene->errors[0])
			fail_msg("%s: %s", cases[i].rule, scene->errors[0]);
	}
}

static void
file_is_passed_on(void **state)
{
	struct scene *scene = *state;
	int fd = open(scene->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(request(scene, 5, MSG_ACT_FILE, "answer", fd), 0);
	wait_until(scene, nobody_runs);
	assert_int_equal(scene->acted_len, 1);
	assert_int_equal(scene->acted[0].inode, st.st_ino);
	/* It was taken, and is not held any longer than needed. */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* The engine is to be ended for it. */
static void
malformed_requests(void **state)
{
	static uint8_t payload[4] = { 1, 2, 3, 4 };
	struct scene *scene = *state;
	int fd = -1;
	struct buf buf;

	buf_init_read(&buf, payload, sizeof(payload));
	assert_int_equal(act_take(&scene->supervise, &buf, &fd), -EBADMSG);
	assert_int_equal(request(scene, 1, 0, "answer", -1), -EBADMSG);
	assert_int_equal(request(scene, 1, MSG_ACT_DELETE + 1, "answer", -1),
			 -EBADMSG);
	assert_int_equal(request(scene, 1, MSG_ACT_FILE, "answer", -1),
			 -EBADMSG);
	assert_int_equal(request(scene, 1, MSG_ACT_LIST, "answer",
				 open("/dev/null", O_RDONLY | O_CLOEXEC)),
			 -EBADMSG);
	assert_int_equal(running(scene), 0);
	listen_in(scene);
	assert_int_equal(scene->acted_len, 0);
}

/* A few at a time; what is too much is refused at once. */
static void
limits(void **state)
{
	struct scene *scene = *state;

	for (uint64_t id = 1; id <= ACT_JOBS_MAX + 3; id++)
		assert_int_equal(
			request(scene, id, MSG_ACT_LIST,
				id <= ACT_RUNNING_MAX ? "wait" : "answer", -1),
			0);
	assert_int_equal(running(scene), ACT_RUNNING_MAX);
	listen_in(scene);
	assert_int_equal(scene->acted_len, 3);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(scene->acted[i].id, ACT_JOBS_MAX + 1 + i);
		assert_non_null(strstr(scene->errors[i], "too much to do"));
	}
	/* None gets a turn before one of the first is through. */
	act_reap(&scene->supervise);
	assert_int_equal(running(scene), ACT_RUNNING_MAX);
	act_check(&scene->supervise, child_now_ms() + 2 * ACT_LIMIT_MS);
	wait_until(scene, nobody_runs);
	listen_in(scene);
	assert_int_equal(scene->acted_len, ACT_JOBS_MAX + 3);
	assert_int_equal(scene->running_max, ACT_RUNNING_MAX);
	bool seen[ACT_JOBS_MAX + 4] = { false };
	for (size_t i = 0; i < scene->acted_len; i++) {
		uint64_t id = scene->acted[i].id;

		assert_in_range(id, 1, ACT_JOBS_MAX + 3);
		assert_false(seen[id]);
		seen[id] = true;
	}
	/* There is room again. */
	assert_int_equal(request(scene, 1000, MSG_ACT_LIST, "answer", -1), 0);
	wait_until(scene, nobody_runs);
	listen_in(scene);
	assert_int_equal(scene->acted_len, ACT_JOBS_MAX + 4);
}

static bool
due_moved(struct scene *scene)
{
	return act_due_ms(&scene->supervise) > scene->conf.deadline_ms;
}

/* A sign of life gives it more time; nothing is due when nobody runs. */
static void
signs_of_life(void **state)
{
	struct scene *scene = *state;
	uint64_t now_ms = child_now_ms();

	assert_int_equal(act_due_ms(&scene->supervise), UINT64_MAX);
	act_check(&scene->supervise, UINT64_MAX);
	assert_int_equal(request(scene, 1, MSG_ACT_LIST, "wait", -1), 0);
	uint64_t due_ms = act_due_ms(&scene->supervise);
	assert_in_range(due_ms, now_ms + ACT_LIMIT_MS,
			child_now_ms() + ACT_LIMIT_MS);
	act_check(&scene->supervise, due_ms - 1);
	act_reap(&scene->supervise);
	assert_int_equal(act_due_ms(&scene->supervise), due_ms);
	act_check(&scene->supervise, due_ms);
	/* Killed once: waiting for its end is not due again. */
	assert_int_equal(act_due_ms(&scene->supervise), UINT64_MAX);
	wait_until(scene, nobody_runs);
	assert_non_null(strstr(scene->errors[0], "too long"));

	assert_int_equal(request(scene, 2, MSG_ACT_LIST, "beat", -1), 0);
	/* A field of the configuration that nothing here reads. */
	scene->conf.deadline_ms = (uint32_t)act_due_ms(&scene->supervise);
	wait_until(scene, due_moved);
	assert_true(act_due_ms(&scene->supervise) <=
		    child_now_ms() + ACT_LIMIT_MS);
	act_check(&scene->supervise, UINT64_MAX - 1);
	wait_until(scene, nobody_runs);
}

/* Nobody hears it, and nothing is left behind. */
static void
engine_is_away(void **state)
{
	struct scene *scene = *state;

	file_closep(&scene->engine);
	assert_int_equal(request(scene, 1, MSG_ACT_LIST, "answer", -1), 0);
	wait_until(scene, nobody_runs);
	file_closep(&scene->supervise.children[0].chan);
	scene->supervise.children[0].state = CHILD_DOWN;
	assert_int_equal(request(scene, 2, MSG_ACT_LIST, "die", -1), 0);
	wait_until(scene, nobody_runs);
}

static void
program_is_missing(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(unlink(scene->program), 0);
	assert_int_equal(request(scene, 1, MSG_ACT_LIST, "answer", -1), 0);
	wait_until(scene, nobody_runs);
	listen_in(scene);
	assert_int_equal(scene->acted_len, 1);
	assert_non_null(strstr(scene->errors[0], "without an answer"));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		SCENE(one_answer_a_request), SCENE(file_is_passed_on),
		SCENE(malformed_requests),   SCENE(limits),
		SCENE(signs_of_life),	     SCENE(engine_is_away),
		SCENE(program_is_missing),
	};

	if (argc > 1 && strstr(argv[0], "khien-keep"))
		return fake_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
