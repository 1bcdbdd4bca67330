/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/decode.h"

#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "kernel/khien_abi.h"

/* A record and its texts, as the kernel would write them. */
struct record {
	union {
		struct khien_head head;
		struct khien_fork fork;
		struct khien_exit exit;
		struct khien_exec exec;
		struct khien_file file;
		uint8_t bytes[KHIEN_RECORD_SIZE];
	};
	size_t size;
};

static struct record record;
static struct decode decode;

static void
begin(uint16_t type, uint16_t class, size_t size)
{
	memset(&record, 0, sizeof(record));
	record.head.type = type;
	record.head.class = class;
	record.head.cpu = 3;
	record.head.sequence = 77;
	record.head.pid = 100;
	record.head.boot_ns = 5;
	memcpy(record.head.comm, "sixteen bytes it", KHIEN_COMM_SIZE);
	record.size = size;
	record.head.size = (uint32_t)size;
}

static void
put(uint32_t *len, const char *text, size_t size)
{
	memcpy(record.bytes + record.size, text, size);
	record.size += size;
	record.head.size = (uint32_t)record.size;
	*len = (uint32_t)size;
}

#define PUT(index, text) put(&record.exec.len[index], text, sizeof(text))
#define PUT_FILE(index, text) put(&record.file.len[index], text, sizeof(text))

static int
run(void)
{
	return decode_record(record.bytes, record.size, &decode);
}

static void
make_exec(void)
{
	begin(KHIEN_EXEC, KHIEN_CRITICAL, sizeof(struct khien_exec));
	record.exec.file.device = 8u << 20 | 300;
	record.exec.args_size = 5;
	PUT(KHIEN_EXEC_PATH, "sh\0bin\0");
	PUT(KHIEN_EXEC_CWD, "tmp\0");
	PUT(KHIEN_EXEC_ROOT, "");
	PUT(KHIEN_EXEC_INVOKED, "./sh");
	PUT(KHIEN_EXEC_TTY, "pts0");
	PUT(KHIEN_EXEC_ARGS, "sh\0a");
}

static void
test_exec(void **state)
{
	const struct event *event = &decode.event;

	(void)state;
	make_exec();
	assert_int_equal(run(), 0);
	assert_int_equal(event->type, EVENT_EXEC);
	assert_int_equal(event->cpu, 3);
	assert_int_equal(event->sequence, 77);
	assert_string_equal(event->comm, "sixteen bytes it");
	assert_string_equal(event->path, "/bin/sh");
	assert_string_equal(event->path2, "/tmp/sh");
	assert_string_equal(event->cwd, "/tmp");
	assert_string_equal(event->tty, "pts0");
	assert_null(event->script);
	assert_int_equal(event->args_len, 5);
	assert_memory_equal(event->args, "sh\0a", 5);
	assert_true(event->device == makedev(8, 300));
}

static void
test_script(void **state)
{
	(void)state;
	make_exec();
	record.head.flags = KHIEN_SCRIPT | KHIEN_PATH_CUT;
	assert_int_equal(run(), 0);
	assert_string_equal(decode.event.script, "/tmp/sh");
	assert_int_equal(decode.event.flags, EVENT_PATH_CUT);
}

/* An absolute name starts from the root that the process has. */
static void
test_root(void **state)
{
	(void)state;
	begin(KHIEN_EXEC, KHIEN_CRITICAL, sizeof(struct khien_exec));
	PUT(KHIEN_EXEC_PATH, "sh\0jail\0");
	PUT(KHIEN_EXEC_CWD, "jail\0");
	PUT(KHIEN_EXEC_ROOT, "jail\0");
	PUT(KHIEN_EXEC_INVOKED, "/sh");
	assert_int_equal(run(), 0);
	assert_string_equal(decode.event.path2, "/jail/sh");
}

static void
test_fork_and_exit(void **state)
{
	(void)state;
	begin(KHIEN_FORK, KHIEN_CRITICAL, sizeof(struct khien_fork));
	record.fork.actor.ns_pid = 9;
	record.fork.actor.loginuid = KHIEN_ID_NONE;
	assert_int_equal(run(), 0);
	assert_int_equal(decode.event.ns_pid, 9);
	assert_int_equal(decode.event.loginuid, UINT32_MAX);
	begin(KHIEN_EXIT, KHIEN_CRITICAL, sizeof(struct khien_exit));
	record.exit.code = 3;
	record.exit.signal = 15;
	assert_int_equal(run(), 0);
	assert_int_equal(decode.event.exit_code, 3);
	assert_int_equal(decode.event.exit_signal, 15);
}

