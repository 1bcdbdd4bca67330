/* SPDX-License-Identifier: GPL-2.0-or-later - long: parent and children */
/*
 * A whole khiend with children that only speak the protocol: this program
 * again, by links named khien-<role>.  Each writes what it sees to <role>.log
 * beside its link, and does once what it finds in <role>.do.
 */
#include "agent/daemon/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/daemon/place.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_guard.h"
#include "agent/lib/peer.h"
#include "agent/lib/str.h"

#define LOG_MAX (256 * 1024)
#define FOLDER_MAX 64

/* The child. */

static struct {
	char folder[FOLDER_MAX];
	char name[32]; /* "scan0" */
	char order[32];
	uint8_t bytes[MSG_MAX];
	uint8_t out[MSG_MAX];
} fake;

__attribute__((format(printf, 1, 2))) static void
note(const char *format, ...)
{
	char path[PATH_MAX + 64];
	char line[1024];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[len++] = '\n';
	(void)snprintf(path, sizeof(path), "%s/%s.log", fake.folder, fake.name);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)file_write_all(fd, line, (size_t)len);
}

static void
take_order(void)
{
	char path[PATH_MAX + 64];
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s.do", fake.folder, fake.name);
	if (file_read(AT_FDCWD, path, fake.order, sizeof(fake.order), &len) < 0)
		fake.order[0] = '\0';
	(void)unlink(path);
}

static void
fake_write(struct buf *buf, int fd)
{
	if (msg_end(buf) < 0 || chan_write(PEER_FD, buf, fd) < 0)
		_exit(1);
}

static void
fake_ready(void)
{
	CLEANUP_FD int fd = open(fake.folder, O_PATH);
	struct buf buf;

	msg_begin(&buf, fake.out, MSG_MAX, MSG_HELLO);
	fake_write(&buf, -1);
	if (str_equal(fake.order, "keep")) {
		msg_begin(&buf, fake.out, MSG_MAX, MSG_KEEP);
		msg_put_keep(&buf, "map");
		fake_write(&buf, fd);
	} else if (str_equal(fake.order, "reload")) {
		msg_begin(&buf, fake.out, MSG_MAX, MSG_RELOAD);
		fake_write(&buf, -1);
	} else if (str_equal(fake.order, "rubbish")) {
		buf_init_write(&buf, fake.out, MSG_MAX);
		buf_put_u64(&buf, 0x4141414141414141);
		(void)chan_write(PEER_FD, &buf, -1);
	}
	note("ready");
}

static void
fake_link(struct buf *buf)
{
	struct msg_link link;

	if (msg_get_link(buf, &link) < 0)
		_exit(1);
	note("link %s%u", role_get(link.role)->name, link.index);
	if (!str_equal(fake.order, "stuck") || link.role != ROLE_SCAN)
		return;
	fake.order[0] = '\0';
	msg_begin(buf, fake.out, MSG_MAX, MSG_STUCK);
	msg_put_link(buf, &link);
	fake_write(buf, -1);
}

/* "forgetful" stores nothing of it. */
static void
fake_peer(const struct msg_peer *peer, struct buf *buf)
{
	static const char *const states[] = { "?",     "started", "ended",
					      "stuck", "config",  "known" };

	note("peer %s%u %s %u %s", role_get(peer->who.role)->name,
	     peer->who.index, states[peer->state], peer->restarts,
	     peer->detail);
	if (!peer->number || str_equal(fake.order, "forgetful"))
		return;
	uint64_t number = peer->number;
	msg_begin(buf, fake.out, MSG_MAX, MSG_ACK);
	msg_put_number(buf, number);
	fake_write(buf, -1);
}

