/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/conf.h"

static uint8_t bytes[64 * 1024];
static char long_path[CONF_PATH_MAX + 1];
static struct conf conf, back;

static void
test_defaults(void **state)
{
	(void)state;
	conf_init(&conf);
	assert_string_equal(conf.state_dir, "/var/lib/khien");
	assert_string_equal(conf.run_dir, "/run/khien");
	assert_string_equal(conf.group, "khien");
	assert_int_equal(conf.proof_s, 60);
	assert_true(conf.process && conf.file);
	assert_string_equal(conf.mode, "observe");
	assert_string_equal(conf.watch, "");
	assert_string_equal(conf.enforce, "");
	assert_int_equal(conf.deadline_ms, 500);
	assert_string_equal(conf.on_deadline, "allow");
	assert_string_equal(conf.on_crash, "deny");
	assert_string_equal(conf.on_unreached, "kill");
	assert_string_equal(conf.scope_cgroup, "");
	assert_false(conf.guard);
	assert_string_equal(conf.on_malicious, "block");
	assert_string_equal(conf.min_severity, "high");
	assert_int_equal(conf.workers, 0);
	assert_int_equal(conf.max_size, 512 << 20);
	assert_int_equal(conf.timeout_ms, 10000);
	assert_string_equal(conf.rules_dir, "/usr/share/khien/rules");
	assert_string_equal(conf.local_dir, "/etc/khien/rules.d");
	assert_int_equal(conf.max_size_mb, 512);
	assert_int_equal(conf.retention_days, 30);
	assert_string_equal(conf.url, "");
	assert_string_equal(conf.ca, "");
	assert_string_equal(conf.proxy, "");
	assert_string_equal(conf.place, "");
	assert_string_equal(conf.trust, "/usr/share/khien/update");
}

