/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is alarming by itself, and what is not. */
#include "agent/engine/behaviour.h"

#include <linux/types.h>

#include "agent/engine/tree.h"
#include "kernel/khien_abi.h"
#include "tests/unit/engine/fixture.h"

#define OWN 1u	   /* the target descends from the process */
#define UNKNOWN 2u /* the target is not in the tree */

/* Who acts, on whom, and the rule that says so; NULL: none. */
static const struct {
	uint16_t type;
	uint64_t value;
	uint32_t uid, euid;
	uint64_t caps;
	uint32_t target_uid, target_euid;
	uint64_t target_caps;
	uint32_t scene;
	const char *rule;
} injections[] = {
	/* Of one's own: a debugger. */
	{ EVENT_PTRACE, 5, 1000, 1000, 0, 1000, 1000, 0, 0, NULL },
	{ EVENT_VM_WRITE, 9, 1000, 1000, 0, 1000, 1000, 0, 0, NULL },
	{ EVENT_MEM_OPEN, 2, 1000, 1000, 0, 1000, 1000, 0, 0, NULL },
	/* In a user namespace it has all rights, which mean nothing. */
	{ EVENT_MEM_OPEN, 2, 1000, 1000, 0, 1000, 1000, ~0ull, 0, NULL },
	/* Another's. */
	{ EVENT_PTRACE, 5, 0, 0, ~0ull, 1000, 1000, 0, 0,
	  "behaviour_injection" },
	{ EVENT_PTRACE, 0x4205, 1000, 1000, 0, 0, 0, 0, 0,
	  "behaviour_injection" },
	{ EVENT_VM_WRITE, 9, 1000, 1000, 0, 1001, 1001, 0, 0,
	  "behaviour_injection" },
	{ EVENT_MEM_OPEN, 2, 1000, 1000, 0, 1000, 0, 0, 0,
	  "behaviour_injection" },
	/* Watching is not writing. */
	{ EVENT_PTRACE, 16, 0, 0, ~0ull, 1000, 1000, 0, 0, NULL },
	{ EVENT_PTRACE, 0x4206, 0, 0, ~0ull, 1000, 1000, 0, 0, NULL },
	{ EVENT_PTRACE, 0, 0, 0, ~0ull, 1000, 1000, 0, 0, NULL },
	/* What one has started oneself, as whoever. */
	{ EVENT_PTRACE, 5, 0, 0, ~0ull, 1000, 1000, 0, OWN, NULL },
	/* Nobody is accused of what is not known. */
	{ EVENT_PTRACE, 5, 0, 0, ~0ull, 1000, 1000, 0, UNKNOWN, NULL },
	/* Root into root, with and without more rights. */
	{ EVENT_VM_WRITE, 9, 0, 0, ~0ull, 0, 0, ~0ull, 0, NULL },
	{ EVENT_VM_WRITE, 9, 0, 0, 0xff, 0, 0, ~0ull, 0,
	  "behaviour_injection" },
	{ EVENT_VM_WRITE, 9, 0, 0, 0xff, 0, 0, 0, 0, NULL },
	/* Others, whatever they are about. */
	{ EVENT_ESCALATE, 0, 0, 0, ~0ull, 0, 0, 0, UNKNOWN,
	  "behaviour_escalation" },
	{ EVENT_CREDENTIALS, 0, 0, 0, ~0ull, 0, 0, 0, UNKNOWN, NULL },
	{ EVENT_MAP_EXEC, 7, 0, 0, ~0ull, 0, 0, 0, UNKNOWN, NULL },
	{ EVENT_BPF_LOAD, 2, 0, 0, ~0ull, 0, 0, 0, UNKNOWN, NULL },
	{ EVENT_SETNS, 2, 0, 0, ~0ull, 0, 0, 0, UNKNOWN, NULL },
	{ EVENT_MODULE_UNLOAD, 0, 0, 0, ~0ull, 0, 0, 0, UNKNOWN, NULL },
};

static void
assert_rule(const struct behaviour *behaviour, const char *expected, size_t i)
{
	const char *name = behaviour ? behaviour->name : NULL;

	if (expected ? !name || strcmp(name, expected) != 0 : name != NULL)
		fail_msg("case %zu: %s, not %s", i, name ? name : "nothing",
			 expected ? expected : "nothing");
}