static void
fake_take(uint16_t type, struct buf *buf)
{
	struct msg_guarded guarded;
	struct msg_peer peer;
	const char *name;
	uint64_t number;

	if (type == MSG_BEAT && msg_get_number(buf, &number) == 0) {
		msg_begin(buf, fake.out, MSG_MAX, MSG_BEAT);
		msg_put_number(buf, number);
		if (!str_equal(fake.order, "deaf"))
			fake_write(buf, -1);
		return;
	}
	if (type == MSG_ANNOUNCE && msg_get_number(buf, &number) == 0) {
		note("announced");
		msg_begin(buf, fake.out, MSG_MAX, MSG_ANNOUNCE);
		msg_put_number(buf, number);
		/* Without an answer they go all the same, later. */
		if (!str_equal(fake.order, "mute"))
			fake_write(buf, -1);
		return;
	}
	if (type == MSG_SETTLED && msg_get_number(buf, &number) == 0) {
		note("settled");
		return;
	}
	if (type == MSG_READY)
		fake_ready();
	else if (type == MSG_LINK)
		fake_link(buf);
	else if (type == MSG_CONFIG)
		note("config");
	else if (type == MSG_KEEP && msg_get_keep(buf, &name) == 0)
		note("kept %s", name);
	else if (type == MSG_PEER && msg_get_peer(buf, &peer) == 0)
		fake_peer(&peer, buf);
	else if (type == MSG_GUARDED && msg_guard_get_state(buf, &guarded) == 0)
		note("guarded %u", guarded.state);
	else
		_exit(1);
}

static void
fill_conf(struct conf *conf, const char *in, uint32_t workers)
{
	conf_init(conf);
	conf->workers = workers;
	conf->role_uid[ROLE_ENGINE] = geteuid();
	conf->role_gid[ROLE_ENGINE] = getegid();
	conf->role_uid[ROLE_VERIFY] = geteuid();
	conf->role_gid[ROLE_VERIFY] = getegid();
	conf->group_gid = getegid();
	(void)snprintf(conf->state_dir, PATH_MAX, "%s/state", in);
	(void)snprintf(conf->run_dir, PATH_MAX, "%s/run", in);
}

static int
fake_conf(void)
{
	struct buf buf;
	struct conf conf;
	struct msg_peer peer = { .state = MSG_PEER_CONFIG,
				 .detail = "x.conf:1: wrong" };
	bool wrong = str_equal(fake.order, "refuse");

	fill_conf(&conf, fake.folder, str_equal(fake.order, "one") ? 1 : 2);
	msg_begin(&buf, fake.out, MSG_MAX, wrong ? MSG_PEER : MSG_CONFIG);
	if (wrong)
		msg_put_peer(&buf, &peer);
	else
		conf_put(&buf, &conf);
	fake_write(&buf, -1);
	return wrong ? 2 : 0;
}

static int
fake_main(char *path, const char *role, const char *index)
{
	if (str_copy(fake.folder, sizeof(fake.folder), dirname(path)) < 0)
		return 1;
	(void)snprintf(fake.name, sizeof(fake.name), "%s%s", role,
		       index ? index : "");
	take_order();
	if (str_equal(role, "conf"))
		return fake_conf();
	note("pid %d", getpid());
	if (str_equal(fake.order, "die"))
		return 7;
	for (;;) {
		struct pollfd wait = { .fd = PEER_FD, .events = POLLIN };
		struct buf buf;
		uint16_t type;
		size_t len;
		CLEANUP_FD int fd = -1;
		(void)poll(&wait, 1, -1);
		int r = chan_read(PEER_FD, fake.bytes, MSG_MAX, &len, &fd);
		if (r == -EPIPE)
			return note("end"), 0;
		if (r == 0 && msg_open(&buf, fake.bytes, len, &type) == 0)
			fake_take(type, &buf);
	}
}

/* The test's side. */

static char folder[FOLDER_MAX];
static char self[PATH_MAX];
static pid_t khiend;

static void
order(const char *name, const char *what)
{
	char path[PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s.do", folder, name);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(file_write_all(fd, what, strlen(what)), 0);
}

static const char *
log_of(const char *name)
{
	static char text[LOG_MAX];
	char path[PATH_MAX + 64];
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s.log", folder, name);
	if (file_read(AT_FDCWD, path, text, sizeof(text), &len) < 0)
		text[0] = '\0';
	return text;
}

static int
count(const char *name, const char *what)
{
	int found = 0;

	for (const char *at = strstr(log_of(name), what); at;
	     at = strstr(at + 1, what))
		found++;
	return found;
}

/* Until the log has the text that many times; longer on a busy machine. */
static void
wait_for(const char *name, const char *what, int times, int limit_ms)
{
	for (limit_ms *= 5; limit_ms > 0; limit_ms -= 10) {
		if (count(name, what) >= times)
			return;
		(void)usleep(10000);
	}
	fail_msg("%s.log has not %d times '%s':\n%s", name, times, what,
		 log_of(name));
}

static pid_t
pid_of(const char *name)
{
	pid_t pid = 0;

	for (const char *at = strstr(log_of(name), "pid "); at;
	     at = strstr(at + 1, "pid "))
		pid = (pid_t)strtol(at + 4, NULL, 10);
	return pid;
}

static int
run_khiend(void)
{
	static struct supervise supervise;
	static struct conf conf;
	struct place place;
	sigset_t set;

	sigfillset(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	fill_conf(&conf, folder, 2);
	if (place_make(&place, &conf) < 0)
		return 3;
	int r = supervise_run(&supervise, &conf, &place, folder, NULL);
	place_done(&place);
	return r < 0 ? 4 : 0;
}

static int
setup(void **state)
{
	static const char *const roles[] = { "engine", "query", "sensor",
					     "mounts", "scan",	"gate",
					     "conf" };
	char path[PATH_MAX + 64];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/khien-supervise-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/khien-%s", folder,
			       roles[i]);
		if (symlink(self, path) < 0)
			return -1;
	}
	return 0;
}

