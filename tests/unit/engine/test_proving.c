/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is a proof of life among all that arrives, and what is not. */
#include "agent/engine/proving.h"

#include "agent/engine/reason.h"
#include "agent/engine/values.h"
#include "agent/lib/conf.h"
#include "tests/unit/engine/fixture.h"

#define NONCE "0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffff"
#define PROGRAM "/usr/libexec/khien/khien-proof"
#define FILE_OF(nonce) "/var/lib/khien/proof/khien-proof-" nonce
#define S UINT64_C(1000000000)

static struct conf conf;

static int
begin(void **state)
{
	if (setup(state) < 0)
		return -1;
	conf_init(&conf);
	peer.conf = &conf;
	(void)strcpy(engine->proving->folder, "/var/lib/khien/proof");
	proof_set(&engine->proving->proof, 60, S);
	proof_begin(&engine->proving->proof, NONCE, 0, S);
	return 0;
}

static bool
has(enum proof_mark mark)
{
	return engine->proving->proof.arrived & PROOF_BIT(mark);
}

static void
test_exec(void **state)
{
	static const struct {
		const char *path;
		char args[128];
		size_t len;
		bool taken;
	} cases[] = {
		{ PROGRAM, PROGRAM "\0" NONCE, sizeof(PROGRAM) + 33, true },
		{ PROGRAM, "x\0" NONCE, 2 + 33, true },
		/* Somebody else's. */
		{ PROGRAM, "x\0" OTHER, 2 + 33, false },
		{ PROGRAM, "x\0" NONCE "\0more", 2 + 33 + 5, false },
		{ PROGRAM, "x", 2, false },
		{ PROGRAM, "x", 1, false },
		{ PROGRAM, "", 0, false },
		{ "/bin/true", "x\0" NONCE, 2 + 33, false },
		{ "", "x\0" NONCE, 2 + 33, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event event =
			make(EVENT_EXEC, EVENT_CRITICAL, 0, 100, 50, 2 * S);
		engine->proving->proof.arrived = PROOF_BIT(PROOF_RUN);
		event.path = cases[i].path;
		event.args = (const uint8_t *)cases[i].args;
		event.args_len = cases[i].len;
		assert_int_equal(proving_event(engine, &event), cases[i].taken);
		assert_int_equal(has(PROOF_EXEC), cases[i].taken);
	}
	(void)state;
}

/* Its end is known by its start. */
static void
test_exit(void **state)
{
	static const uint8_t args[] = "x\0" NONCE;
	struct event exec = make(EVENT_EXEC, EVENT_CRITICAL, 0, 100, 50, 2 * S);
	struct event exit = make(EVENT_EXIT, EVENT_CRITICAL, 0, 100, 50, 3 * S);

	(void)state;
	assert_false(proving_event(engine, &exit));
	exec.path = PROGRAM;
	exec.args = args;
	exec.args_len = sizeof(args);
	assert_true(proving_event(engine, &exec));
	exit.start_ns = 51;
	assert_false(proving_event(engine, &exit));
	exit.start_ns = 50;
	assert_true(proving_event(engine, &exit));
	assert_true(has(PROOF_EXIT));
}

static void
test_verdict(void **state)
{
	static const struct {
		const char *path, *rule;
		uint32_t uid, len;
		uint16_t cause;
		bool taken, arrives;
	} cases[] = {
		{ FILE_OF(NONCE), "khien_self_test", 0, 1, MSG_CAUSE_WRITE,
		  true, true },
		/* On an overlay's layer, and by two copies of the rule. */
		{ "/layer/upper" FILE_OF(NONCE), "khien_self_test", 0, 2,
		  MSG_CAUSE_WRITE, true, true },
		/* One of an engine before this one. */
		{ FILE_OF(OTHER), "khien_self_test", 0, 1, MSG_CAUSE_WRITE,
		  true, false },
		{ "/tmp/proof/khien-proof-" OTHER, "khien_self_test", 0, 1,
		  MSG_CAUSE_WRITE, false, false },
		/* Whatever else is found is a detection. */
		{ FILE_OF(NONCE), "eicar_test_file", 0, 1, MSG_CAUSE_WRITE,
		  false, false },
		{ FILE_OF(NONCE), "khien_self_test", 1000, 1, MSG_CAUSE_WRITE,
		  false, false },
		{ FILE_OF(NONCE), "khien_self_test", 0, 1, MSG_CAUSE_ASKED,
		  false, false },
		{ FILE_OF(NONCE) "0", "khien_self_test", 0, 1, MSG_CAUSE_WRITE,
		  false, false },
		{ "khien-proof-" NONCE, "khien_self_test", 0, 1,
		  MSG_CAUSE_WRITE, false, false },
		{ "", "khien_self_test", 0, 1, MSG_CAUSE_WRITE, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		engine->proving->proof.arrived = PROOF_BIT(PROOF_RUN);
		verdict = (struct msg_verdict){ .result = MSG_MATCH,
						.cause = cases[i].cause,
						.len = cases[i].len,
						.uid = cases[i].uid,
						.path = cases[i].path };
		for (uint32_t k = 0; k < cases[i].len; k++)
			verdict.matches[k].rule = cases[i].rule;
		assert_int_equal(proving_verdict(engine, &verdict),
				 cases[i].taken);
		assert_int_equal(has(PROOF_SCAN), cases[i].arrives);
	}
	(void)state;
}

/* A row of each kind and no more, and nothing of the process. */
static void
test_rows(void **state)
{
	static const uint8_t args[] = "x\0" NONCE;
	struct event events[3];

	(void)state;
	for (uint64_t round = 0; round < 3; round++) {
		uint32_t pid = 100 + (uint32_t)round;
		engine->proving->proof.begun_ns = 0;
		engine->proving->pid = 0;
		proof_begin(&engine->proving->proof, NONCE, 0, S);
		events[0] = make(EVENT_EXEC, EVENT_CRITICAL, 3 * round + 1, pid,
				 50, 2 * S);
		events[0].path = PROGRAM;
		events[0].args = args;
		events[0].args_len = sizeof(args);
		events[1] = make(EVENT_EXIT, EVENT_CRITICAL, 3 * round + 2, pid,
				 50, 3 * S);
		events[2] = make(EVENT_CLOSE, EVENT_BULK, 3 * round + 3, pid,
				 50, 3 * S);
		events[2].path = FILE_OF(NONCE);
		sensor(round + 1, events, 3);
	}
	assert_int_equal(count("SELECT count(*) FROM process"), 0);
	assert_int_equal(count("SELECT count(*) FROM file"), 0);
	assert_int_equal(count("SELECT count(*) FROM live"), 0);
	assert_int_equal(
		count("SELECT count(*) FROM meta WHERE key LIKE 'proof.%'"), 2);
	assert_memory_equal(
		text("SELECT value FROM meta WHERE key='proof.exec'"), NONCE,
		MSG_LIFE_NONCE);
}

static void
expect(enum proof_part part, int grave, const char *wanted)
{
	char said[512];
	int got;

	proving_say(engine, part, said, sizeof(said), &got);
	assert_int_equal(got, grave);
	if (!*wanted)
		assert_string_equal(said, "");
	else if (!strstr(said, wanted))
		fail_msg("\"%s\" is not in \"%s\"", wanted, said);
}

static void
test_sentences(void **state)
{
	struct proof_entry bad = { .last_ns = S, .since_ns = S, .missed = 2 };

	(void)state;
	for (size_t i = 0; i < PROOF_PARTS; i++)
		expect(i, REASON_OK, "");
	for (size_t i = 0; i < PROOF_PARTS; i++)
		engine->proving->proof.parts[i] = bad;
	expect(PROOF_SENSOR, REASON_AT_RISK, "restart the agent");
	expect(PROOF_SCANNER, REASON_AT_RISK, "rule khien_self_test is not");
	expect(PROOF_STORE, REASON_DEGRADED, "cannot be read back");
	(void)strcpy(engine->proving->error, "it cannot be executed");
	expect(PROOF_SENSOR, REASON_AT_RISK, "it cannot be executed");
	/* Where it cannot be had it is no fault. */
	put_pair(ROLE_MOUNTS, "state_dir",
		 "[agent] state_dir is on /: not named");
	expect(PROOF_SCANNER, REASON_OK, "cannot be proved to work: [agent]");
	(void)strcpy(conf.exclude, "/home:/var/lib/khien");
	expect(PROOF_SCANNER, REASON_OK, "[gate] exclude");
	put_pair(ROLE_SENSOR, "programs.process_exec",
		 "absent: Invalid argument");
	expect(PROOF_SENSOR, REASON_OK, "process_exec is absent");
	/* Who switched it off knows. */
	conf.process = false;
	(void)strcpy(conf.mode, "off");
	expect(PROOF_SENSOR, REASON_OK, "");
	expect(PROOF_SCANNER, REASON_OK, "");
	conf.proof_s = 0;
	expect(PROOF_STORE, REASON_OK, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exec, begin, teardown),
		cmocka_unit_test_setup_teardown(test_exit, begin, teardown),
		cmocka_unit_test_setup_teardown(test_verdict, begin, teardown),
		cmocka_unit_test_setup_teardown(test_rows, begin, teardown),
		cmocka_unit_test_setup_teardown(test_sentences, begin,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