static void
test_injections(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(injections) / sizeof(injections[0]);
	     i++) {
		struct event event;
		event_init(&event, injections[i].type, EVENT_CRITICAL);
		event.path = "";
		event.pid = 20;
		event.target_pid = 30;
		event.value = injections[i].value;
		event.uid = injections[i].uid;
		event.euid = injections[i].euid;
		event.caps = injections[i].caps;
		const struct behaviour_scene scene = {
			.executable = "/bin/x",
			.comm = "x",
			.target_known = !(injections[i].scene & UNKNOWN),
			.target_own = injections[i].scene & OWN,
			.target_uid = injections[i].target_uid,
			.target_euid = injections[i].target_euid,
			.target_caps = injections[i].target_caps,
		};
		assert_rule(behaviour_judge(&event, &scene), injections[i].rule,
			    i);
		/* Oneself, or nobody that is known. */
		if (injections[i].type == EVENT_ESCALATE)
			continue;
		event.target_pid = 20;
		assert_rule(behaviour_judge(&event, &scene), NULL, i);
		event.target_pid = 30;
		event.pid = 0;
		assert_rule(behaviour_judge(&event, &scene), NULL, i);
	}
}

/* Whatever the guard refused is told, with what it was. */
static void
test_refusals(void **state)
{
	static const struct {
		uint64_t value, value2;
		const char *rule, *what; /* NULL: the rule says all */
	} cases[] = {
		{ KHIEN_GUARD_SIGNAL, 9, "behaviour_guard_signal",
		  ": signal 9" },
		{ KHIEN_GUARD_TRACE, 18, "behaviour_guard_trace",
		  ": access of mode 18" },
		{ KHIEN_GUARD_LIMIT, 7, "behaviour_guard_limit",
		  ": resource limit 7" },
		{ KHIEN_GUARD_SCHEDULE, 0, "behaviour_guard_limit",
		  ": scheduling" },
		{ KHIEN_GUARD_PROC, 1, "behaviour_guard_limit", ": writing" },
		{ KHIEN_GUARD_CGROUP, 1, "behaviour_guard_limit",
		  "control group" },
		{ KHIEN_GUARD_BPF, 3ull << 32 | 71, "behaviour_guard_kernel",
		  ": object 71" },
		{ KHIEN_GUARD_WRITE, 1, "behaviour_guard_file", "to write" },
		{ KHIEN_GUARD_MAKE, 0, "behaviour_guard_file", "making" },
		{ KHIEN_GUARD_REMOVE, 0, "behaviour_guard_file", "removing" },
		{ KHIEN_GUARD_RENAME, 0, "behaviour_guard_file", "renaming" },
		{ KHIEN_GUARD_LINK, 0, "behaviour_guard_file", "linking" },
		{ KHIEN_GUARD_CHANGE, 0, "behaviour_guard_file", "changing" },
		{ KHIEN_GUARD_MOUNT, 0, "behaviour_guard_mount", "mounting" },
		{ KHIEN_GUARD_UMOUNT, 0, "behaviour_guard_mount",
		  "unmounting" },
		{ 0, 0, "behaviour_guard_signal", NULL },
		{ KHIEN_GUARD_UMOUNT + 1, 0, "behaviour_guard_signal", NULL },
		{ UINT64_MAX, 0, "behaviour_guard_signal", NULL },
	};
	const struct behaviour_scene scene = { .executable = "", .comm = "" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char said[256] = "";
		struct event event;
		event_init(&event, EVENT_GUARD, EVENT_CRITICAL);
		event.value = cases[i].value;
		event.value2 = cases[i].value2;
		const struct behaviour *behaviour =
			behaviour_judge(&event, &scene);
		assert_rule(behaviour, cases[i].rule, i);
		assert_string_equal(behaviour->severity, "high");
		assert_int_equal(behaviour_describe(&event, said, sizeof(said)),
				 cases[i].what != NULL);
		if (cases[i].what)
			assert_non_null(strstr(said, cases[i].what));
	}
}

static const struct {
	const char *path;
	uint64_t inode;
	uint32_t flags;
	const char *executable, *comm, *rule;
} modules[] = {
	{ "/usr/lib/modules/6.1/kernel/a.ko", 5, 0, "/usr/bin/kmod", "modprobe",
	  NULL },
	{ "/lib/modules/6.1/updates/dkms/a.ko", 5, 0, "/usr/bin/kmod", "insmod",
	  NULL },
	{ "/tmp/a.ko", 5, 0, "/usr/bin/kmod", "insmod",
	  "behaviour_module_elsewhere" },
	{ "/lib/modules", 5, 0, "/usr/bin/kmod", "insmod",
	  "behaviour_module_elsewhere" },
	{ "/home/u/lib/modules/a.ko", 5, 0, "/usr/bin/kmod", "modprobe",
	  "behaviour_module_elsewhere" },
	{ "memfd:a", 5, EVENT_MEMFD, "/tmp/x", "x", "behaviour_module_memory" },
	{ "memfd:a", 5, 0, "/tmp/x", "x", "behaviour_module_elsewhere" },
	{ "...deep/a.ko", 5, EVENT_PATH_CUT, "/tmp/x", "x", NULL },
	{ "", 5, 0, "/tmp/x", "x", NULL },
	{ "", 0, 0, "/tmp/x", "x", "behaviour_module_memory" },
	{ "", 0, 0, "", "", "behaviour_module_memory" },
	/* They unpack what the kernel cannot. */
	{ "", 0, 0, "/usr/bin/kmod", "modprobe", NULL },
	{ "", 0, 0, "/usr/bin/udevadm", "(udev-worker)", NULL },
	{ "", 0, 0, "/usr/lib/systemd/systemd", "systemd", NULL },
	{ "", 0, 0, "/usr/bin/kmod", "insmod", "behaviour_module_memory" },
	{ "", 0, 0, "/tmp/usr/bin/kmod", "modprobe",
	  "behaviour_module_memory" },
};

