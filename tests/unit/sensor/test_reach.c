/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two maps played by memory, and the kernel by what reads and fills it. */
#include "agent/sensor/reach.h"

#include <linux/bpf.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/conf.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/sensor/held.h"
#include "agent/sensor/probe.h"
#include "kernel/khien_abi.h"

static struct conf conf;
static struct reach reach;
static struct khien_reach *area;
static uint8_t *ring; /* consumer's page, producer's page, records */
static struct msg_cover covers[2 * KHIEN_COVERS];

static void *
map(int fd, size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static int
setup(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t ring_size = 2 * page + 2 * PROBE_STOPS_SIZE;
	CLEANUP_FD int one = memfd_create("reach", MFD_CLOEXEC);
	CLEANUP_FD int two = memfd_create("stops", MFD_CLOEXEC);

	(void)state;
	if (ftruncate(one, 1 << 20) < 0 || ftruncate(two, (off_t)ring_size) < 0)
		return -1;
	area = map(one, 1 << 20);
	ring = map(two, ring_size);
	conf_init(&conf);
	strcpy(conf.mode, "enforce");
	return reach_open(&reach, one, two);
}

static int
teardown(void **state)
{
	(void)state;
	(void)munmap(area, 1 << 20);
	(void)munmap(ring,
		     2 * (size_t)sysconf(_SC_PAGESIZE) + 2 * PROBE_STOPS_SIZE);
	reach_close(&reach);
	return 0;
}

/* As reach.bpf.c does. */
static uint32_t
look(uint32_t device)
{
	uint32_t half = area->version & 1;
	uint32_t place = khien_cover_place(device);

	for (uint32_t i = 0; i < KHIEN_COVER_PROBES; i++) {
		uint32_t at = (place + i) & (KHIEN_COVERS - 1);
		uint64_t entry = area->covers[half * KHIEN_COVERS + at];
		if (!entry)
			return 0;
		if (entry >> 32 == device)
			return (uint32_t)entry;
	}
	return 0;
}

static void
put_one(uint64_t device, uint16_t kind)
{
	struct msg_cover cover = { .device = device, .kind = kind };

	reach_put(&reach, &cover, 1, true);
}

/* stat(2) and the kernel lay the number out in two ways. */
static void
devices_are_the_kernels(void **state)
{
	(void)state;
	put_one(makedev(0x123, 0x45678), MSG_COVER_GATED);
	assert_int_equal(look(0x123u << 20 | 0x45678), KHIEN_COVER_GATED);
	assert_true(reach_is_listed(&reach, makedev(0x123, 0x45678)));
	assert_false(reach_is_listed(&reach, makedev(0x123, 0x45679)));
	put_one(makedev(0, 42), MSG_COVER_FOREIGN);
	assert_int_equal(look(42), KHIEN_COVER_FOREIGN);
	put_one(makedev(0, 43), MSG_COVER_PASSED);
	assert_int_equal(look(43), KHIEN_COVER_PASSED);
	assert_int_equal(look(0x123u << 20 | 0x45678), 0);
	assert_false(reach_is_listed(&reach, makedev(0, 42)));
	assert_true(reach_is_listed(&reach, makedev(0, 43)));
}

static void
a_list_counts_when_it_is_whole(void **state)
{
	struct msg_cover cover = { .device = makedev(0, 1),
				   .kind = MSG_COVER_GATED };

	(void)state;
	put_one(makedev(8, 1), MSG_COVER_GATED);
	reach_put(&reach, &cover, 1, false);
	assert_int_equal(look(1), 0);
	assert_int_equal(look(8u << 20 | 1), KHIEN_COVER_GATED);
	cover.device = makedev(0, 2);
	reach_put(&reach, &cover, 1, true);
	assert_int_equal(look(1), KHIEN_COVER_GATED);
	assert_int_equal(look(2), KHIEN_COVER_GATED);
	assert_int_equal(look(8u << 20 | 1), 0);
}

/* Nobody is killed for a file system that found no place. */
static void
too_long_a_list_is_said(void **state)
{
	uint32_t found = 0;

	(void)state;
	for (uint32_t i = 0; i < 2 * KHIEN_COVERS; i++)
		covers[i] = (struct msg_cover){ .device = makedev(0, i + 1),
						.kind = MSG_COVER_GATED };
	reach_put(&reach, covers, KHIEN_COVERS / 2, true);
	for (uint32_t i = 0; i < KHIEN_COVERS / 2; i++)
		assert_int_equal(look(i + 1), KHIEN_COVER_GATED);
	assert_int_equal(area->flags & KHIEN_REACH_PARTIAL, 0);
	reach_put(&reach, covers, 2 * KHIEN_COVERS, true);
	for (uint32_t i = 0; i < 2 * KHIEN_COVERS; i++)
		found += look(i + 1) != 0;
	assert_in_range(found, KHIEN_COVERS / 2, KHIEN_COVERS);
	assert_int_equal(area->flags & KHIEN_REACH_PARTIAL,
			 KHIEN_REACH_PARTIAL);
	put_one(makedev(8, 1), MSG_COVER_GATED);
	assert_int_equal(area->flags & KHIEN_REACH_PARTIAL, 0);
	reach_doubt(&reach);
	assert_int_equal(area->flags & KHIEN_REACH_PARTIAL,
			 KHIEN_REACH_PARTIAL);
}

static void
armed_by_policy_and_list(void **state)
{
	static const struct {
		const char *mode, *policy;
		uint32_t armed;
	} cases[] = {
		{ "off", "kill", KHIEN_REACH_OFF },
		{ "observe", "kill", KHIEN_REACH_OFF },
		{ "enforce", "kill", KHIEN_REACH_KILL },
		{ "enforce", "hold", KHIEN_REACH_HOLD },
		{ "enforce", "allow", KHIEN_REACH_OFF },
	};

	(void)state;
	reach_set(&reach, &conf, 0, 77);
	assert_int_equal(area->mode, KHIEN_REACH_OFF);
	put_one(makedev(8, 1), MSG_COVER_GATED);
	assert_int_equal(area->mode, KHIEN_REACH_KILL);
	assert_int_equal(area->khiend, 77);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(conf.mode, cases[i].mode);
		strcpy(conf.on_unreached, cases[i].policy);
		reach_set(&reach, &conf, 0, 77);
		assert_int_equal(area->mode, cases[i].armed);
		assert_int_equal(reach_is_armed(&reach), cases[i].armed != 0);
		put_one(makedev(8, 1), MSG_COVER_GATED);
		assert_int_equal(area->mode, cases[i].armed);
	}
	strcpy(conf.on_unreached, "kill");
	reach_set(&reach, &conf, 0, 77);
	reach_disarm(&reach);
	put_one(makedev(8, 1), MSG_COVER_GATED);
	assert_int_equal(area->mode, KHIEN_REACH_OFF);
}

