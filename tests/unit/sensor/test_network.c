/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/network.h"

#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/sensor/decode.h"
#include "kernel/khien_abi.h"

#define ASKS "\x12\x34\1\0\0\1\0\0\0\0\0\0\5khien\2vn\0\0\34\0\1"
#define TEXT(text) (text), sizeof(text) - 1

/* A record and its question, as the kernel would write them. */
struct record {
	struct khien_net net;
	uint8_t question[KHIEN_QUESTION_SIZE + 1];
};

static struct record
make(uint16_t type, const char *question, size_t len)
{
	struct record record = { 0 };

	record.net.head.type = type;
	record.net.head.class = KHIEN_BULK;
	record.net.head.flags = KHIEN_BY_SOCKET;
	record.net.head.pid = 100;
	record.net.head.start_ns = 7;
	record.net.head.uid = 1000;
	record.net.head.sequence = 77;
	memcpy(record.net.head.comm, "sixteen bytes it", KHIEN_COMM_SIZE);
	record.net.head.size = (uint32_t)(sizeof(record.net) + len);
	record.net.len[KHIEN_NET_QUESTION] = (uint32_t)len;
	memcpy(record.question, question, len);
	record.net.cookie = 5;
	record.net.sent = 1;
	record.net.received = UINT64_MAX;
	record.net.age_ns = 3;
	memcpy(record.net.local, "\x7f\0\0\1", 4);
	memcpy(record.net.remote, "0123456789abcdef", 16);
	record.net.local_port = 40000;
	record.net.remote_port = 53;
	record.net.family = AF_INET6;
	record.net.protocol = 17;
	record.net.value = KHIEN_BY_PEER;
	return record;
}

static struct decode decode;

static int
run(const struct record *record)
{
	return decode_record((const uint8_t *)record, record->net.head.size,
			     &decode);
}

static void
test_fields(void **state)
{
	static const uint16_t types[] = { EVENT_CONNECT, EVENT_ACCEPT,
					  EVENT_DISCONNECT, EVENT_DATAGRAM };
	const struct event *event = &decode.event;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct record record = make(types[i], TEXT(""));
		assert_int_equal(run(&record), 0);
		assert_int_equal(event->type, types[i]);
		assert_int_equal(event->flags, EVENT_BY_SOCKET);
		assert_int_equal(event->pid, 100);
		assert_int_equal(event->start_ns, 7);
		assert_string_equal(event->comm, "sixteen bytes it");
		assert_memory_equal(event->local, record.net.local, 16);
		assert_memory_equal(event->remote, "0123456789abcdef", 16);
		assert_int_equal(event->local_port, 40000);
		assert_int_equal(event->remote_port, 53);
		assert_int_equal(event->net_family, AF_INET6);
		assert_int_equal(event->protocol, 17);
		assert_int_equal(event->sent, 1);
		assert_true(event->received == UINT64_MAX);
		assert_int_equal(event->age_ns, 3);
		assert_int_equal(event->value, EVENT_BY_PEER);
		assert_null(event->path2);
	}
}

/* A socket that is nobody's, and of a family that is not known. */
static void
test_unknown(void **state)
{
	struct record record = make(EVENT_DISCONNECT, TEXT(""));

	(void)state;
	record.net.head.pid = 0;
	record.net.head.uid = KHIEN_ID_NONE;
	record.net.family = 12345;
	memset(record.net.head.comm, 0, KHIEN_COMM_SIZE);
	assert_int_equal(run(&record), 0);
	assert_int_equal(decode.event.pid, 0);
	assert_int_equal(decode.event.uid, UINT32_MAX);
	assert_int_equal(decode.event.net_family, 12345);
	assert_string_equal(decode.event.comm, "");
}

static void
test_questions(void **state)
{
	static const struct {
		const char *question;
		size_t len;
		const char *name;
		uint64_t type;
		uint32_t flags;
	} cases[] = {
		{ TEXT(ASKS), "khien.vn", 28, 0 },
		{ TEXT("\0\0\0\0\0\0\0\0\0\0\0\0"), "", 0, 0 },
		{ TEXT(""), "", 0, EVENT_MALFORMED },
		{ TEXT("GET / HTTP/1.1\r\n"), "", 0, EVENT_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record record =
			make(EVENT_DNS, cases[i].question, cases[i].len);
		assert_int_equal(run(&record), 0);
		assert_string_equal(decode.event.path2, cases[i].name);
		assert_int_equal(decode.event.value, cases[i].type);
		assert_int_equal(decode.event.flags,
				 EVENT_BY_SOCKET | cases[i].flags);
	}
}

static void
test_wrong_lengths(void **state)
{
	static const struct {
		const char *what;
		uint32_t size; /* beside the record's own */
		uint32_t len;
	} cases[] = {
		{ "no question where one is told", 0, 5 },
		{ "a question that is not told", 5, 0 },
		{ "a shorter one", 5, 6 },
		{ "a longer one", 6, 5 },
		{ "too long", 513, 513 },
		{ "the longest length", 5, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record record = make(EVENT_DNS, TEXT(""));
		record.net.head.size += cases[i].size;
		record.net.len[KHIEN_NET_QUESTION] = cases[i].len;
		if (run(&record) != -EBADMSG)
			fail_msg("%s", cases[i].what);
	}
	struct record record = make(EVENT_CONNECT, TEXT(""));
	for (uint32_t size = 0; size < sizeof(record.net); size++) {
		record.net.head.size = size;
		assert_int_equal(decode_record((const uint8_t *)&record, size,
					       &decode),
				 -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_wrong_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