static void
test_modules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		struct event event;
		event_init(&event, EVENT_MODULE_LOAD, EVENT_CRITICAL);
		event.pid = 20;
		event.path = modules[i].path;
		event.inode = modules[i].inode;
		event.flags = modules[i].flags;
		const struct behaviour_scene scene = {
			.executable = modules[i].executable,
			.comm = modules[i].comm,
		};
		assert_rule(behaviour_judge(&event, &scene), modules[i].rule,
			    i);
	}
}

static void
count_rule(void *arg, const struct behaviour *behaviour)
{
	size_t *len = arg;

	assert_ptr_equal(behaviour, behaviour_get(*len));
	assert_int_equal(strlen(behaviour->id), 36);
	assert_true(msg_severity_find(behaviour->severity));
	assert_true(behaviour->types[0]);
	for (size_t i = 0; i < BEHAVIOUR_TYPES && behaviour->types[i]; i++)
		assert_true(behaviour_knows(behaviour->types[i]));
	for (size_t i = 0; i < *len; i++) {
		assert_string_not_equal(behaviour_get(i)->name,
					behaviour->name);
		assert_string_not_equal(behaviour_get(i)->id, behaviour->id);
	}
	++*len;
}

static void
test_the_table(void **state)
{
	size_t len = 0;

	(void)state;
	behaviour_each(count_rule, &len);
	assert_true(len > 0);
	assert_null(behaviour_get(len));
	assert_false(behaviour_knows(EVENT_EXEC));
	assert_false(behaviour_knows(0));
}

/* Through the whole engine: who, what, and once. */
static void
test_it_is_told_as_a_detection(void **state)
{
	struct event events[] = {
		make(EVENT_SEED, EVENT_CRITICAL, 0, 1, 5, 10),
		make(EVENT_EXEC, EVENT_CRITICAL, 1, 20, 100, 110),
		make(EVENT_EXEC, EVENT_CRITICAL, 2, 30, 101, 111),
		make(EVENT_PTRACE, EVENT_CRITICAL, 3, 20, 100, 120),
		make(EVENT_PTRACE, EVENT_CRITICAL, 4, 20, 100, 121),
		make(EVENT_ESCALATE, EVENT_CRITICAL, 5, 40, 102, 130),
	};

	(void)state;
	events[0].path = "/sbin/init";
	events[1].path = "/tmp/attacker";
	events[2].path = "/usr/bin/victim";
	events[2].uid = events[2].euid = 1000;
	for (size_t i = 3; i < 5; i++) {
		events[i].value = 5;
		events[i].target_pid = 30;
		events[i].target_start_ns = 101;
	}
	events[5].old_uid = 1000;
	sensor(1, events, 6);
	assert_int_equal(count("SELECT count(*) FROM privilege"), 3);
	assert_string_equal(text("SELECT target_executable FROM privilege"
				 " WHERE type='ptrace'"),
			    "/usr/bin/victim");
	assert_int_equal(count("SELECT count(*) FROM detection"), 2);
	assert_int_equal(count("SELECT count FROM detection WHERE"
			       " rule='behaviour_injection' AND severity=4 AND"
			       " cause='behaviour' AND ruleset='behaviour' AND"
			       " pid=20 AND executable='/tmp/attacker' AND"
			       " path='/usr/bin/victim' AND sha256 IS NULL AND"
			       " size IS NULL AND parent_pid=1"),
			 2);
	assert_int_equal(count("SELECT count(*) FROM detection WHERE"
			       " rule='behaviour_escalation' AND severity=5 AND"
			       " attack='T1068' AND pid=40"),
			 1);
	/* Sent again after a death: no second time, and folded all the same. */
	stop();
	start();
	sensor(1, events, 6);
	assert_int_equal(count("SELECT sum(count) FROM detection"), 3);
	events[3].sequence = 6;
	sensor(2, &events[3], 1);
	assert_int_equal(count("SELECT sum(count) FROM detection"), 4);
	assert_int_equal(count("SELECT count(*) FROM detection"), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injections),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_the_table),
		CASE(test_it_is_told_as_a_detection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