static void
test_file(void **state)
{
	(void)state;
	begin(KHIEN_RENAME, KHIEN_BULK, sizeof(struct khien_file));
	record.head.flags = KHIEN_PATH_BY_CALLER;
	PUT_FILE(KHIEN_FILE_PATH, "a");
	PUT_FILE(KHIEN_FILE_BASE, "home\0");
	PUT_FILE(KHIEN_FILE_PATH2, "/tmp/b");
	PUT_FILE(KHIEN_FILE_BASE2, "");
	assert_int_equal(run(), 0);
	assert_string_equal(decode.event.path, "/home/a");
	assert_string_equal(decode.event.path2, "/tmp/b");
	assert_int_equal(decode.event.flags, EVENT_PATH_BY_CALLER);
	begin(KHIEN_CREATE, KHIEN_BULK, sizeof(struct khien_file));
	record.head.flags = KHIEN_WALKED;
	PUT_FILE(KHIEN_FILE_PATH, "b\0a\0");
	assert_int_equal(run(), 0);
	assert_string_equal(decode.event.path, "/a/b");
	assert_int_equal(decode.event.flags, 0);
	/* As a hook has left them. */
	begin(KHIEN_RENAME, KHIEN_BULK, sizeof(struct khien_file));
	record.head.flags = KHIEN_WALKED | KHIEN_WALKED2;
	PUT_FILE(KHIEN_FILE_PATH, "b\0a\0");
	PUT_FILE(KHIEN_FILE_PATH2, "c\0a\0");
	assert_int_equal(run(), 0);
	assert_string_equal(decode.event.path, "/a/b");
	assert_string_equal(decode.event.path2, "/a/c");
	assert_int_equal(decode.event.flags, 0);
	begin(KHIEN_SYMLINK, KHIEN_BULK, sizeof(struct khien_file));
	record.head.flags = KHIEN_WALKED;
	PUT_FILE(KHIEN_FILE_PATH, "b\0a\0");
	PUT_FILE(KHIEN_FILE_PATH2, "there");
	assert_int_equal(run(), 0);
	assert_string_equal(decode.event.path2, "there");
}

/* What callers pass, and the walk that it starts from. */
static void
test_paths(void **state)
{
	static const struct {
		const char *path;
		size_t path_len;
		const char *base;
		size_t base_len;
		const char *told;
	} cases[] = {
		{ "../x", 5, "b\0a\0", 5, "/a/b/../x" },
		{ "./x/", 5, "a\0", 3, "/a/x" },
		/* AT_EMPTY_PATH: the descriptor's own; also with NULL. */
		{ "", 1, "f\0a\0", 5, "/a/f" },
		{ "", 0, "f\0a\0", 5, "/a/f" },
		/* The caller's root is not everybody's. */
		{ "/x", 3, "jail\0", 6, "/jail/x" },
		{ "/x", 3, "", 1, "/x" },
		{ "\n\xff", 3, "\xfe\0", 3, "/\xfe/\n\xff" },
		/* No base was found: as it was passed. */
		{ "x", 2, "", 0, "x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(KHIEN_CHMOD, KHIEN_BULK, sizeof(struct khien_file));
		put(&record.file.len[KHIEN_FILE_PATH], cases[i].path,
		    cases[i].path_len);
		put(&record.file.len[KHIEN_FILE_BASE], cases[i].base,
		    cases[i].base_len);
		assert_int_equal(run(), 0);
		assert_string_equal(decode.event.path, cases[i].told);
		assert_int_equal(decode.event.flags, 0);
	}
}

/* A symbolic link's text is told as it is. */
static void
test_text(void **state)
{
	(void)state;
	begin(KHIEN_SYMLINK, KHIEN_BULK, sizeof(struct khien_file));
	PUT_FILE(KHIEN_FILE_PATH, "/l");
	PUT_FILE(KHIEN_FILE_BASE, "");
	PUT_FILE(KHIEN_FILE_PATH2, "./x/../y");
	assert_int_equal(run(), 0);
	assert_string_equal(decode.event.path2, "./x/../y");
}

/* Every prefix, and every record with a byte more, is refused. */
static void
test_sizes(void **state)
{
	(void)state;
	make_exec();
	size_t whole = record.size;
	for (size_t size = 0; size < whole; size++) {
		record.head.size = (uint32_t)size;
		assert_int_equal(decode_record(record.bytes, size, &decode),
				 -EBADMSG);
	}
	record.head.size = (uint32_t)whole + 1;
	assert_int_equal(decode_record(record.bytes, whole + 1, &decode),
			 -EBADMSG);
	assert_int_equal(decode_record(record.bytes, whole, &decode), -EBADMSG);
}

static void
test_malformed(void **state)
{
	static const uint16_t types[] = { 0, 5, 12, 22, 32, 40, 65535 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		make_exec();
		record.head.type = types[i];
		assert_int_equal(run(), -EBADMSG);
	}
	make_exec();
	record.head.class = 3;
	assert_int_equal(run(), -EBADMSG);
	make_exec();
	record.exec.len[KHIEN_EXEC_CWD] = UINT32_MAX;
	assert_int_equal(run(), -EBADMSG);
	/* A string with a NUL inside, and one without. */
	make_exec();
	record.bytes[sizeof(struct khien_exec) + 14] = 0;
	record.exec.len[KHIEN_EXEC_INVOKED]--;
	assert_int_equal(run(), -EBADMSG);
}

/* The longest of everything fits, and is not cut. */
static void
test_longest(void **state)
{
	static char text[KHIEN_PATH_SIZE];
	static char args[KHIEN_ARGS_SIZE];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	begin(KHIEN_EXEC, KHIEN_CRITICAL, sizeof(struct khien_exec));
	put(&record.exec.len[KHIEN_EXEC_PATH], text, sizeof(text));
	PUT(KHIEN_EXEC_CWD, "tmp\0");
	put(&record.exec.len[KHIEN_EXEC_INVOKED], text, sizeof(text));
	put(&record.exec.len[KHIEN_EXEC_ARGS], args, sizeof(args));
	assert_int_equal(run(), 0);
	assert_int_equal(strlen(decode.event.path2), 4 + 1 + 4095);
	assert_int_equal(decode.event.args_len, KHIEN_ARGS_SIZE);
	/* Its walk has no root. */
	assert_int_equal(decode.event.flags, EVENT_PATH_CUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_fork_and_exit),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