/* A scope that is no cgroup is not the same as none. */
static void
scope_fails_closed(void **state)
{
	(void)state;
	put_one(makedev(8, 1), MSG_COVER_GATED);
	reach_set(&reach, &conf, 0, 77);
	assert_int_equal(area->flags & KHIEN_REACH_SCOPED, 0);
	strcpy(conf.scope_cgroup, "/proc");
	assert_int_equal(reach_find_scope(conf.scope_cgroup), 0);
	assert_int_equal(reach_find_scope("/is/not/there"), 0);
	reach_set(&reach, &conf, 0, 77);
	assert_int_equal(area->flags & KHIEN_REACH_SCOPED, KHIEN_REACH_SCOPED);
	assert_int_equal(area->scope, 0);
	assert_non_null(strstr(reach_state(&reach), "scope_cgroup"));
	strcpy(conf.on_deadline, "deny");
	reach_set(&reach, &conf, 5, 77);
	assert_int_equal(area->scope, 5);
	assert_int_equal(area->flags & KHIEN_REACH_DENY, KHIEN_REACH_DENY);
	assert_string_equal(reach_state(&reach), "kill");
}

/* The kernel knows a gate by the list of what it watches. */
static void
a_gate_counts_from_its_list_on(void **state)
{
	(void)state;
	assert_int_equal(area->gate, 0);
	reach_set_gate(&reach, 5);
	assert_int_equal(area->gate, 0);
	put_one(makedev(8, 1), MSG_COVER_GATED);
	assert_int_equal(area->gate, 5);
	/* The next one has not marked anything yet. */
	reach_set_gate(&reach, 0);
	assert_int_equal(area->gate, 0);
	reach_set_gate(&reach, 6);
	assert_int_equal(area->gate, 0);
	put_one(makedev(8, 1), MSG_COVER_GATED);
	assert_int_equal(area->gate, 6);
}

