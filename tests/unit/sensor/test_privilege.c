/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/privilege.h"

#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "agent/sensor/decode.h"
#include "kernel/khien_abi.h"

/* A record and its texts, as the kernel would write them. */
static struct {
	struct khien_privilege rec;
	uint8_t texts[KHIEN_RECORD_SIZE - sizeof(struct khien_privilege)];
} record;
static size_t size;
static struct decode decode;

static void
begin(uint16_t type)
{
	memset(&record, 0, sizeof(record));
	size = sizeof(record.rec);
	record.rec.head.type = type;
	record.rec.head.class = KHIEN_CRITICAL;
	record.rec.head.sequence = 77;
	record.rec.head.pid = 100;
	record.rec.head.uid = 0;
	record.rec.actor.egid = 4;
	record.rec.actor.caps = 0x1ffffffffff;
	record.rec.count = 1;
}

static void
put(size_t text, const char *bytes, size_t len)
{
	memcpy((uint8_t *)&record + size, bytes, len);
	record.rec.len[text] = (uint32_t)len;
	size += len;
}

static int
run(void)
{
	record.rec.head.size = (uint32_t)size;
	return decode_record((const uint8_t *)&record, size, &decode);
}

static void
test_every_type_is_decoded(void **state)
{
	const struct event *event = &decode.event;

	(void)state;
	for (uint16_t type = KHIEN_CREDENTIALS; type <= KHIEN_MAP_DENIED;
	     type++) {
		begin(type);
		record.rec.old_uid = 1000;
		record.rec.old_euid = 1001;
		record.rec.old_gid = 1002;
		record.rec.old_egid = 1003;
		record.rec.old_caps = 8;
		record.rec.value =
			type == KHIEN_GUARD ? KHIEN_GUARD_LINK : UINT64_MAX - 1;
		record.rec.value2 = 0x7f0000001000;
		record.rec.target_pid = 200;
		record.rec.target_start_ns = 5;
		record.rec.file.device = 8u << 20 | 1;
		record.rec.file.inode = 9;
		put(KHIEN_PRIVILEGE_PATH, "b\0a\0", 5);
		put(KHIEN_PRIVILEGE_NAME, "name", 5);
		assert_int_equal(run(), 0);
		assert_int_equal(event->type, type);
		assert_int_equal(event_family(event->type), EVENT_OF_PRIVILEGE);
		assert_int_equal(event->class, EVENT_CRITICAL);
		assert_int_equal(event->pid, 100);
		assert_int_equal(event->egid, 4);
		assert_true(event->caps == 0x1ffffffffff);
		assert_int_equal(event->old_uid, 1000);
		assert_int_equal(event->old_euid, 1001);
		assert_int_equal(event->old_gid, 1002);
		assert_int_equal(event->old_egid, 1003);
		assert_true(event->old_caps == 8);
		assert_true(event->value == record.rec.value);
		assert_true(event->value2 == 0x7f0000001000);
		assert_int_equal(event->target_pid, 200);
		assert_true(event->target_start_ns == 5);
		assert_true(event->device == makedev(8, 1));
		assert_int_equal(event->inode, 9);
		assert_string_equal(event->path, "/a/b");
		/* What was tried, in a word. */
		assert_string_equal(event->name,
				    type == KHIEN_GUARD ? "link" : "name");
		assert_int_equal(event->count, 1);
	}
}

static void
test_texts_and_flags(void **state)
{
	(void)state;
	begin(KHIEN_ESCALATE);
	record.rec.head.flags = KHIEN_NO_CALL | KHIEN_COMPAT | KHIEN_WALKED;
	assert_int_equal(run(), 0);
	assert_int_equal(decode.event.flags, EVENT_NO_CALL | EVENT_COMPAT);
	assert_string_equal(decode.event.path, "");
	assert_string_equal(decode.event.name, "");
	assert_int_equal(decode.event.target_pid, 0);
	begin(KHIEN_PTRACE);
	record.rec.count = 4;
	record.rec.head.flags = KHIEN_AGGREGATE;
	assert_int_equal(run(), 0);
	assert_int_equal(decode.event.count, 4);
	assert_int_equal(decode.event.flags, EVENT_AGGREGATE);
}

/* Nothing is read past a record, and what is wrong is no event. */
static void
test_malformed(void **state)
{
	static const struct {
		uint32_t path, name; /* lengths, for texts of 3 and 4 bytes */
		const char *bytes;
		size_t len;
	} cases[] = {
		{ 3, 5, "a\0\0nam", 7 }, { 8, 0, "a\0\0nam", 7 },
		{ 0, 8, "a\0\0nam", 7 }, { UINT32_MAX, 1, "a\0\0nam", 7 },
		{ 3, 3, "a\0\0nam", 7 }, /* a byte is left */
		{ 0, 4, "abcd", 4 },	 /* no end */
		{ 0, 4, "a\0b", 4 },	 /* two ends */
		{ 3, 0, "abc", 3 },	 /* a walk without an end */
		{ 0, 0, "a", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(KHIEN_CHROOT);
		put(KHIEN_PRIVILEGE_PATH, cases[i].bytes, cases[i].len);
		record.rec.len[KHIEN_PRIVILEGE_PATH] = cases[i].path;
		record.rec.len[KHIEN_PRIVILEGE_NAME] = cases[i].name;
		assert_int_equal(run(), -EBADMSG);
	}
	begin(KHIEN_CHROOT);
	for (size_t i = 0; i < sizeof(record.rec); i++) {
		size = i;
		assert_int_equal(run(), -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_is_decoded),
		cmocka_unit_test(test_texts_and_flags),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
