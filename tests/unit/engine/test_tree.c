/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/identity.h"
#include "agent/engine/image.h"
#include "agent/engine/tree.h"
#include "agent/lib/event.h"

#define SECOND UINT64_C(1000000000)

static struct identity identity;
static struct tree tree;

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(identity.boot_id, "22488b23-4ef9-48d2-8222-1091602e63b5");
	identity_set_host(&identity, "5dc0b936-ff6f-44ed-82b5-3c6f51730bc0");
	return tree_init(&tree, &identity);
}

static int
teardown(void **state)
{
	(void)state;
	tree_done(&tree);
	assert_int_equal(image_total(), 0);
	return 0;
}

static struct tree_process *
apply(uint16_t type, uint32_t pid, uint64_t start, uint32_t ppid,
      uint64_t parent_start, uint64_t at, const char *path)
{
	struct event event;
	bool news;

	event_init(&event, type, EVENT_CRITICAL);
	event.pid = pid;
	event.start_ns = start;
	event.ppid = ppid;
	event.parent_start_ns = parent_start;
	event.boot_ns = at;
	event.path = path;
	event.comm = "c";
	event.cwd = "/";
	event.args = (const uint8_t *)"a\0b\0";
	event.args_len = 4;
	return tree_apply(&tree, &event, 0, &news);
}

static const char *
runs(const struct tree_process *process, uint64_t at)
{
	const struct image *image = image_at(process->image, at);

	return image ? image->executable : "";
}

static void
test_fork_exec_exit(void **state)
{
	(void)state;
	struct tree_process *init = apply(EVENT_SEED, 1, 5, 0, 0, 100, "/init");
	struct tree_process *sh = apply(EVENT_FORK, 20, 200, 1, 5, 200, "");
	assert_string_equal(runs(sh, 200), "/init");
	assert_ptr_equal(tree_parent(&tree, sh), init);
	assert_null(tree_parent(&tree, init));
	assert_ptr_equal(apply(EVENT_EXEC, 20, 200, 1, 5, 300, "/bin/sh"), sh);
	assert_string_equal(runs(sh, 300), "/bin/sh");
	assert_string_equal(runs(sh, 299), "/init");
	assert_string_equal(runs(init, 900), "/init");
	/* Its child begins with its image, and keeps it. */
	struct tree_process *child =
		apply(EVENT_FORK, 21, 400, 20, 200, 400, "");
	apply(EVENT_EXEC, 20, 200, 1, 5, 500, "/bin/cat");
	assert_string_equal(runs(child, 600), "/bin/sh");
	assert_string_equal(runs(sh, 600), "/bin/cat");
	apply(EVENT_EXIT, 20, 200, 1, 5, 700, "");
	assert_int_equal(sh->exit_ns, 700);
	assert_ptr_equal(tree_find(&tree, 20, 200), sh);
	assert_null(tree_find(&tree, 20, 0));
	assert_ptr_equal(tree_parent(&tree, child), sh);
}

static void
test_old_images_are_few(void **state)
{
	char path[16];

	(void)state;
	struct tree_process *process = apply(EVENT_SEED, 7, 1, 0, 0, 0, "/0");
	for (int i = 1; i < 50; i++) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		apply(EVENT_EXEC, 7, 1, 0, 0, (uint64_t)i * 10, path);
	}
	assert_string_equal(runs(process, 1000), "/49");
	assert_string_equal(runs(process, 480), "/48");
	assert_string_equal(runs(process, 475), "/47");
	assert_string_equal(runs(process, 1), "/47");
}

static void
test_a_seed_tells_nothing_new_twice(void **state)
{
	struct event event;
	bool news;

	(void)state;
	event_init(&event, EVENT_SEED, EVENT_CRITICAL);
	event.pid = 3;
	event.start_ns = 4;
	event.comm = event.path = event.cwd = "x";
	event.args = (const uint8_t *)"";
	assert_non_null(tree_apply(&tree, &event, 0, &news));
	assert_true(news);
	assert_non_null(tree_apply(&tree, &event, 0, &news));
	assert_false(news);
	assert_int_equal(tree.len, 1);
}