/* A kernel that takes no programs: all works, and nothing comes of it. */
static void
without_a_kernel(void **state)
{
	static struct held held;
	struct msg_held told;
	uint64_t counts[REACH_COUNTS];
	struct reach none;

	(void)state;
	assert_int_equal(reach_open(&none, -1, -1), 0);
	assert_false(reach_is_wanted(&none));
	reach_beat(&none, 1);
	reach_set(&none, &conf, 0, 77);
	assert_true(reach_is_wanted(&none));
	reach_put(&none, covers, 0, true);
	assert_true(reach_is_armed(&none));
	assert_false(held_next(&held, &none, &told));
	reach_count(&none, counts);
	for (size_t i = 0; i < REACH_COUNTS - 1; i++)
		assert_int_equal(counts[i], 0);
	assert_int_equal(counts[REACH_COUNTS - 1], 1);
	reach_disarm(&none);
	reach_close(&none);
}

/* As the kernel puts it, at the next place. */
static void
stop(uint32_t pid)
{
	struct khien_stop one = { .boot_ns = 1, .device = 42, .pid = pid };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t *producer = (uint64_t *)(void *)(ring + page);
	uint8_t *here = ring + 2 * page + (*producer & (PROBE_STOPS_SIZE - 1));
	uint32_t len = sizeof(one);

	memcpy(here, &len, sizeof(len));
	memcpy(here + BPF_RINGBUF_HDR_SZ, &one, sizeof(one));
	*producer += BPF_RINGBUF_HDR_SZ + sizeof(one);
}

static void
the_held_are_told_once(void **state)
{
	static struct held held;
	struct msg_held told;

	(void)state;
	memset(&held, 0, sizeof(held));
	assert_false(held_next(&held, &reach, &told));
	stop(1);
	stop(2);
	for (uint32_t pid = 1; pid <= 2; pid++) {
		/* Until it was told it stays. */
		for (int i = 0; i < 2; i++) {
			assert_true(held_next(&held, &reach, &told));
			assert_int_equal(told.pid, pid);
			assert_int_equal(told.device, makedev(0, 42));
		}
		held_told(&held, &reach);
	}
	assert_false(held_next(&held, &reach, &told));
}

static void
note(struct held *held, uint32_t pid, uint64_t device, uint32_t flags)
{
	struct event event;

	event_init(&event, EVENT_SEED, EVENT_CRITICAL);
	event.pid = pid;
	event.device = device;
	event.inode = 3;
	event.flags = flags;
	held_note(held, &event);
}

/* Who was stopped before us, where the gate looks, stopped by himself. */
static void
the_left_behind_are_told_too(void **state)
{
	static struct held held;
	struct msg_held told;

	(void)state;
	memset(&held, 0, sizeof(held));
	note(&held, 1, makedev(8, 1), EVENT_STOPPED);
	note(&held, 2, makedev(0, 42), EVENT_STOPPED | EVENT_SERVED);
	note(&held, 3, makedev(0, 42), 0);
	note(&held, 4, makedev(8, 1), EVENT_STOPPED);
	stop(5);
	reach_set(&reach, &conf, 0, 77);
	/* Those of the kernel need no list. */
	assert_true(held_next(&held, &reach, &told));
	assert_int_equal(told.pid, 5);
	held_told(&held, &reach);
	assert_false(held_next(&held, &reach, &told));
	put_one(makedev(8, 1), MSG_COVER_GATED);
	assert_true(held_next(&held, &reach, &told));
	assert_int_equal(told.pid, 2);
	assert_int_equal(told.flags, MSG_HELD_SERVED);
	held_told(&held, &reach);
	assert_false(held_next(&held, &reach, &told));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(devices_are_the_kernels),
		TEST(a_list_counts_when_it_is_whole),
		TEST(too_long_a_list_is_said),
		TEST(armed_by_policy_and_list),
		TEST(scope_fails_closed),
		TEST(a_gate_counts_from_its_list_on),
		TEST(without_a_kernel),
		TEST(the_held_are_told_once),
		TEST(the_left_behind_are_told_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