/* A long table, and nothing else. */
static void
test_set(void **state)
{
	static const struct {
		const char *section, *key, *value;
		int r;
	} cases[] = {
		{ "agent", "state_dir", "/a", 0 },
		{ "agent", "state_dir", "a", -EINVAL },
		{ "agent", "state_dir", "", -EINVAL },
		{ "agent", "run_dir", "/with space", 0 },
		{ "agent", "proof_s", "0", 0 },
		{ "agent", "proof_s", "10", 0 },
		{ "agent", "proof_s", "3600", 0 },
		{ "agent", "proof_s", "9", -EINVAL },
		{ "agent", "proof_s", "3601", -EINVAL },
		{ "agent", "proof_s", "", -EINVAL },
		{ "agent", "group", "root", 0 },
		{ "agent", "group", "", -EINVAL },
		{ "agent", "group", "a2345678901234567890123456789012", 0 },
		{ "agent", "group", "a23456789012345678901234567890123",
		  -EINVAL },
		{ "agent", "statedir", "/a", -ENOENT },
		{ "Agent", "state_dir", "/a", -ENOENT },
		{ "", "state_dir", "/a", -ENOENT },
		{ "sensor", "process", "on", 0 },
		{ "sensor", "process", "off", 0 },
		{ "sensor", "process", "yes", -EINVAL },
		{ "sensor", "file", "", -EINVAL },
		{ "sensor", "sensitive", "", 0 },
		{ "sensor", "sensitive", "default", 0 },
		{ "sensor", "sensitive", "default:/srv/*/key*:~/.key", 0 },
		{ "sensor", "sensitive", "defaults", -EINVAL },
		{ "sensor", "sensitive", "/srv/key:", -EINVAL },
		{ "sensor", "sensitive", "/srv/*/*", -EINVAL },
		{ "gate", "mode", "off", 0 },
		{ "gate", "mode", "observe", 0 },
		{ "gate", "mode", "enforce", 0 },
		{ "gate", "mode", "watching", -EINVAL },
		{ "gate", "mode", "", -EINVAL },
		{ "gate", "mode", "off ", -EINVAL },
		{ "gate", "mode", "off observe", -EINVAL },
		{ "gate", "deadline_ms", "50", 0 },
		{ "gate", "deadline_ms", "49", -EINVAL },
		{ "gate", "deadline_ms", "10001", -EINVAL },
		{ "gate", "on_deadline", "deny", 0 },
		{ "gate", "on_deadline", "block", -EINVAL },
		{ "gate", "on_crash", "allow", 0 },
		{ "gate", "on_crash", "Allow", -EINVAL },
		{ "gate", "on_unreached", "hold", 0 },
		{ "gate", "on_unreached", "deny", -EINVAL },
		{ "gate", "scope_cgroup", "", 0 },
		{ "gate", "scope_cgroup", "/sys/fs/cgroup/a", 0 },
		{ "gate", "scope_cgroup", "a", -EINVAL },
		{ "guard", "mode", "on", 0 },
		{ "guard", "mode", "enforce", -EINVAL },
		{ "action", "on_malicious", "quarantine", 0 },
		{ "action", "on_malicious", "delete", -EINVAL },
		{ "action", "min_severity", "informational", 0 },
		{ "action", "min_severity", "severe", -EINVAL },
		{ "gate", "watch", "", 0 },
		{ "gate", "watch", "/a:/b", 0 },
		{ "gate", "watch", "/a:b", -EINVAL },
		{ "gate", "watch", "/a:", -EINVAL },
		{ "gate", "exclude", "/proc:/sys", 0 },
		{ "gate", "exclude", "proc", -EINVAL },
		{ "scan", "workers", "0", 0 },
		{ "scan", "workers", "-1", -EINVAL },
		{ "scan", "workers", "4294967296", -EINVAL },
		{ "scan", "workers", "two", -EINVAL },
		{ "scan", "timeout_ms", "10000", 0 },
		{ "scan", "timeout_ms", "10 s", -EINVAL },
		{ "scan", "max_size", "1048576", 0 },
		{ "scan", "max_size", "99999999999999999999", -EINVAL },
		{ "store", "max_size_mb", "512", 0 },
		{ "store", "retention_days", "30", 0 },
		{ "store", "retention_days", "0x1e", -EINVAL },
		{ "rules", "dir", "/r", 0 },
		{ "rules", "local_dir", "../r", -EINVAL },
		{ "update", "url", "", 0 },
		{ "update", "url", "https://a.example", 0 },
		{ "update", "url", "https://a.example/r http://[::1]:80/", 0 },
		{ "update", "url", "a.example", -EINVAL },
		{ "update", "url", "ftp://a.example", -EINVAL },
		{ "update", "url", "https://", -EINVAL },
		{ "update", "url", "https:///a", -EINVAL },
		{ "update", "url", "https://a b", -EINVAL },
		{ "update", "url", "https://a  https://b", -EINVAL },
		{ "update", "url", " https://a", -EINVAL },
		{ "update", "url", "https://a ", -EINVAL },
		{ "update", "url", "https://me:pw@a/", -EINVAL },
		{ "update", "url", "https://a/?key=1", -EINVAL },
		{ "update", "url", "https://a/\xc3\xa4", -EINVAL },
		{ "update", "url",
		  "http://1 http://2 http://3 http://4 http://5 http://6 "
		  "http://7 http://8",
		  0 },
		{ "update", "url",
		  "http://1 http://2 http://3 http://4 http://5 http://6 "
		  "http://7 http://8 http://9",
		  -EINVAL },
		{ "update", "ca", "", 0 },
		{ "update", "ca", "/a.pem", 0 },
		{ "update", "ca", "a.pem", -EINVAL },
		{ "update", "proxy", "", 0 },
		{ "update", "proxy", "http://p:3128", 0 },
		{ "update", "proxy", "http://p http://q", -EINVAL },
		{ "update", "proxy", "http://me:pw@p", -EINVAL },
		{ "update", "place", "", 0 },
		{ "update", "place", "0", 0 },
		{ "update", "place", "100", 0 },
		{ "update", "place", "101", -EINVAL },
		{ "update", "place", "-1", -EINVAL },
		{ "update", "place", "5%", -EINVAL },
		{ "update", "trust", "/t", 0 },
		{ "update", "trust", "", -EINVAL },
		{ "update", "interval", "1", -EOPNOTSUPP },
		{ "update", "ring", "1", -EOPNOTSUPP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = NULL;
		conf_init(&conf);
		back = conf;
		int r = conf_set(&conf, cases[i].section, cases[i].key,
				 cases[i].value, &why);
		if (r != cases[i].r)
			print_message("%s.%s = %s\n", cases[i].section,
				      cases[i].key, cases[i].value);
		assert_int_equal(r, cases[i].r);
		if (r == -EINVAL)
			assert_true(why && *why);
	}
}

static void
test_bad_word_changes_nothing(void **state)
{
	const char *why = NULL;

	(void)state;
	conf_init(&conf);
	assert_int_equal(conf_set(&conf, "gate", "mode", "enforced", &why),
			 -EINVAL);
	assert_non_null(strstr(why, "enforce"));
	assert_string_equal(conf.mode, "observe");
}

static void
test_long_path(void **state)
{
	const char *why;

	(void)state;
	conf_init(&conf);
	memset(long_path, '/', CONF_PATH_MAX - 1);
	assert_int_equal(conf_set(&conf, "rules", "dir", long_path, &why), 0);
	long_path[CONF_PATH_MAX - 1] = '/';
	assert_int_equal(conf_set(&conf, "rules", "dir", long_path, &why),
			 -EINVAL);
}

static void
fill(void)
{
	const char *why;

	conf_init(&conf);
	assert_int_equal(conf_set(&conf, "agent", "state_dir", "/s", &why), 0);
	assert_int_equal(conf_set(&conf, "gate", "watch", "/w:/x", &why), 0);
	assert_int_equal(conf_set(&conf, "gate", "enforce", "/y", &why), 0);
	assert_int_equal(conf_set(&conf, "gate", "mode", "off", &why), 0);
	assert_int_equal(conf_set(&conf, "sensor", "file", "off", &why), 0);
	assert_int_equal(conf_set(&conf, "agent", "proof_s", "77", &why), 0);
	assert_int_equal(conf_set(&conf, "guard", "mode", "on", &why), 0);
	for (uint32_t i = 0; i < CONF_ROLES_MAX; i++) {
		conf.role_uid[i] = 100 + i;
		conf.role_gid[i] = 200 + i;
	}
	conf.group_gid = 300;
	conf.guard_disarmed = true;
}

/* No key is left behind, whatever its kind. */
static void
compare_all(void)
{
	static char first[CONF_PATH_MAX], second[CONF_PATH_MAX];
	const char *section, *key;

	for (size_t i = 0;
	     conf_list(&conf, i, &section, &key, first, sizeof(first)) == 0;
	     i++) {
		assert_int_equal(conf_list(&back, i, &section, &key, second,
					   sizeof(second)),
				 0);
		assert_string_equal(first, second);
	}
}

static void
test_round_trip(void **state)
{
	struct buf buf;

	(void)state;
	fill();
	buf_init_write(&buf, bytes, sizeof(bytes));
	conf_put(&buf, &conf);
	assert_true(buf_done(&buf));
	memset(&back, 0, sizeof(back));
	buf_init_read(&buf, bytes, buf.at);
	assert_int_equal(conf_get(&buf, &back), 0);
	compare_all();
	assert_string_equal(back.state_dir, "/s");
	assert_string_equal(back.watch, "/w:/x");
	assert_string_equal(back.enforce, "/y");
	assert_string_equal(back.mode, "off");
	assert_string_equal(back.local_dir, conf.local_dir);
	assert_true(back.process && !back.file);
	assert_int_equal(back.max_size, conf.max_size);
	assert_int_equal(back.timeout_ms, conf.timeout_ms);
	assert_int_equal(back.max_size_mb, conf.max_size_mb);
	assert_int_equal(back.retention_days, conf.retention_days);
	assert_memory_equal(back.role_uid, conf.role_uid,
			    sizeof(back.role_uid));
	assert_memory_equal(back.role_gid, conf.role_gid,
			    sizeof(back.role_gid));
	assert_int_equal(back.group_gid, 300);
	assert_true(back.guard_disarmed);
}

static void
test_every_cut_is_refused(void **state)
{
	struct buf buf;
	size_t whole;

	(void)state;
	fill();
	buf_init_write(&buf, bytes, sizeof(bytes));
	conf_put(&buf, &conf);
	whole = buf.at;
	for (size_t size = 0; size <= whole + 1; size++) {
		buf_init_read(&buf, bytes, size);
		assert_int_equal(conf_get(&buf, &back),
				 size == whole ? 0 : -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_bad_word_changes_nothing),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