static void
test_a_seed_tells_of_a_missed_exec(void **state)
{
	(void)state;
	struct tree_process *process = apply(EVENT_SEED, 3, 4, 0, 0, 10, "/a");
	apply(EVENT_EXEC, 3, 4, 0, 0, 30, "/b");
	/* Sent again: older than what is known. */
	apply(EVENT_SEED, 3, 4, 0, 0, 10, "/a");
	assert_string_equal(runs(process, 100), "/b");
	apply(EVENT_SEED, 3, 4, 0, 0, 50, "/c");
	assert_string_equal(runs(process, 100), "/c");
}

static void
test_a_pid_has_one_living_holder(void **state)
{
	(void)state;
	struct tree_process *old = apply(EVENT_FORK, 9, 100, 1, 1, 100, "");
	struct tree_process *new = apply(EVENT_FORK, 9, 500, 1, 1, 500, "");
	assert_int_equal(old->exit_ns, 500);
	assert_ptr_equal(tree_find(&tree, 9, 0), new);
	assert_ptr_equal(tree_find(&tree, 9, 100), old);
}

/* Holders of pid 9: one from 10 s to 20 s, one from 22 s on. */
static const struct {
	uint64_t at_s;
	uint64_t start_s; /* of who is found; 0: nobody */
} places[] = {
	{ 5, 0 },   { 10, 10 }, { 15, 10 },
	{ 20, 10 }, { 21, 10 }, { 22, 0 }, /* could still be the first */
	{ 24, 0 },  { 26, 22 }, { 1000, 22 },
};

static void
test_who_had_the_pid(void **state)
{
	(void)state;
	apply(EVENT_FORK, 9, 10 * SECOND, 1, 1, 10 * SECOND, "");
	apply(EVENT_EXIT, 9, 10 * SECOND, 1, 1, 20 * SECOND, "");
	apply(EVENT_FORK, 9, 22 * SECOND, 1, 1, 22 * SECOND, "");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct tree_process *found =
			tree_find_at(&tree, 9, places[i].at_s * SECOND);
		uint64_t start = found ? found->start_ns / SECOND : 0;
		if (start != places[i].start_s)
			fail_msg("at %llu s",
				 (unsigned long long)places[i].at_s);
	}
	assert_null(tree_find_at(&tree, 10, 15 * SECOND));
}

static void
test_only_the_ended_are_forgotten(void **state)
{
	(void)state;
	tree.ended_max = 10;
	for (uint32_t pid = 1; pid <= 100; pid++)
		apply(EVENT_FORK, pid, pid, 0, 0, pid, "");
	for (uint32_t pid = 1; pid <= 100; pid += 2)
		apply(EVENT_EXIT, pid, pid, 0, 0, 1000 + pid, "");
	tree_changes_done(&tree);
	apply(EVENT_EXIT, 2, 2, 0, 0, 2000, "");
	tree_changes_done(&tree);
	apply(EVENT_EXIT, 4, 4, 0, 0, 2001, "");
	assert_int_equal(tree.ended, 10);
	assert_null(tree_find(&tree, 1, 1));
	assert_non_null(tree_find(&tree, 4, 4));
	for (uint32_t pid = 6; pid <= 100; pid += 2)
		assert_non_null(tree_find(&tree, pid, pid));
}

static void
test_what_the_store_lacks_waits_but_not_for_ever(void **state)
{
	(void)state;
	tree.ended_max = 10;
	for (uint32_t pid = 1; pid <= 15; pid++) {
		apply(EVENT_FORK, pid, pid, 0, 0, pid, "");
		apply(EVENT_EXIT, pid, pid, 0, 0, pid, "");
	}
	assert_int_equal(tree.ended, 15);
	for (uint32_t pid = 16; pid <= 100; pid++) {
		apply(EVENT_FORK, pid, pid, 0, 0, pid, "");
		apply(EVENT_EXIT, pid, pid, 0, 0, pid, "");
	}
	assert_int_equal(tree.ended, 20);
	size_t changed = 0;
	for (struct tree_process *process = tree.changed; process;
	     process = process->next_changed)
		changed++;
	assert_int_equal(changed, 20);
}

