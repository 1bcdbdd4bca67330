/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/progress.h"

struct step {
	uint64_t sequence, boot_ns;
	bool taken;
};

/* One numbering, in the order things arrive. */
static const struct step order[] = {
	{ 1, 10, true },     { 2, 20, true },
	{ 2, 20, false },    { 1, 10, false },
	{ 4, 41, true },     { 3, 40, true }, /* overtaken */
	{ 3, 40, false },    { 4, 41, false },
	{ 100, 50, true }, /* a gap */
	{ 99, 49, true },    { 5, 42, true },
	{ 5, 42, false },    { 5000, 90, true },
	{ 100, 50, false }, /* left the window */
	{ 4500, 80, true },  { 4500, 80, false },
	{ 5000, 90, false },
};

/* khiend loads the programs anew: numbers begin at 1, time goes on. */
static const struct step again[] = {
	{ 1, 10, true },     { 2, 20, true },  { 3, 30, true },
	{ 2, 120, true },    { 1, 110, true }, { 2, 120, false },
	{ 1, 110, false },   { 3, 130, true }, { 3, 130, false },
	{ 9000, 200, true }, { 1, 300, true }, { 1, 300, false },
	{ 2, 310, true },
};

/* The gate: its first number is the time, in microseconds, of its start. */
static const struct step gate[] = {
	{ 50000001, 60, true },	 { 50000002, 61, true },
	{ 50000004, 63, true },	 { 50000003, 62, true },
	{ 50000003, 62, false }, { 90000001, 95, true },
	{ 90000001, 95, false }, { 50000004, 63, false },
	{ 90000002, 94, true },	 { 90000002, 94, false },
};

static void
check(const struct step *steps, size_t len)
{
	struct progress progress;

	assert_int_equal(progress_init(&progress), 0);
	for (size_t i = 0; i < len; i++)
		if (progress_take(&progress, 1, 0, steps[i].sequence,
				  steps[i].boot_ns) != steps[i].taken)
			fail_msg("step %zu", i);
	progress_done(&progress);
}

static void
test_order(void **state)
{
	(void)state;
	check(order, sizeof(order) / sizeof(order[0]));
}

static void
test_a_new_numbering(void **state)
{
	(void)state;
	check(again, sizeof(again) / sizeof(again[0]));
}

static void
test_jumps(void **state)
{
	(void)state;
	check(gate, sizeof(gate) / sizeof(gate[0]));
}

static void
test_numberings_are_apart(void **state)
{
	struct progress progress;

	(void)state;
	assert_int_equal(progress_init(&progress), 0);
	for (uint16_t class = 1; class <= 2; class ++)
		for (uint32_t cpu = 0; cpu < 8; cpu++)
			assert_true(progress_take(&progress, class, cpu, 1, 5));
	assert_false(progress_take(&progress, 2, 3, 1, 5));
	assert_int_equal(progress.len, 16);
	assert_true(progress_line(&progress, 2, 3)->dirty);
	progress_done(&progress);
}

static void
test_a_full_table_takes_all(void **state)
{
	struct progress progress;

	(void)state;
	assert_int_equal(progress_init(&progress), 0);
	for (uint32_t cpu = 0; cpu < PROGRESS_MAX; cpu++)
		assert_non_null(progress_line(&progress, 1, cpu));
	assert_true(progress_take(&progress, 2, 0, 1, 5));
	assert_true(progress_take(&progress, 2, 0, 1, 5));
	progress_done(&progress);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_a_new_numbering),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_numberings_are_apart),
		cmocka_unit_test(test_a_full_table_takes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