static void
start(void)
{
	khiend = fork();
	if (khiend == 0)
		_exit(run_khiend());
	wait_for("gate0", "ready", 1, 5000);
	wait_for("engine0", "gate0 started", 1, 5000);
}

static int
stop(void)
{
	int status = -1;

	(void)kill(khiend, SIGTERM);
	assert_int_equal(waitpid(khiend, &status, 0), khiend);
	khiend = 0;
	return status;
}

static int
teardown(void **state)
{
	char command[PATH_MAX + 64];

	(void)state;
	if (khiend)
		(void)stop();
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void
test_start(void **state)
{
	static const struct {
		const char *name, *what;
		int times;
	} seen[] = {
		{ "engine0", "kept state", 1 },
		{ "engine0", "kept status.sock", 1 },
		{ "engine0", "kept control.sock", 1 },
		{ "query0", "kept state", 1 },
		{ "gate0", "link ", 5 },
		{ "engine0", "link ", 6 },
		{ "scan1", "link ", 2 },
		{ "sensor0", "link engine0", 1 },
		{ "engine0", "daemon0 started", 1 },
		{ "engine0", " started 0", 8 },
	};

	(void)state;
	start();
	/* Links are told beside, and may come a moment later. */
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		wait_for(seen[i].name, seen[i].what, seen[i].times, 1000);
		assert_int_equal(count(seen[i].name, seen[i].what),
				 seen[i].times);
	}
	wait_for("mounts0", "link ", 3, 1000);
	wait_for("engine0", "guarded 1", 1, 1000);
	assert_int_equal(stop(), 0);
	assert_int_equal(count("engine0", "gate0 ended 0 exited with status 0"),
			 1);
	assert_int_equal(count("engine0", "query0 ended"), 1);
	assert_int_equal(count("engine0", "end\n"), 1);
}

static void
test_kill(void **state)
{
	static const char *const names[] = { "query0", "sensor0", "mounts0",
					     "scan0",  "scan1",	  "gate0",
					     "engine0" };
	char what[128];

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)kill(pid_of(names[i]), SIGKILL);
		wait_for(names[i], "ready", 2, 1000);
		(void)snprintf(what, sizeof(what),
			       "%s ended 0 killed by signal 9 (SIGKILL)",
			       names[i]);
		wait_for("engine0", what, 1, 1000);
		(void)snprintf(what, sizeof(what), "%s started 1", names[i]);
		wait_for("engine0", what, 1, 1000);
	}
	/* khiend, gate, sensor, mounts, query and two scanners. */
	wait_for("engine0", "daemon0 known 0", 1, 1000);
	wait_for("engine0", "scan1 known 1", 1, 1000);
	wait_for("engine0", " known ", 7, 1000);
	assert_int_equal(count("engine0", "daemon0 started"), 1);
	assert_int_equal(count("engine0", "scan1 started"), 2);
	wait_for("engine0", "link ", 18, 1000);
	wait_for("gate0", "link scan0", 3, 1000);
	/* The last gate knew of the engine before it executed, and until it had
	   said hello; the first of all that came before it. */
	wait_for("gate0", "announced", 1, 1000);
	wait_for("gate0", "settled", 1, 1000);
}

/* A gate that says nothing holds up nobody for long. */
static void
test_mute_gate(void **state)
{
	(void)state;
	order("gate0", "mute");
	start();
	(void)kill(pid_of("scan0"), SIGKILL);
	wait_for("scan0", "ready", 2, 1000);
	wait_for("gate0", "announced", 1, 1000);
	assert_int_equal(stop(), 0);
}

