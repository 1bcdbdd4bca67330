/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/gate/cache.h"
#include "agent/gate/ident.h"

static struct ident
make(uint64_t inode)
{
	return (struct ident){
		.device = 5,
		.inode = inode,
		.size = 100,
		.ctime_ns = 1000,
		.mtime_ns = 900,
		.handle_type = 1,
		.handle_len = 8,
		.handle = { 1, 2, 3, 4, 5, 6, 7, 8 },
	};
}

static int
setup(void **state)
{
	*state = cache_new(64, 42);
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	cache_free(*state);
	return 0;
}

static void
finds_what_was_added(void **state)
{
	struct cache *cache = *state;
	struct ident ident = make(1), other = make(2);

	assert_int_equal(cache_find(cache, &ident, 1), CACHE_UNKNOWN);
	cache_add(cache, &ident, 1, CACHE_CLEAN);
	assert_int_equal(cache_find(cache, &ident, 1), CACHE_CLEAN);
	assert_int_equal(cache_find(cache, &other, 1), CACHE_UNKNOWN);
	cache_add(cache, &ident, 1, CACHE_CLEAN);
	assert_int_equal(cache_len(cache), 1);
}

/* Any difference makes it another file, or another content. */
static void
compares_everything(void **state)
{
	struct cache *cache = *state;
	struct ident ident = make(1);
	struct ident others[] = { ident, ident, ident, ident,
				  ident, ident, ident, ident };

	cache_add(cache, &ident, 1, CACHE_CLEAN);
	others[0].device++;
	others[1].inode++;
	others[2].size++;
	others[3].ctime_ns++;
	others[4].mtime_ns--;
	others[5].handle_type++;
	others[6].handle[7]++;
	others[7].handle_len = 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(cache_find(cache, &others[i], 1),
				 CACHE_UNKNOWN);
	/* Owner and mode say nothing of the content; ctime tells them. */
	ident.uid = 7;
	ident.mode = 0755;
	assert_int_equal(cache_find(cache, &ident, 1), CACHE_CLEAN);
}

static void
replaces_changed_content(void **state)
{
	struct cache *cache = *state;
	struct ident before = make(1), after = make(1);

	after.ctime_ns += 5;
	cache_add(cache, &before, 1, CACHE_CLEAN);
	cache_add(cache, &after, 1, CACHE_CLEAN);
	assert_int_equal(cache_len(cache), 1);
	assert_int_equal(cache_find(cache, &before, 1), CACHE_UNKNOWN);
	assert_int_equal(cache_find(cache, &after, 1), CACHE_CLEAN);
}

static void
clean_is_of_its_rules(void **state)
{
	struct cache *cache = *state;
	struct ident ident = make(1), crash = make(2), steady = make(3);

	cache_add(cache, &ident, 1, CACHE_CLEAN);
	cache_add(cache, &steady, 1, CACHE_STEADY);
	cache_add(cache, &crash, 1, CACHE_CRASHES);
	assert_int_equal(cache_find(cache, &steady, 1), CACHE_STEADY);
	assert_int_equal(cache_find(cache, &steady, 2), CACHE_UNKNOWN);
	assert_int_equal(cache_find(cache, &ident, 2), CACHE_UNKNOWN);
	assert_int_equal(cache_find(cache, &ident, 0), CACHE_UNKNOWN);
	assert_int_equal(cache_find(cache, &crash, 2), CACHE_CRASHES);
}