static void
test_a_table_full_of_living_refuses(void **state)
{
	(void)state;
	tree.len_max = 3;
	for (uint32_t pid = 1; pid <= 3; pid++)
		assert_non_null(apply(EVENT_FORK, pid, pid, 0, 0, pid, ""));
	assert_null(apply(EVENT_FORK, 4, 4, 0, 0, 4, ""));
	assert_int_equal(tree.refused, 1);
	apply(EVENT_EXIT, 2, 2, 0, 0, 5, "");
	tree_changes_done(&tree);
	assert_non_null(apply(EVENT_FORK, 5, 5, 0, 0, 5, ""));
}

static void
test_unknown_ones_do_no_harm(void **state)
{
	(void)state;
	assert_null(apply(EVENT_EXIT, 77, 0, 0, 0, 5, ""));
	struct tree_process *late = apply(EVENT_EXIT, 78, 7, 1, 2, 9, "");
	assert_int_equal(late->exit_ns, 9);
	/* One that claims to be its own parent, or a circle of two. */
	struct tree_process *own = apply(EVENT_FORK, 5, 6, 5, 6, 9, "");
	assert_ptr_equal(tree_parent(&tree, own), own);
}

static void
test_identity(void **state)
{
	char a[IDENTITY_ENTITY_SIZE], b[IDENTITY_ENTITY_SIZE];
	struct identity other = identity;

	(void)state;
	identity_entity(&identity, 1, 2, a);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	identity_entity(&identity, 1, 2, b);
	assert_string_equal(a, b);
	identity_entity(&identity, 2, 2, b);
	assert_string_not_equal(a, b);
	identity_entity(&identity, 1, 3, b);
	assert_string_not_equal(a, b);
	identity_set_host(&other, "00000000-ff6f-44ed-82b5-3c6f51730bc0");
	identity_entity(&other, 1, 2, b);
	assert_string_not_equal(a, b);
	(void)strcpy(other.boot_id, "00000000-4ef9-48d2-8222-1091602e63b5");
	identity_set_host(&other, identity.host_id);
	identity_entity(&other, 1, 2, b);
	assert_string_not_equal(a, b);
}

static void
test_uuids(void **state)
{
	char a[IDENTITY_UUID_SIZE], b[IDENTITY_UUID_SIZE];

	(void)state;
	assert_int_equal(identity_random(a), 0);
	assert_int_equal(identity_random(b), 0);
	assert_string_not_equal(a, b);
	assert_true(identity_is_uuid(a));
	assert_int_equal(a[14], '4');
	assert_false(identity_is_uuid(""));
	assert_false(identity_is_uuid("5dc0b936-ff6f-44ed-82b5-3c6f51730bc"));
	assert_false(identity_is_uuid("5dc0b936-ff6f-44ed-82b5_3c6f51730bc0"));
	assert_false(identity_is_uuid("5DC0b936-ff6f-44ed-82b5-3c6f51730bc0"));
	assert_false(identity_is_uuid("5dc0b936-ff6f-44ed-82b5-3c6f51730bc0x"));
	assert_int_equal(identity_read(&identity), 0);
	assert_true(identity_is_uuid(identity.boot_id));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_fork_exec_exit),
		CASE(test_old_images_are_few),
		CASE(test_a_seed_tells_nothing_new_twice),
		CASE(test_a_seed_tells_of_a_missed_exec),
		CASE(test_a_pid_has_one_living_holder),
		CASE(test_who_had_the_pid),
		CASE(test_only_the_ended_are_forgotten),
		CASE(test_what_the_store_lacks_waits_but_not_for_ever),
		CASE(test_a_table_full_of_living_refuses),
		CASE(test_unknown_ones_do_no_harm),
		CASE(test_identity),
		CASE(test_uuids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
