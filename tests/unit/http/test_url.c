/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are asked, and where a server may send us. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/http/url.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void
test_check(void **state)
{
	static const struct {
		const char *url;
		int r;
	} cases[] = {
		{ "http://a", 0 },
		{ "https://a/", 0 },
		{ "https://mirror.example:8443/khien/v1/", 0 },
		{ "http://[::1]:80/a", 0 },
		{ "http://a/%C3%A9", 0 },
		{ "http://a/b@c", 0 },
		{ "", -EINVAL },
		{ "a", -EINVAL },
		{ "//a", -EINVAL },
		{ "http:", -EINVAL },
		{ "http://", -EINVAL },
		{ "http:///a", -EINVAL },
		{ "https://:443/a", -EINVAL },
		{ "HTTP://a", -EINVAL },
		{ "ftp://a", -EINVAL },
		{ "file:///etc/passwd", -EINVAL },
		{ "httpss://a", -EINVAL },
		{ "http://u@a", -EINVAL },
		{ "http://u:p@a/", -EINVAL },
		{ "http://@a/", -EINVAL },
		{ "http://a/?b", -EINVAL },
		{ "http://a/#b", -EINVAL },
		{ "http://a#@b/", -EINVAL },
		{ "http://a b/", -EINVAL },
		{ "http://a\nb/", -EINVAL },
		{ "http://a\\b/", -EINVAL },
		{ "http://a/\xc3\xa9", -EINVAL },
		{ "http://a/\x7f", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct reason why = { "" };
		int r = url_check(cases[i].url, &why);
		if (r != cases[i].r)
			fail_msg("'%s' is %d: %s", cases[i].url, r, why.text);
		assert_int_equal(why.text[0] != '\0', r < 0);
	}
	assert_int_equal(url_check_proxy("http://a:3128", NULL), 0);
	assert_int_equal(url_check_proxy("http://a:3128/", NULL), 0);
	assert_int_equal(url_check_proxy("http://a:3128/b", NULL), -EINVAL);
	assert_int_equal(url_check_proxy("socks5h://a", NULL), -EINVAL);
}

static void
test_lengths(void **state)
{
	static char url[URL_SIZE + 1] = "http://";

	(void)state;
	memset(url + 7, 'a', URL_SIZE - 7);
	assert_int_equal(url_check(url, NULL), -EINVAL);
	assert_int_equal(url_check_redirect("http://a/", url, NULL), -EPROTO);
	url[URL_SIZE - 1] = '\0';
	assert_int_equal(url_check(url, NULL), 0);
	assert_int_equal(url_check_redirect("http://a/", url, NULL), 0);
}

static void
test_path(void **state)
{
	static const struct {
		const char *path;
		int r;
	} cases[] = {
		{ "timestamp.json", 0 },  { "blobs/0123.abc.gz", 0 },
		{ "a%20b/%C3%A9", 0 },	  { "...", 0 },
		{ "a..b/.c", 0 },	  { "a%3Fb%23c", 0 },
		{ "~a!$&'()*+,;=:@", 0 }, { "", -EINVAL },
		{ "/a", -EINVAL },	  { "a/", -EINVAL },
		{ "a//b", -EINVAL },	  { ".", -EINVAL },
		{ "a/.", -EINVAL },	  { "..", -EINVAL },
		{ "a/../b", -EINVAL },	  { "%2e%2E/b", -EINVAL },
		{ ".%2e", -EINVAL },	  { "%2e", -EINVAL },
		{ "1.%2Fa.json", 0 },	  { "a%5Cb", 0 },
		{ "a\\b", -EINVAL },	  { "a%00b", -EINVAL },
		{ "a%0ab", -EINVAL },	  { "a%7f", -EINVAL },
		{ "a%", -EINVAL },	  { "a%4", -EINVAL },
		{ "a%4g", -EINVAL },	  { "a%g4", -EINVAL },
		{ "a?b", -EINVAL },	  { "a#b", -EINVAL },
		{ "a b", -EINVAL },	  { "a\nb", -EINVAL },
		{ "\xc3\xa9", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		int r = url_check_path(cases[i].path, NULL);
		if (r != cases[i].r)
			fail_msg("'%s' is %d", cases[i].path, r);
	}
}

static void
test_join(void **state)
{
	char url[32];

	(void)state;
	assert_int_equal(url_join(url, sizeof(url), "http://a", "targets",
				  "b/c.gz", NULL),
			 0);
	assert_string_equal(url, "http://a/targets/b/c.gz");
	assert_int_equal(url_join(url, sizeof(url), "http://a/b//", "targets",
				  "c", NULL),
			 0);
	assert_string_equal(url, "http://a/b/targets/c");
	assert_int_equal(
		url_join(url, sizeof(url), "http://a/b/", "", "c", NULL), 0);
	assert_string_equal(url, "http://a/b/c");
	assert_int_equal(url_join(url, sizeof(url), "http://a", "", "../b",
				  NULL),
			 -EINVAL);
	/* Just, and just not. */
	assert_int_equal(url_join(url, sizeof(url), "http://a", "",
				  "0123456789012345678901", NULL),
			 0);
	assert_int_equal(url_join(url, sizeof(url), "http://a", "",
				  "01234567890123456789012", NULL),
			 -ENAMETOOLONG);
}

static void
test_redirect(void **state)
{
	static const struct {
		const char *from, *to;
		int r;
	} cases[] = {
		{ "http://a/", "http://b/", 0 },
		{ "http://a/", "https://b/?x#y", 0 },
		{ "https://a/", "https://b/", 0 },
		{ "https://a/", "http://a/", -EPROTO },
		{ "http://a/", "ftp://b/", -EPROTO },
		{ "http://a/", "file:///b", -EPROTO },
		{ "http://a/", "/b", -EPROTO },
		{ "http://a/", "", -EPROTO },
		{ "http://a/", "http://u:p@b/", -EPROTO },
		{ "http://a/", "https://u@b", -EPROTO },
		{ "http://a/", "https://b/x@y", 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		int r = url_check_redirect(cases[i].from, cases[i].to, NULL);
		if (r != cases[i].r)
			fail_msg("%s to %s is %d", cases[i].from, cases[i].to,
				 r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),	 cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_path),	 cmocka_unit_test(test_join),
		cmocka_unit_test(test_redirect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
