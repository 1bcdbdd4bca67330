/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/event.h"

#define SIZE (96 * 1024)

static uint8_t bytes[SIZE];
static char long_text[EVENT_PATH_MAX + 2];
static uint8_t long_args[EVENT_ARGS_MAX + 1];

/* Every field has a value of its own, so that two swapped ones show. */
static struct event
sample(void)
{
	return (struct event){
		.type = EVENT_EXEC,
		.class = EVENT_CRITICAL,
		.flags = EVENT_DELETED | EVENT_ARGS_CUT,
		.cpu = 1,
		.sequence = 1ULL << 40,
		.boot_ns = 1ULL << 41,
		.count = 1ULL << 42,
		.pid = 2,
		.tid = 3,
		.ns_pid = 4,
		.start_ns = 1ULL << 43,
		.ppid = 5,
		.parent_start_ns = 1ULL << 44,
		.uid = 6,
		.euid = 7,
		.gid = 8,
		.egid = 9,
		.loginuid = 10,
		.session = 11,
		.caps = 1ULL << 45,
		.cgroup_id = 1ULL << 46,
		.mount_ns = 1ULL << 47,
		.comm = "comm",
		.path = "/path",
		.path2 = "/path2",
		.script = "/script",
		.cwd = "/cwd",
		.tty = "pts/1",
		.name = "name",
		.args = (const uint8_t *)"a\0b c",
		.args_len = 6,
		.args_size = 1ULL << 48,
		.device = 1ULL << 49,
		.inode = 1ULL << 50,
		.size = 1ULL << 51,
		.mode = 12,
		.old_mode = 13,
		.file_uid = 14,
		.file_gid = 15,
		.links = 16,
		.exit_code = -17,
		.exit_signal = 18,
		.lost_class = 19,
	};
}

static void
assert_same_numbers(const struct event *a, const struct event *b)
{
	struct event x = *a, y = *b;

	x.comm = x.path = x.path2 = x.script = NULL;
	y.comm = y.path = y.path2 = y.script = NULL;
	x.cwd = x.tty = x.name = NULL;
	y.cwd = y.tty = y.name = NULL;
	x.args = y.args = NULL;
	/* Both were filled by assignment from zeroed memory. */
	assert_int_equal(x.type, y.type);
	assert_int_equal(x.class, y.class);
	assert_memory_equal(&x.flags, &y.flags,
			    sizeof(x) - offsetof(struct event, flags));
}

static void
test_round_trip(void **state)
{
	struct event event, back;
	struct buf buf;

	(void)state;
	memset(&event, 0, sizeof(event));
	memset(&back, 0, sizeof(back));
	event = sample();
	buf_init_write(&buf, bytes, SIZE);
	event_put(&buf, &event);
	assert_true(buf_done(&buf));
	buf_init_read(&buf, bytes, buf.at);
	assert_int_equal(event_get(&buf, &back), 0);
	assert_true(buf_done(&buf));
	assert_same_numbers(&event, &back);
	assert_string_equal(back.comm, "comm");
	assert_string_equal(back.path, "/path");
	assert_string_equal(back.path2, "/path2");
	assert_string_equal(back.script, "/script");
	assert_string_equal(back.cwd, "/cwd");
	assert_string_equal(back.tty, "pts/1");
	assert_string_equal(back.name, "name");
	assert_memory_equal(back.args, "a\0b c", 6);
}

/* What only these have; in no other event a byte of it travels. */
static void
test_families_of_their_own(void **state)
{
	struct event network = { .type = EVENT_DISCONNECT,
				 .class = EVENT_BULK,
				 .local = { 1, [15] = 2 },
				 .remote = { 3, [15] = 4 },
				 .local_port = 5,
				 .remote_port = 6,
				 .net_family = 7,
				 .protocol = 8,
				 .sent = 1ULL << 40,
				 .received = 1ULL << 41,
				 .age_ns = 1ULL << 42,
				 .value = 1ULL << 43 };
	struct event privilege = { .type = EVENT_PTRACE,
				   .class = EVENT_CRITICAL,
				   .target_pid = 9,
				   .target_start_ns = 1ULL << 44,
				   .old_uid = 10,
				   .old_euid = 11,
				   .old_gid = 12,
				   .old_egid = 13,
				   .old_caps = 1ULL << 45,
				   .value = 1ULL << 46,
				   .value2 = 1ULL << 47 };
	const struct event *events[] = { &network, &privilege };
	struct event back;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		memset(&back, 0, sizeof(back));
		buf_init_write(&buf, bytes, SIZE);
		event_put(&buf, events[i]);
		size_t len = buf.at;
		for (size_t cut = 1; cut < len; cut++) {
			buf_init_read(&buf, bytes, cut);
			assert_int_equal(event_get(&buf, &back), -EBADMSG);
		}
		buf_init_read(&buf, bytes, len);
		assert_int_equal(event_get(&buf, &back), 0);
		assert_true(buf_done(&buf));
		assert_same_numbers(events[i], &back);
	}
}

