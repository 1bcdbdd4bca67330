/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/sensitive.h"

#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/khien_abi.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define STATE "/var/lib/khien"

/* As object_may_be_sensitive() of the kernel's side looks a path up. */
static bool
passes(const struct khien_names *names, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const char *folder = name - 1;
	__u64 begin = 0;
	__u8 of_name, of_folder;

	if (!names->len)
		return false;
	/* What stands behind a name's end in memory does not matter. */
	char text[16] = "\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee";
	size_t len = strlen(name);
	memcpy(text, name, len < 8 ? len + 1 : 8);
	memcpy(&begin, text, sizeof(begin));
	of_name = names->at[khien_name_place(begin, (__u32)len)] &
		  (KHIEN_NAME_ALONE | KHIEN_NAME_BELOW);
	of_name |= names->at[khien_name_place(begin, KHIEN_NAME_HEAD)] &
		   (KHIEN_HEAD_ALONE | KHIEN_HEAD_BELOW);
	while (folder > path && folder[-1] != '/')
		folder--;
	len = (size_t)(name - 1 - folder);
	memset(text, 0xee, sizeof(text));
	memcpy(text, folder, len < 8 ? len : 8);
	memcpy(&begin, text, sizeof(begin));
	of_folder = names->at[khien_name_place(begin, (__u32)len)];
	return of_name & (KHIEN_NAME_ALONE | KHIEN_HEAD_ALONE) ||
	       of_folder & KHIEN_FOLDER_ALONE ||
	       (of_name && of_folder & KHIEN_FOLDER_ABOVE);
}

static const struct {
	const char *list, *path;
	bool meant;
} cases[] = {
	{ "default", "/etc/shadow", true },
	{ "default", "/etc/gshadow-", true },
	{ "default", "/etc/sudoers.d/README", true },
	{ "default", "/etc/ssh/ssh_host_rsa_key", true },
	{ "default", "/etc/ssh/ssh_host_rsa_key.pub", false },
	{ "default", "/tmp/krb5cc_1000", true },
	{ "default", "/tmp/a/krb5cc_1000", false },
	{ "default", "/home/u/.ssh/id_ed25519", true },
	{ "default", "/home/u/.ssh/id_ed25519.pub", false },
	{ "default", "/home/u/.ssh/backup.pem", true },
	{ "default",
	  "/root"
	  "/.ssh/id_rsa",
	  true },
	{ "default", "/home/u/.mozilla/firefox/x.default/key4.db", true },
	{ "default", "/home/u/.config/google-chrome/Default/Login Data", true },
	{ "default", "/home/u/.kube/config", true },
	{ "default", "/home/u/repo/.git/config", false },
	{ "default", STATE "/store.db", true },
	{ "default", STATE "/quarantine/1", true },
	{ "default", "/etc/passwd", false },
	{ "default", "/usr/lib/x86_64-linux-gnu/libc.so.6", false },
	{ "", "/etc/shadow", false },
	{ "", STATE "/store.db", false },
	{ "/srv/key", "/srv/key", true },
	{ "/srv/key", STATE "/store.db", true },
	{ "/srv/key", "/etc/shadow", false },
	{ "/srv/key:default", "/etc/shadow", true },
	{ "/key", "/key", true },
	{ "/key", "/a/key", false },
	{ "/srv/*/tok*", "/srv/a/token", true },
	{ "/srv/*/tok*", "/srv/a/tok", true },
	{ "/srv/*/tok*", "/srv/a/to", false },
	{ "/srv/a/*", "/srv/a/x", true },
	{ "/srv/a/*", "/srv/b/x", false },
	{ "/srv/a/averyveryverylongname", "/srv/a/averyveryverylongname",
	  true },
};

static void
test_what_is_meant(void **state)
{
	static struct khien_names names;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct sensitive *list;
		assert_int_equal(sensitive_new(cases[i].list, STATE, &list), 0);
		sensitive_fill(list, &names);
		bool meant = sensitive_matches(list, cases[i].path);
		bool passed = passes(&names, cases[i].path);
		sensitive_free(list);
		if (meant != cases[i].meant || (meant && !passed))
			fail_msg("'%s' of '%s': %d, in the kernel %d",
				 cases[i].path, cases[i].list, meant, passed);
	}
}

/* Few other names may pass, or every open would reach the sensor. */
static void
test_few_others_pass(void **state)
{
	static struct khien_names names;
	struct sensitive *list;
	size_t passed = 0;
	char path[64];

	(void)state;
	assert_int_equal(sensitive_new("default", STATE, &list), 0);
	sensitive_fill(list, &names);
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(path, sizeof(path), "/usr/f%d/name%d.h", i % 97,
			       i);
		assert_false(sensitive_matches(list, path));
		passed += passes(&names, path);
	}
	sensitive_free(list);
	assert_in_range(passed, 0, 300);
}

static void
test_what_is_refused(void **state)
{
	static const char *const lists[] = { ":",     "/a/b:",	":/a/b",
					     "/a//b", "defaul", "/*/*",
					     "~x" };

	(void)state;
	for (size_t i = 0; i < LEN(lists); i++) {
		struct sensitive *list = NULL;
		if (sensitive_new(lists[i], STATE, &list) != -EINVAL)
			fail_msg("'%s'", lists[i]);
		assert_null(list);
	}
	sensitive_free(NULL);
}

/* What both lists have passes at every moment of a change. */
static void
test_other_list(void **state)
{
	static struct khien_names names;
	struct sensitive *list;

	(void)state;
	assert_int_equal(sensitive_new("default", STATE, &list), 0);
	sensitive_fill(list, &names);
	sensitive_free(list);
	assert_int_equal(sensitive_new("/srv/key", STATE, &list), 0);
	sensitive_fill(list, &names);
	sensitive_free(list);
	assert_true(passes(&names, "/srv/key"));
	assert_false(passes(&names, "/etc/shadow"));
	assert_int_equal(sensitive_new("", STATE, &list), 0);
	sensitive_fill(list, &names);
	sensitive_free(list);
	assert_int_equal(names.len, 0);
	assert_false(passes(&names, "/srv/key"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_meant),
		cmocka_unit_test(test_few_others_pass),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_other_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