static void
forgets(void **state)
{
	struct cache *cache = *state;
	struct ident ident = make(1), crash = make(2), reused = make(3);

	cache_add(cache, &ident, 1, CACHE_CLEAN);
	cache_add(cache, &crash, 1, CACHE_CRASHES);
	cache_add(cache, &reused, 1, CACHE_CLEAN);
	/* The content is the same to all appearance: forgotten all the same. */
	cache_forget(cache, &ident);
	assert_int_equal(cache_find(cache, &ident, 1), CACHE_UNKNOWN);
	/* Only a change lets a file near a scanner again. */
	cache_forget(cache, &crash);
	assert_int_equal(cache_find(cache, &crash, 1), CACHE_CRASHES);
	crash.size++;
	cache_forget(cache, &crash);
	crash.size--;
	assert_int_equal(cache_find(cache, &crash, 1), CACHE_UNKNOWN);
	/* An inode that came back with another handle. */
	reused.handle[0]++;
	cache_forget(cache, &reused);
	assert_int_equal(cache_len(cache), 0);
	cache_forget(cache, &reused);
	assert_int_equal(cache_len(cache), 0);
}

static void
clears(void **state)
{
	struct cache *cache = *state;
	struct ident ident = make(1), crash = make(2), steady = make(3);

	cache_add(cache, &ident, 1, CACHE_CLEAN);
	cache_add(cache, &steady, 1, CACHE_STEADY);
	cache_add(cache, &crash, 1, CACHE_CRASHES);
	cache_clear(cache, false);
	assert_int_equal(cache_find(cache, &ident, 1), CACHE_UNKNOWN);
	assert_int_equal(cache_find(cache, &steady, 1), CACHE_UNKNOWN);
	assert_int_equal(cache_find(cache, &crash, 1), CACHE_CRASHES);
	cache_clear(cache, true);
	assert_int_equal(cache_find(cache, &crash, 1), CACHE_UNKNOWN);
	assert_int_equal(cache_len(cache), 0);
}

/* However many come, the table stays as long as it is. */
static void
makes_room(void **state)
{
	struct cache *cache = *state;
	struct ident last, crash = make(1U << 20);
	size_t found = 0;

	cache_add(cache, &crash, 1, CACHE_CRASHES);
	for (uint64_t i = 0; i < 1000; i++) {
		last = make(i);
		cache_add(cache, &last, 1, CACHE_CLEAN);
		assert_int_equal(cache_find(cache, &last, 1), CACHE_CLEAN);
	}
	assert_in_range(cache_len(cache), 48, 64);
	for (uint64_t i = 0; i < 1000; i++) {
		last = make(i);
		if (cache_find(cache, &last, 1) == CACHE_CLEAN)
			found++;
	}
	assert_int_equal(found + 1, cache_len(cache));
	/* What ends scanners makes room last. */
	assert_int_equal(cache_find(cache, &crash, 1), CACHE_CRASHES);
}

/* In one set, what was asked for last stays longest. */
static void
drops_the_least_used(void **state)
{
	struct cache *cache = cache_new(1, 42); /* one set of four */
	struct ident idents[5];

	(void)state;
	assert_non_null(cache);
	for (uint64_t i = 0; i < 5; i++)
		idents[i] = make(i);
	for (size_t i = 0; i < 4; i++)
		cache_add(cache, &idents[i], 1, CACHE_CLEAN);
	assert_int_equal(cache_find(cache, &idents[0], 1), CACHE_CLEAN);
	cache_add(cache, &idents[4], 1, CACHE_CLEAN);
	assert_int_equal(cache_find(cache, &idents[0], 1), CACHE_CLEAN);
	assert_int_equal(cache_find(cache, &idents[1], 1), CACHE_UNKNOWN);
	assert_int_equal(cache_len(cache), 4);
	cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_what_was_added, setup,
						teardown),
		cmocka_unit_test_setup_teardown(compares_everything, setup,
						teardown),
		cmocka_unit_test_setup_teardown(replaces_changed_content, setup,
						teardown),
		cmocka_unit_test_setup_teardown(clean_is_of_its_rules, setup,
						teardown),
		cmocka_unit_test_setup_teardown(forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(clears, setup, teardown),
		cmocka_unit_test_setup_teardown(makes_room, setup, teardown),
		cmocka_unit_test(drops_the_least_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
