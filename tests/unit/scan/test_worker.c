/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole worker, sealed, with this program in the place of the others. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/scan/worker.h"
#include "tests/unit/scan/samples.h"

#define PATIENCE_MS 30000

static const char broken[] = "rule a { condition: true }\n"
			     "rule b { condition: what }\n";

struct world {
	const char *folder;
	struct conf conf;
	int khiend, gate, engine;
	pid_t pid;
	uint8_t in[MSG_MAX], out[MSG_MAX];
	size_t rules, failures; /* told to the engine */
	size_t told;		/* rules, the first time */
	char error[1024];
};

static struct world world;

static void
send_message(int chan, struct buf *buf, int fd)
{
	assert_int_equal(msg_end(buf), 0);
	assert_int_equal(chan_write(chan, buf, fd), 0);
}

/* Waits for a message of this type; *buf is at its payload. */
static void
expect(int chan, uint16_t wanted, struct buf *buf)
{
	struct pollfd wait = { .fd = chan, .events = POLLIN };
	uint16_t type;
	size_t len;
	int fd;

	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_int_equal(chan_read(chan, world.in, MSG_MAX, &len, &fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(msg_open(buf, world.in, len, &type), 0);
	assert_int_equal(type, wanted);
}

static void
send_link(uint16_t role, int fd)
{
	struct msg_link link = { .role = role, .pid = 1 };
	struct buf buf;

	msg_begin(&buf, world.out, MSG_MAX, MSG_LINK);
	msg_put_link(&buf, &link);
	send_message(world.khiend, &buf, fd);
}

static void
run_child(int chan)
{
	char name[] = "khien-scan", index[] = "0";
	char *argv[] = { name, index, NULL };

	if (dup2(chan, PEER_FD) < 0)
		_exit(90);
	for (int fd = PEER_FD + 1; fd < 64; fd++)
		(void)close(fd);
	_exit(worker_run(2, argv));
}

static void
configure(void)
{
	struct conf *conf = &world.conf;
	uint32_t uid = role_get(ROLE_SCAN)->fallback_uid;

	conf_init(conf);
	(void)snprintf(conf->rules_dir, CONF_PATH_MAX, "signatures/yara");
	(void)snprintf(conf->local_dir, CONF_PATH_MAX, "%s", world.folder);
	conf->role_uid[ROLE_SCAN] = uid;
	conf->role_gid[ROLE_SCAN] = uid;
	conf->timeout_ms = 2000;
	conf->max_size = 1 << 20;
}

static void
read_rules(void)
{
	struct msg_rule rule = { .last = false };
	uint32_t number = 0;
	struct buf buf;

	world.rules = 0;
	world.failures = 0;
	while (!rule.last) {
		expect(world.engine, MSG_RULE, &buf);
		assert_int_equal(msg_get_rule(&buf, &rule), 0);
		assert_int_equal(rule.number, number++);
		if (rule.error[0]) {
			world.failures++;
			(void)snprintf(world.error, sizeof(world.error), "%s",
				       rule.error);
		} else {
			world.rules++;
		}
	}
	expect(world.engine, MSG_STATUS, &buf);
}

static int
setup(void **state)
{
	int theirs, gate, engine;
	struct buf buf;

	(void)state;
	world.folder = samples_folder();
	samples_write_text(world.folder, "broken.yar", broken);
	samples_write_text(world.folder, "deep/er/whole.yar",
			   "rule marker { strings: $a = \"MARKER\" "
			   "condition: $a }\n");
	samples_write_text(world.folder, "not-a-rule.txt", "rule");
	configure();
	assert_int_equal(chan_pair(&world.khiend, &theirs), 0);
	assert_int_equal(chan_pair(&world.gate, &gate), 0);
	assert_int_equal(chan_pair(&world.engine, &engine), 0);
	world.pid = fork();
	assert_true(world.pid >= 0);
	if (world.pid == 0)
		run_child(theirs);
	(void)close(theirs);
	msg_begin(&buf, world.out, MSG_MAX, MSG_CONFIG);
	conf_put(&buf, &world.conf);
	send_message(world.khiend, &buf, -1);
	send_link(ROLE_GATE, gate);
	send_link(ROLE_ENGINE, engine);
	(void)close(gate);
	(void)close(engine);
	msg_begin(&buf, world.out, MSG_MAX, MSG_READY);
	send_message(world.khiend, &buf, -1);
	expect(world.khiend, MSG_HELLO, &buf);
	read_rules();
	return 0;
}

static int
end_child(void)
{
	int status;

	assert_int_equal(waitpid(world.pid, &status, 0), world.pid);
	world.pid = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(world.khiend);
	(void)close(world.gate);
	(void)close(world.engine);
	if (world.pid > 0)
		(void)end_child();
	samples_remove(world.folder);
	return 0;
}

static void
ask(uint64_t tag, int fd)
{
	struct msg_scan question = { .tag = tag, .cause = MSG_CAUSE_WRITE };
	struct buf buf;

	msg_begin(&buf, world.out, MSG_MAX, MSG_SCAN);
	msg_put_scan(&buf, &question);
	send_message(world.gate, &buf, fd);
	(void)close(fd);
}

static void
get_verdict(uint64_t tag, struct msg_verdict *verdict)
{
	struct buf buf;

	expect(world.gate, MSG_VERDICT, &buf);
	assert_int_equal(msg_get_verdict(&buf, verdict), 0);
	assert_int_equal(verdict->tag, tag);
	assert_int_equal(verdict->cause, MSG_CAUSE_WRITE);
}

static void
test_eicar(void **state)
{
	static struct msg_verdict verdict;
	uint8_t bytes[128];
	size_t len = samples_load("eicar.com", bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(len, 68);
	ask(7, samples_memfd(bytes, len));
	get_verdict(7, &verdict);
	assert_int_equal(verdict.result, MSG_MATCH);
	assert_int_equal(verdict.size, 68);
	assert_string_equal(verdict.sha256, SAMPLES_EICAR_SHA256);
	assert_int_equal(verdict.len, 1);
	assert_string_equal(verdict.matches[0].rule, "eicar_test_file");
	assert_string_equal(verdict.matches[0].severity, "high");
	assert_string_equal(verdict.matches[0].ruleset, "test/eicar.yar");
	assert_int_equal(strlen(verdict.matches[0].id), 36);
}

static void
test_rules_are_told(void **state)
{
	(void)state;
	/* One local, and all that are shipped: more than the two of tests. */
	assert_true(world.rules > 3);
	world.told = world.rules;
	assert_int_equal(world.failures, 1);
	assert_non_null(strstr(world.error, "broken.yar:2: "));
	assert_non_null(strstr(world.error, "what"));
}

static void
test_every_question_is_answered(void **state)
{
	static struct msg_verdict verdict;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	ask(1, ends[0]);
	ask(2, samples_memfd("", 0));
	ask(3, samples_memfd("a MARKER", 8));
	ask(4, open(world.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	ask(5, open("Makefile", O_PATH | O_CLOEXEC));
	(void)close(ends[1]);
	get_verdict(1, &verdict);
	assert_int_equal(verdict.result, MSG_SKIPPED);
	get_verdict(2, &verdict);
	assert_int_equal(verdict.result, MSG_CLEAN);
	/* Nobody wants to know. */
	assert_string_equal(verdict.sha256, "");
	get_verdict(3, &verdict);
	assert_int_equal(verdict.result, MSG_MATCH);
	assert_int_equal(strlen(verdict.sha256), 64);
	assert_string_equal(verdict.matches[0].severity, "medium");
	assert_string_equal(verdict.matches[0].ruleset, "deep/er/whole.yar");
	get_verdict(4, &verdict);
	assert_int_equal(verdict.result, MSG_SKIPPED);
	get_verdict(5, &verdict);
	assert_int_equal(verdict.result, MSG_FAILED);
	assert_true(verdict.error[0]);
}

static void
test_engine_returns(void **state)
{
	int engine;

	(void)state;
	(void)close(world.engine);
	assert_int_equal(chan_pair(&world.engine, &engine), 0);
	send_link(ROLE_ENGINE, engine);
	(void)close(engine);
	read_rules();
	assert_int_equal(world.rules, world.told);
	assert_int_equal(world.failures, 1);
}

static void
test_ends_with_khiend(void **state)
{
	(void)state;
	(void)close(world.khiend);
	assert_int_equal(end_child(), 0);
	world.khiend = -1;
}

static void
test_malformed_question_ends_it(void **state)
{
	struct buf buf;

	(void)state;
	msg_begin(&buf, world.out, MSG_MAX, MSG_SCAN);
	buf_put_u8(&buf, 1);
	send_message(world.gate, &buf, -1);
	assert_int_equal(end_child(), 2);
}

static void
test_not_started_by_khiend(void **state)
{
	char name[] = "khien-scan", index[] = "0";
	char *argv[] = { name, index, NULL };
	int status;

	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(PEER_FD);
		_exit(worker_run(2, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_eicar),
		CASE(test_rules_are_told),
		CASE(test_every_question_is_answered),
		CASE(test_engine_returns),
		CASE(test_ends_with_khiend),
		CASE(test_malformed_question_ends_it),
		cmocka_unit_test(test_not_started_by_khiend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