/* What one engine took and did not store is told to the next, once. */
static void
test_forgetful_engine(void **state)
{
	(void)state;
	order("engine0", "forgetful");
	start();
	(void)kill(pid_of("engine0"), SIGKILL);
	wait_for("engine0", "engine0 started 1", 1, 1000);
	assert_int_equal(count("engine0", "daemon0 started 0"), 2);
	assert_int_equal(count("engine0", "gate0 started 0"), 2);
	(void)kill(pid_of("engine0"), SIGKILL);
	wait_for("engine0", "engine0 started 2", 1, 1000);
	assert_int_equal(count("engine0", "gate0 started 0"), 2);
	assert_int_equal(count("engine0", "engine0 ended"), 2);
}

static void
test_bad_peers(void **state)
{
	(void)state;
	order("gate0", "stuck");
	order("sensor0", "keep");
	start();
	wait_for("engine0", "stuck 0 did not answer the gate", 1, 1000);
	wait_for("engine0", "(SIGKILL): did not answer the gate", 1, 1000);
	order("sensor0", "rubbish");
	(void)kill(pid_of("sensor0"), SIGKILL);
	wait_for("engine0", "(SIGKILL): malformed message", 1, 2000);
	wait_for("sensor0", "kept map", 2, 2000);
	/* Scanners may not leave anything to their successors. */
	order("scan1", "keep");
	(void)kill(pid_of("scan1"), SIGKILL);
	wait_for("engine0", "(SIGKILL): malformed message", 2, 2000);
	order("gate0", "deaf");
	(void)kill(pid_of("gate0"), SIGKILL);
	wait_for("engine0", "gate0 stuck 1 no heartbeat", 1, 5000);
	wait_for("gate0", "ready", 3, 2000);
	assert_int_equal(count("scan1", "kept map"), 0);
	assert_true(count("scan0", "kept update") > 0);
}

static void
test_back_off(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 5; i++) {
		pid_t old = pid_of("query0");
		order("query0", "die");
		(void)kill(old, SIGKILL);
		wait_for("engine0", "query0 ended", 2 * i + 2, 4000);
		wait_for("query0", "ready", i + 2, 8000);
	}
	assert_int_equal(stop(), 0);
}

static void
test_reload(void **state)
{
	(void)state;
	start();
	order("conf", "refuse");
	(void)kill(khiend, SIGHUP);
	wait_for("engine0", "config 0 refused, the old one stays: x.conf:1: w",
		 1, 2000);
	assert_int_equal(count("gate0", "config"), 1);
	order("engine0", "reload");
	(void)kill(pid_of("engine0"), SIGKILL);
	wait_for("engine0", "config 0 accepted", 1, 2000);
	wait_for("gate0", "config", 2, 1000);
	wait_for("scan0", "ready", 2, 2000);
	wait_for("scan1", "ready", 2, 2000);
	wait_for("engine0", "scan1 ended 0 exited with status 0", 1, 1000);
	order("conf", "one");
	(void)kill(khiend, SIGHUP);
	wait_for("engine0", "scan1 ended 1 exited with status 0", 1, 2000);
	wait_for("scan0", "ready", 3, 2000);
	assert_int_equal(count("scan1", "ready"), 2);
	/* The only one has a stand-in while it is replaced. */
	order("conf", "one");
	(void)kill(khiend, SIGHUP);
	wait_for("scan0", "ready", 4, 2000);
	assert_int_equal(count("scan1", "ready"), 3);
	wait_for("engine0", "scan1 ended 2 exited with status 0", 1, 2000);
	assert_int_equal(count("scan1", "ready"), 3);
}

/* All of them become our children, and end within the alarm's time. */
static void
test_orphans(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	start();
	(void)kill(khiend, SIGKILL);
	khiend = 0;
	(void)alarm(5);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	(void)alarm(0);
	assert_int_equal(errno, ECHILD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start),
		TEST(test_kill),
		TEST(test_mute_gate),
		TEST(test_bad_peers),
		TEST(test_forgetful_engine),
		TEST(test_back_off),
		TEST(test_reload),
		TEST(test_orphans),
	};
	const char *name = strrchr(argv[0], '/');
	if (argc && name && str_starts(name, "/khien-"))
		return fake_main(argv[0], name + 7, argv[1]);
	if (!realpath("/proc/self/exe", self))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