static void
test_init_has_no_strings(void **state)
{
	struct event event, back;
	struct buf buf;

	(void)state;
	event_init(&event, EVENT_LOSS, EVENT_AGENT);
	assert_int_equal(event.count, 1);
	assert_int_equal(event.loginuid, UINT32_MAX);
	assert_int_equal(event.session, UINT32_MAX);
	buf_init_write(&buf, bytes, SIZE);
	event_put(&buf, &event);
	buf_init_read(&buf, bytes, buf.at);
	assert_int_equal(event_get(&buf, &back), 0);
	assert_string_equal(back.path, "");
	assert_string_equal(back.tty, "");
	assert_non_null(back.args);
	assert_int_equal(back.args_len, 0);
}

/* Each prefix of an event is refused, and the result is not touched. */
static void
test_every_cut_is_refused(void **state)
{
	struct event event = sample();
	struct buf buf;
	size_t whole;

	(void)state;
	buf_init_write(&buf, bytes, SIZE);
	event_put(&buf, &event);
	whole = buf.at;
	for (size_t size = 0; size < whole; size++) {
		struct event back = { .pid = 4711 };
		buf_init_read(&buf, bytes, size);
		assert_int_equal(event_get(&buf, &back), -EBADMSG);
		assert_int_equal(back.pid, 4711);
	}
}

static int
get_after_put(const struct event *event)
{
	struct event back;
	struct buf buf;

	buf_init_write(&buf, bytes, SIZE);
	event_put(&buf, event);
	assert_true(buf_done(&buf));
	buf_init_read(&buf, bytes, buf.at);
	return event_get(&buf, &back);
}

static void
test_limits(void **state)
{
	struct event event = sample();

	(void)state;
	memset(long_text, 'x', EVENT_PATH_MAX);
	event.path = long_text;
	event.args = long_args;
	event.args_len = EVENT_ARGS_MAX;
	assert_int_equal(get_after_put(&event), 0);
	long_text[EVENT_PATH_MAX] = 'x';
	assert_int_equal(get_after_put(&event), -EBADMSG);
	event.path = "/";
	assert_int_equal(get_after_put(&event), 0);
	event.args_len = EVENT_ARGS_MAX + 1;
	assert_int_equal(get_after_put(&event), -EBADMSG);
}

static void
test_unknown_type_and_class(void **state)
{
	static const struct {
		uint16_t type, class;
	} cases[] = {
		{ 0, EVENT_BULK },	    { 9, EVENT_BULK },
		{ UINT16_MAX, EVENT_BULK }, { EVENT_EXEC, 0 },
		{ EVENT_EXEC, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event event = sample();
		event.type = cases[i].type;
		event.class = cases[i].class;
		assert_int_equal(get_after_put(&event), -EBADMSG);
	}
}

static void
test_names(void **state)
{
	size_t known = 0;

	(void)state;
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		const char *name = event_type_name((uint16_t)type);
		if (!name)
			continue;
		known++;
		assert_int_equal(event_type_find(name), type);
		assert_true(type < EVENT_TYPES);
		assert_int_not_equal(event_family((uint16_t)type),
				     EVENT_OF_NONE);
	}
	assert_int_equal(known, 50);
	assert_int_equal(event_family(0), EVENT_OF_NONE);
	assert_int_equal(event_family(EVENT_SEED), EVENT_OF_PROCESS);
	assert_int_equal(event_family(EVENT_STOP), EVENT_OF_FILE);
	assert_int_equal(event_family(EVENT_LOSS), EVENT_OF_AGENT);
	assert_int_equal(event_family(EVENT_DNS), EVENT_OF_NETWORK);
	assert_int_equal(event_family(EVENT_CHROOT), EVENT_OF_PRIVILEGE);
	assert_string_equal(event_type_name(EVENT_EXEC), "exec");
	assert_string_equal(event_type_name(EVENT_CHMOD), "chmod");
	assert_int_equal(event_type_find(""), 0);
	assert_int_equal(event_type_find("Exec"), 0);
	assert_string_equal(event_class_name(EVENT_CRITICAL), "critical");
	assert_string_equal(event_class_name(EVENT_BULK), "bulk");
	assert_string_equal(event_class_name(EVENT_AGENT), "agent");
	assert_null(event_class_name(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_families_of_their_own),
		cmocka_unit_test(test_init_has_no_strings),
		cmocka_unit_test(test_every_cut_is_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unknown_type_and_class),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
