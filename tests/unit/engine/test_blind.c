/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/blind.h"

#include "agent/engine/loss.h"
#include "agent/engine/values.h"
#include "agent/lib/conf.h"
#include "tests/unit/engine/fixture.h"

static struct conf conf;
static struct blind blind;

static int
begin(void **state)
{
	if (setup(state) < 0)
		return -1;
	conf_init(&conf);
	peer.conf = &conf;
	run(ROLE_SENSOR, true);
	run(ROLE_GATE, true);
	run(ROLE_SCAN, true);
	put_pair(ROLE_SENSOR, "programs.file_call", "attached");
	put_pair(ROLE_SENSOR, "types.file_call", "create chmod");
	put_pair(ROLE_SENSOR, "programs.net_tcp", "attached");
	put_pair(ROLE_SENSOR, "types.net_tcp", "connect accept");
	put_pair(ROLE_SENSOR, "programs.net_dns", "attached");
	put_pair(ROLE_SENSOR, "types.net_dns", "dns");
	return 0;
}

static const struct blind_gap *
find(const char *sensor)
{
	blind_find(&blind, engine);
	for (size_t i = 0; i < blind.len; i++)
		if (strcmp(blind.gaps[i].sensor, sensor) == 0)
			return &blind.gaps[i];
	return NULL;
}

static bool
costs(const char *sensor, uint16_t first, uint16_t second)
{
	const uint16_t types[] = { first, second, 0, 0 };
	const struct blind_gap *gap = find(sensor);

	assert_non_null(gap);
	return blind_costs(&blind, (size_t)(gap - blind.gaps), types, 4);
}

static void
test_nothing(void **state)
{
	(void)state;
	blind_find(&blind, engine);
	assert_int_equal(blind.len, 0);
}

/* Its many programs are one gap; what it tells is one kind of event. */
static void
test_guard(void **state)
{
	(void)state;
	put_pair(ROLE_SENSOR, "programs.guard_kill", "attached");
	put_pair(ROLE_SENSOR, "programs.shield_open", "attached");
	blind_find(&blind, engine);
	assert_int_equal(blind.len, 0);
	put_pair(ROLE_SENSOR, "programs.shield_open",
		 "absent: Operation not permitted; not seen: writing");
	const struct blind_gap *gap = find("guard");
	assert_non_null(gap);
	assert_int_equal(blind.len, 1);
	assert_string_equal(gap->because,
			    "Operation not permitted (1 of its 2 programs)");
	assert_true(gap->partly && gap->kinds[EVENT_GUARD]);
	put_pair(ROLE_SENSOR, "programs.guard_kill",
		 "absent: Operation not permitted; not seen: signals");
	gap = find("guard");
	assert_int_equal(blind.len, 1);
	assert_false(gap->partly);
	assert_true(costs("guard", EVENT_GUARD, 0));
}

static void
test_programs(void **state)
{
	(void)state;
	put_pair(ROLE_SENSOR, "programs.net_tcp",
		 "absent: switched off; not seen: connections");
	const struct blind_gap *gap = find("net_tcp");
	assert_non_null(gap);
	assert_int_equal(blind.len, 1);
	assert_string_equal(gap->because, "switched off");
	assert_true(gap->kinds[EVENT_CONNECT] && gap->kinds[EVENT_ACCEPT]);
	assert_false(gap->kinds[EVENT_DNS] || gap->kinds[EVENT_CREATE]);
	assert_false(gap->partly);
	assert_int_equal(gap->scans, 0);
	/* A rule that another type can make fire still can. */
	assert_true(costs("net_tcp", EVENT_CONNECT, 0));
	assert_true(costs("net_tcp", EVENT_ACCEPT, EVENT_CONNECT));
	assert_false(costs("net_tcp", EVENT_CONNECT, EVENT_DNS));
	assert_false(costs("net_tcp", EVENT_CHMOD, 0));
	/* ... until that is missing, too. */
	put_pair(ROLE_SENSOR, "programs.net_dns",
		 "absent: Operation not permitted");
	assert_true(costs("net_tcp", EVENT_CONNECT, EVENT_DNS));
	assert_true(costs("net_dns", EVENT_CONNECT, EVENT_DNS));
	assert_string_equal(find("net_dns")->because,
			    "Operation not permitted");
	/* One that said no types, as an older sensor would. */
	put_pair(ROLE_SENSOR, "programs.odd", "absent: odd");
	assert_non_null(find("odd"));
}

static void
test_no_sensor(void **state)
{
	(void)state;
	run(ROLE_SENSOR, false);
	const struct blind_gap *gap = find("sensor");
	assert_non_null(gap);
	assert_int_equal(blind.len, 1);
	assert_true(gap->kinds[EVENT_CREATE] && gap->kinds[EVENT_DNS]);
}

static void
test_sensor_says_nothing(void **state)
{
	(void)state;
	values_forget(engine->values, ROLE_SENSOR, 0);
	const struct blind_gap *gap = find("sensor");
	assert_non_null(gap);
	assert_string_equal(gap->because,
			    "khien-sensor has not said yet what it sees");
	/* Nobody knows: so it may be anything that programs tell. */
	assert_true(gap->kinds[EVENT_EXEC] && gap->kinds[EVENT_DNS]);
	assert_false(gap->kinds[EVENT_CLOSE]);
}

