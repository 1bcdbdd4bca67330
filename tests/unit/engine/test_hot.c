/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/hot.h"

#define NAMES 400
#define ADDS 20000

static struct hot hot;
static uint64_t truth[NAMES];
static struct hot_entry entries[2 * HOT_LEN];

/* xorshift64: the same numbers in each run. */
static uint64_t
next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static const struct hot_entry *
find(size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (strcmp(entries[i].name, name) == 0)
			return &entries[i];
	return NULL;
}

/* What hot.h promises of any counting. */
static void
check(size_t len, uint64_t total)
{
	char name[32];

	for (size_t i = 0; i < NAMES; i++) {
		(void)snprintf(name, sizeof(name), "name %zu", i);
		const struct hot_entry *entry = find(len, name);
		if (!entry) {
			assert_true(truth[i] <= total / HOT_LEN);
			continue;
		}
		assert_true(entry->count >= truth[i]);
		assert_true(entry->count - entry->error <= truth[i]);
		assert_true(entry->error <= total / HOT_LEN);
	}
	for (size_t i = 1; i < len; i++)
		assert_true(entries[i - 1].count >= entries[i].count);
}

/* `skew`: how much more the first names are counted than the others. */
static uint64_t
fill(uint64_t seed, uint64_t skew)
{
	uint64_t total = 0;
	char name[32];

	for (size_t i = 0; i < ADDS; i++) {
		uint64_t at = next(&seed) % NAMES;
		uint64_t weight = 1 + next(&seed) % 100;

		for (uint64_t n = 0; n < skew; n++)
			at = at * (next(&seed) % NAMES) / NAMES;
		(void)snprintf(name, sizeof(name), "name %u", (unsigned)at);
		hot_add(&hot, name, weight, 0);
		truth[at] += weight;
		total += weight;
	}
	return total;
}

static void
test_bounds(void **state)
{
	(void)state;
	for (uint64_t skew = 0; skew < 4; skew++)
		for (uint64_t seed = 1; seed <= 5; seed++) {
			hot = (struct hot){ .start = { .len = 0 } };
			memset(truth, 0, sizeof(truth));
			uint64_t total = fill(seed, skew);
			size_t len = hot_start(&hot, entries, 2 * HOT_LEN);
			assert_int_equal(hot.start.total, total);
			assert_int_equal(len, HOT_LEN);
			check(len, total);
		}
}

/* One that has more than its share is there whatever comes after it. */
static void
test_heavy_is_never_lost(void **state)
{
	const uint64_t each = 1000;
	char name[32];

	(void)state;
	hot = (struct hot){ .start = { .len = 0 } };
	hot_add(&hot, "heavy", 2 * each + 1, 7);
	for (uint64_t i = 0; i < 2 * each * (HOT_LEN - 1); i++) {
		(void)snprintf(name, sizeof(name), "%u", (unsigned)i);
		hot_add(&hot, name, 1, 0);
	}
	assert_int_equal(hot_start(&hot, entries, 1), 1);
	assert_string_equal(entries[0].name, "heavy");
	assert_int_equal(entries[0].count, 2 * each + 1);
	assert_int_equal(entries[0].error, 0);
	assert_int_equal(entries[0].pid, 7);
}

static void
test_lately_forgets(void **state)
{
	(void)state;
	hot = (struct hot){ .start = { .len = 0 } };
	hot_add(&hot, "old", 5, 0);
	hot_turn(&hot);
	hot_add(&hot, "old", 1, 0);
	hot_add(&hot, "new", 2, 0);
	assert_int_equal(hot_lately(&hot, entries, 2 * HOT_LEN), 2);
	assert_string_equal(entries[0].name, "old");
	assert_int_equal(entries[0].count, 6);
	assert_int_equal(hot_total(&hot), 8);
	hot_turn(&hot);
	assert_int_equal(hot_lately(&hot, entries, 2 * HOT_LEN), 2);
	assert_string_equal(entries[0].name, "new");
	hot_turn(&hot);
	assert_int_equal(hot_lately(&hot, entries, 2 * HOT_LEN), 0);
	assert_int_equal(hot_total(&hot), 0);
	assert_int_equal(hot_start(&hot, entries, 2 * HOT_LEN), 2);
	assert_int_equal(entries[0].count, 6);
}

/* Of both halves together the same holds as of one. */
static void
test_halves_keep_bounds(void **state)
{
	(void)state;
	hot = (struct hot){ .start = { .len = 0 } };
	memset(truth, 0, sizeof(truth));
	uint64_t total = fill(11, 2);
	hot_turn(&hot);
	total += fill(12, 1);
	check(hot_lately(&hot, entries, 2 * HOT_LEN), total);
}

static void
test_long_names(void **state)
{
	char name[HOT_NAME_MAX + 100];

	(void)state;
	hot = (struct hot){ .start = { .len = 0 } };
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	hot_add(&hot, name, 1, 0);
	/* Another one, though what is kept of it is the same. */
	name[sizeof(name) - 2] = 'y';
	hot_add(&hot, name, 1, 0);
	assert_int_equal(hot_start(&hot, entries, 2 * HOT_LEN), 2);
	assert_int_equal(strlen(entries[0].name), HOT_NAME_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_heavy_is_never_lost),
		cmocka_unit_test(test_lately_forgets),
		cmocka_unit_test(test_halves_keep_bounds),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
