/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/listeners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_fdinfo(void **state)
{
	static const struct {
		const char *text;
		bool holds, asks;
	} cases[] = {
		{ "", false, false },
		{ "pos:\t0\nflags:\t02\nmnt_id:\t15\n", false, false },
		/* A group that is only told. */
		{ "flags:\t02\nfanotify flags:0 event-flags:0\n"
		  "fanotify sdev:800013 mflags:0 mask:3b ignored_mask:0\n",
		  false, false },
		/* One that may ask, with marks that do not. */
		{ "flags:\t02\nfanotify flags:4 event-flags:0\n", true, false },
		{ "fanotify flags:4 event-flags:8000\n"
		  "fanotify mnt_id:12 mflags:0 mask:3b ignored_mask:0\n",
		  true, false },
		/* What it ignores it does not ask. */
		{ "fanotify flags:4 event-flags:8000\n"
		  "fanotify mnt_id:12 mflags:0 mask:3b ignored_mask:10000\n",
		  true, false },
		{ "fanotify flags:4 event-flags:8000\n"
		  "fanotify mnt_id:12 mflags:0 mask:10000 ignored_mask:0\n",
		  true, true },
		{ "fanotify flags:c8 event-flags:8000\n"
		  "fanotify ino:4f sdev:800013 mflags:0 mask:40000 "
		  "ignored_mask:0 fhandle-bytes:8\n"
		  "fanotify ino:50 sdev:800013 mflags:0 mask:1",
		  true, true },
		/* Cut in the middle. */
		{ "fanotify fla", false, false },
		{ "fanotify flags:", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		bool asks;

		(void)snprintf(text, sizeof(text), "%s", cases[i].text);
		assert_int_equal(listeners_read(text, &asks), cases[i].holds);
		assert_int_equal(asks, cases[i].asks);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fdinfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