/* One gap then, not one for each. */
static void
test_no_program(void **state)
{
	(void)state;
	put_pair(ROLE_SENSOR, "programs.file_call",
		 "absent: no BTF; not seen: x");
	put_pair(ROLE_SENSOR, "programs.net_tcp",
		 "absent: no BTF; not seen: y");
	put_pair(ROLE_SENSOR, "programs.net_dns", "not needed by this kernel");
	const struct blind_gap *gap = find("sensor");
	assert_non_null(gap);
	assert_int_equal(blind.len, 1);
	assert_string_equal(gap->because, "no BTF");
	assert_true(gap->kinds[EVENT_EXEC] && gap->kinds[EVENT_DNS]);
	assert_false(gap->partly);
	assert_true(costs("sensor", EVENT_CONNECT, EVENT_DNS));
}

static void
test_nobody_waits(void **state)
{
	(void)state;
	put_pair(ROLE_GATE, "lack", "no way to ask");
	put_pair(ROLE_MOUNTS, "covered.len", "2");
	/* As configured nobody waits anyway. */
	assert_null(find("gate"));
	(void)strcpy(conf.mode, "enforce");
	const struct blind_gap *gap = find("gate");
	assert_non_null(gap);
	assert_string_equal(gap->because, "no way to ask");
	assert_true(gap->partly);
	assert_int_equal(gap->scans, BLIND_OPEN);
	assert_false(gap->kinds[EVENT_CLOSE]);
	/* It does not even hear of files. */
	put_pair(ROLE_MOUNTS, "covered.len", "0");
	put_pair(ROLE_MOUNTS, "uncovered.0", "/: cannot be watched: x");
	(void)strcpy(conf.mode, "observe");
	gap = find("gate");
	assert_non_null(gap);
	assert_int_equal(blind.len, 1);
	assert_false(gap->partly);
	assert_int_equal(gap->scans, BLIND_WRITE | BLIND_EXEC | BLIND_OPEN);
	assert_true(gap->kinds[EVENT_CLOSE]);
}

static void
test_losses(void **state)
{
	(void)state;
	put_pair(ROLE_SENSOR, "lost.bulk", "7");
	const struct blind_gap *gap = find("bulk events");
	assert_non_null(gap);
	assert_true(gap->partly);
	assert_non_null(strstr(gap->because, "lost 7 in this boot"));
	assert_true(gap->kinds[EVENT_CREATE] && gap->kinds[EVENT_CONNECT]);
	assert_false(gap->kinds[EVENT_EXEC] || gap->kinds[EVENT_CLOSE]);
	assert_true(costs("bulk events", EVENT_EXEC, EVENT_CONNECT));
	assert_null(find("critical events"));
	/* Long ago is history, which `lost` tells. */
	engine->lately->counters[LATELY_BULK].last_ns = 1;
	assert_null(find("bulk events"));
}

static void
test_scans(void **state)
{
	const struct blind_gap *gap;

	(void)state;
	run(ROLE_SCAN, false);
	gap = find("scanner");
	assert_non_null(gap);
	assert_int_equal(gap->scans, BLIND_WRITE | BLIND_EXEC | BLIND_OPEN);
	run(ROLE_GATE, false);
	gap = find("gate");
	assert_non_null(gap);
	assert_string_equal(gap->because, "khien-gate is not running");
	assert_true(gap->kinds[EVENT_CLOSE]);
	run(ROLE_GATE, true);
	run(ROLE_SCAN, true);
	(void)strcpy(conf.mode, "off");
	assert_string_equal(find("gate")->because, "[gate] mode is off");
	(void)strcpy(conf.mode, "observe");
	put_pair(ROLE_MOUNTS, "uncovered.0", "/proc: the kernel's own (proc)");
	put_pair(ROLE_MOUNTS, "uncovered.len", "3");
	assert_null(find("coverage"));
	put_pair(ROLE_MOUNTS, "uncovered.1", "/home: cannot be watched (nfs4)");
	put_pair(ROLE_MOUNTS, "uncovered.2", "/srv: cannot be watched (nfs4)");
	gap = find("coverage");
	assert_non_null(gap);
	assert_true(gap->partly);
	assert_string_equal(gap->because,
			    "2 mounts are not watched: /home: cannot be "
			    "watched (nfs4), ...");
}

/* More programs than there is room for. */
static void
test_full(void **state)
{
	char name[32];

	(void)state;
	for (unsigned int i = 0; i < 2 * BLIND_GAPS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "programs.p%u", i);
		put_pair(ROLE_SENSOR, name, "absent: x");
	}
	blind_find(&blind, engine);
	assert_int_equal(blind.len, BLIND_GAPS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, begin, teardown),
		cmocka_unit_test_setup_teardown(test_guard, begin, teardown),
		cmocka_unit_test_setup_teardown(test_programs, begin, teardown),
		cmocka_unit_test_setup_teardown(test_no_sensor, begin,
						teardown),
		cmocka_unit_test_setup_teardown(test_sensor_says_nothing, begin,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_program, begin,
						teardown),
		cmocka_unit_test_setup_teardown(test_nobody_waits, begin,
						teardown),
		cmocka_unit_test_setup_teardown(test_losses, begin, teardown),
		cmocka_unit_test_setup_teardown(test_scans, begin, teardown),
		cmocka_unit_test_setup_teardown(test_full, begin, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
