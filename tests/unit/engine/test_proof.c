/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/engine/proof.h"

#define S UINT64_C(1000000000)
#define ALL                                                                    \
	(PROOF_BIT(PROOF_RUN) | PROOF_BIT(PROOF_EXEC) |                        \
	 PROOF_BIT(PROOF_EXIT) | PROOF_BIT(PROOF_SCAN))
#define NONCE_1 "00000000000000000000000000000001"
#define NONCE_2 "00000000000000000000000000000002"
#define NONCE_3 "00000000000000000000000000000003"

static struct proof proof;

/* A round in which these marks arrive, and these are read back. */
static void
run_round(uint64_t now_ns, uint32_t arrived, uint32_t read, uint32_t wanted)
{
	assert_true(proof_is_due(&proof, now_ns));
	proof_begin(&proof, NONCE_1, 0, now_ns);
	assert_false(proof_is_due(&proof, now_ns));
	for (size_t i = 0; i < PROOF_MARKS; i++)
		if (arrived & PROOF_BIT(i))
			assert_true(proof_take(&proof, i, NONCE_1));
	for (size_t i = 0; i < PROOF_MARKS; i++)
		if (read & PROOF_BIT(i))
			proof_read(&proof, i);
	proof_look(&proof, wanted, now_ns + S);
	proof_look(&proof, wanted, now_ns + proof.limit_ns);
	assert_int_equal(proof.begun_ns, 0);
}

static void
test_states(void **state)
{
	const uint32_t exec = PROOF_BIT(PROOF_EXEC);
	const uint32_t exit = PROOF_BIT(PROOF_EXIT);
	const uint32_t scan = PROOF_BIT(PROOF_SCAN);
	const uint32_t run = PROOF_BIT(PROOF_RUN);
	const struct {
		uint32_t arrived, read, wanted;
		enum proof_state once[PROOF_PARTS], twice[PROOF_PARTS];
	} cases[] = {
		{ ALL,
		  ALL,
		  ALL,
		  { PROOF_GOOD, PROOF_GOOD, PROOF_GOOD },
		  { PROOF_GOOD, PROOF_GOOD, PROOF_GOOD } },
		{ 0,
		  run,
		  ALL,
		  { PROOF_LATE, PROOF_LATE, PROOF_GOOD },
		  { PROOF_BAD, PROOF_BAD, PROOF_GOOD } },
		/* Its start alone does not prove the sensor. */
		{ exec | scan,
		  ALL & ~exit,
		  ALL,
		  { PROOF_LATE, PROOF_GOOD, PROOF_GOOD },
		  { PROOF_BAD, PROOF_GOOD, PROOF_GOOD } },
		/* ... but where nobody can tell the end. */
		{ exec | scan,
		  ALL & ~exit,
		  ALL & ~exit,
		  { PROOF_GOOD, PROOF_GOOD, PROOF_GOOD },
		  { PROOF_GOOD, PROOF_GOOD, PROOF_GOOD } },
		{ exec | exit,
		  run | exec | exit,
		  ALL,
		  { PROOF_GOOD, PROOF_LATE, PROOF_GOOD },
		  { PROOF_GOOD, PROOF_BAD, PROOF_GOOD } },
		/* All arrived, and one row cannot be read back. */
		{ ALL,
		  ALL & ~scan,
		  ALL,
		  { PROOF_GOOD, PROOF_GOOD, PROOF_LATE },
		  { PROOF_GOOD, PROOF_GOOD, PROOF_BAD } },
		/* Nothing can arrive: the store alone. */
		{ 0,
		  run,
		  run,
		  { PROOF_WAITING, PROOF_WAITING, PROOF_GOOD },
		  { PROOF_WAITING, PROOF_WAITING, PROOF_GOOD } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t now_ns = 100 * S;

		memset(&proof, 0, sizeof(proof));
		proof_set(&proof, 60, now_ns);
		run_round(now_ns, ALL, ALL, ALL);
		/* One that is not wanted is forgotten, not kept for good. */
		for (size_t part = 0; part < PROOF_PARTS; part++)
			assert_int_equal(proof_state(&proof, part), PROOF_GOOD);
		now_ns = proof.next_ns;
		run_round(now_ns, cases[i].arrived, cases[i].read,
			  cases[i].wanted);
		for (size_t part = 0; part < PROOF_PARTS; part++)
			assert_int_equal(proof_state(&proof, part),
					 cases[i].once[part]);
		run_round(proof.next_ns, cases[i].arrived, cases[i].read,
			  cases[i].wanted);
		for (size_t part = 0; part < PROOF_PARTS; part++)
			assert_int_equal(proof_state(&proof, part),
					 cases[i].twice[part]);
	}
}

/* Whatever the jitter: what stops after a proof is told in two minutes. */
static void
test_bad_within_two_minutes(void **state)
{
	(void)state;
	for (uint32_t random = 0; random < 1024; random += 31) {
		uint64_t stopped_ns = 100 * S;
		uint64_t now_ns = stopped_ns;

		memset(&proof, 0, sizeof(proof));
		proof_set(&proof, 60, now_ns);
		run_round(now_ns, ALL, ALL, ALL);
		while (proof_state(&proof, PROOF_SCANNER) != PROOF_BAD) {
			now_ns += S;
			if (proof_is_due(&proof, now_ns))
				proof_begin(&proof, NONCE_2, random, now_ns);
			proof_look(&proof, ALL, now_ns);
			assert_true(now_ns <= stopped_ns + 120 * S);
		}
		/* Not sooner than a scanner that is only slow. */
		assert_true(now_ns >= stopped_ns + 60 * S);
	}
}

static void
test_jitter(void **state)
{
	(void)state;
	for (uint32_t random = 0; random < 2048; random += 7) {
		memset(&proof, 0, sizeof(proof));
		proof_set(&proof, 60, 0);
		proof_begin(&proof, NONCE_1, random, S);
		assert_true(proof.next_ns <= S + 60 * S);
		assert_true(proof.next_ns > S + 60 * S - 60 * S / 8);
	}
}

/* Of this round alone: others are known, and prove nothing. */
static void
test_nonces(void **state)
{
	const struct {
		const char *nonce;
		bool known, arrives;
	} cases[] = {
		{ NONCE_2, true, true },
		{ NONCE_1, true, false },
		{ NONCE_3, false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&proof, 0, sizeof(proof));
		proof_set(&proof, 60, S);
		proof_begin(&proof, NONCE_1, 0, S);
		proof_begin(&proof, NONCE_2, 0, 2 * S);
		assert_int_equal(proof_take(&proof, PROOF_SCAN, cases[i].nonce),
				 cases[i].known);
		assert_int_equal(proof_is_unread(&proof, PROOF_SCAN),
				 cases[i].arrives);
	}
}

static void
test_off(void **state)
{
	(void)state;
	memset(&proof, 0, sizeof(proof));
	proof_set(&proof, 60, S);
	run_round(S, 0, 0, ALL);
	proof_set(&proof, 0, 2 * S);
	assert_false(proof_is_due(&proof, UINT64_MAX));
	for (size_t part = 0; part < PROOF_PARTS; part++)
		assert_int_equal(proof_state(&proof, part), PROOF_OFF);
	proof_set(&proof, 10, 3 * S);
	assert_true(proof_is_due(&proof, 3 * S));
	assert_int_equal(proof_state(&proof, PROOF_SENSOR), PROOF_WAITING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_bad_within_two_minutes),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
