/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/barred.h"
#include "agent/gate/ident.h"
#include "kernel/khien_abi.h"

#define EXT4 0xef53
#define BTRFS 0x9123683e

static struct barred *barred;
static struct khien_bad *list; /* as the kernel sees it */
static int map;

static int
setup(void **state)
{
	(void)state;
	map = memfd_create("bad", MFD_CLOEXEC);
	barred = barred_new();
	if (map < 0 || !barred || ftruncate(map, sizeof(*list) + 65536) < 0)
		return -1;
	list = mmap(NULL, sizeof(*list), PROT_READ, MAP_SHARED, map, 0);
	return list == MAP_FAILED ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	barred_free(barred);
	(void)munmap(list, sizeof(*list));
	return close(map);
}

static struct ident
file(uint64_t inode, int64_t mtime_ns)
{
	return (struct ident){ .device = makedev(8, 3),
			       .inode = inode,
			       .size = 7,
			       .mtime_ns = mtime_ns };
}

static void
add(uint64_t inode, int64_t mtime_ns, uint64_t fs_type)
{
	struct ident ident = file(inode, mtime_ns);

	barred_add(barred, &ident, fs_type);
}

static void
drop(uint64_t inode)
{
	struct ident ident = file(inode, 0);

	barred_drop(barred, &ident);
}

/* Where the kernel looks for it; inode 0: it is not there. */
static struct khien_bad_file
find(uint64_t inode)
{
	for (uint32_t i = 0; i < KHIEN_BAD_WAYS; i++)
		if (list->files[khien_bad_place(inode) + i].inode == inode)
			return list->files[khien_bad_place(inode) + i];
	return (struct khien_bad_file){ 0 };
}

static void
test_what_the_kernel_sees(void **state)
{
	(void)state;
	assert_int_equal(barred_share(barred, map), 0);
	assert_int_equal(list->len, 0);
	assert_int_equal(list->on, 0);
	barred_set(barred, true);
	assert_int_equal(list->on, 1);
	add(12, 5000, EXT4);
	struct khien_bad_file found = find(12);
	assert_int_equal(found.size, 7);
	assert_int_equal(found.mtime_ns, 5000);
	assert_int_equal(found.device, 8 << 20 | 3);
	/* Bad again, as something else: it is the same file. */
	add(12, 6000, EXT4);
	assert_int_equal(list->len, 1);
	assert_int_equal(find(12).mtime_ns, 6000);
	add(13, 1, BTRFS);
	assert_int_equal(find(13).inode, 13);
	assert_int_equal(find(13).device, 0);
	assert_int_equal(list->len, 2);
	drop(13);
	drop(14);
	assert_int_equal(find(13).inode, 0);
	assert_int_equal(list->len, 1);
	drop(12);
	assert_int_equal(list->len, 0);
}

/* What was found before there was a map, or is in it from another gate. */
static void
test_a_map_that_comes_later(void **state)
{
	struct barred_counts counts;

	(void)state;
	barred_set(barred, true);
	add(12, 5000, EXT4);
	assert_int_equal(barred_share(barred, map), 0);
	assert_int_equal(list->on, 1);
	assert_int_equal(find(12).inode, 12);
	barred_free(barred);
	barred = barred_new();
	add(12, 7000, EXT4);
	add(13, 7000, EXT4);
	assert_int_equal(barred_share(barred, map), 0);
	/* Its own configuration counts from now on. */
	assert_int_equal(list->on, 0);
	barred_count(barred, &counts);
	assert_int_equal(counts.files, 2);
	assert_int_equal(find(12).mtime_ns, 7000);
	assert_true(barred_share(barred, -1) < 0);
	add(14, 1, EXT4);
	assert_int_equal(list->len, 3);
}

static void
test_the_oldest_makes_room(void **state)
{
	struct barred_counts counts;
	uint32_t place = khien_bad_place(1);
	uint64_t first = 0, inode = 1, last = 0;

	(void)state;
	assert_int_equal(barred_share(barred, map), 0);
	for (int len = 0; len < KHIEN_BAD_WAYS + 1; inode++) {
		if (khien_bad_place(inode) != place)
			continue;
		first = first ? first : inode;
		last = inode;
		add(inode, 1, EXT4);
		len++;
	}
	barred_count(barred, &counts);
	assert_int_equal(counts.files, KHIEN_BAD_WAYS);
	assert_int_equal(counts.forced, 1);
	assert_int_equal(find(first).inode, 0);
	assert_int_equal(find(last).inode, last);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_the_kernel_sees,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_map_that_comes_later,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_oldest_makes_room,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
