/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Export files that somebody else made. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"
#include "tests/unit/release/forge_tar.h"
#include "updater/release/export.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Forged entries. */

static const struct {
	const char *what;
	struct forge_tar_entry entry;
	const char *said; /* NULL: it is accepted */
} entries[] = {
	{ "plain", { .name = "targets/b" }, NULL },
	{ "of old tar", { .name = "targets/b", .type = '\0' }, NULL },
	{ "dots", { .name = "targets/../b" }, "begins with a dot" },
	{ "only dots", { .name = ".." }, "not below" },
	{ "climbing", { .name = "targets/../../b" }, "begins with a dot" },
	{ "absolute", { .name = "/targets/b" }, "not below" },
	{ "etc", { .name = "/etc/passwd" }, "not below" },
	{ "hidden", { .name = "targets/.b" }, "begins with a dot" },
	{ "with ./", { .name = "./targets/b" }, "not below" },
	{ "empty part", { .name = "targets//b" }, "empty" },
	{ "percent", { .name = "targets/%2e%2e" }, "character" },
	{ "control", { .name = "targets/b\x1b[2J" }, "character" },
	{ "newline", { .name = "targets/b\n" }, "character" },
	{ "backslash", { .name = "targets\\b" }, "not below" },
	{ "another script", { .name = "targets/\xc4\x91" }, "" },
	{ "no UTF-8", { .name = "targets/\xff" }, "" },
	{ "no name", { .name = "" }, "" },
	{ "a folder", { .name = "targets/b", .type = '5' }, "no regular" },
	{ "a folder by slash", { .name = "targets/b/" }, "no regular" },
	{ "a symbolic link",
	  { .name = "targets/b", .type = '2', .link = "/etc/passwd" },
	  "is a link" },
	{ "a hard link",
	  { .name = "targets/b", .type = '1', .link = "targets/a" },
	  "is a link" },
	{ "a hard link with bytes",
	  { .name = "targets/b", .type = '1', .link = "a", .bytes = "x" },
	  "is a link" },
	{ "a character device",
	  { .name = "targets/b", .type = '3' },
	  "no regular" },
	{ "a block device",
	  { .name = "targets/b", .type = '4' },
	  "no regular" },
	{ "a fifo", { .name = "targets/b", .type = '6' }, "no regular" },
	{ "twice", { .name = "targets/a" }, "twice" },
	{ "out of order", { .name = "metadata/b" }, "behind one" },
	{ "below a file", { .name = "targets/a/b" }, "below another" },
};

static void
test_entries(void **state)
{
	const struct forge_tar_entry first = { .name = "targets/a",
					       .bytes = "a" };

	(void)state;
	for (size_t i = 0; i < LEN(entries); i++) {
		struct forge_tar forge = { 0 };
		struct forge_tar_seen seen = { 0 };
		struct reason why = { "" };
		const char *said = entries[i].said;
		forge_tar_add(&forge, &first);
		forge_tar_add(&forge, &entries[i].entry);
		forge_tar_zeros(&forge, 1024);
		int r = forge_tar_read(&forge, forge.len, &seen, &why);
		if (r != (said ? -EBADMSG : 0) ||
		    (said && !strstr(why.text, said)) ||
		    (said && !why.text[0]) || seen.files != (said ? 1 : 2))
			fail_msg("%s: %d, %s", entries[i].what, r, why.text);
		forge_tar_done(&forge);
	}
}

/* Extended headers: a name and a size that the header itself does not have. */
static void
test_extended(void **state)
{
	static const struct {
		const char *record;
		const char *seen;
		const char *said;
	} cases[] = {
		{ "18 path=targets/b\n", "targets/b=1,", NULL },
		{ "23 path=targets/../b\n\n", "", NULL },
		{ "21 path=targets/../b\n", "", "begins with a dot" },
		/* Of a file that is no link it says nothing. */
		{ "22 linkpath=targets/b\n", "targets/a=1,", NULL },
		{ "20 path=/etc/passwd\n", "", "not below" },
		{ "18 path=targets/\xff\n", "", NULL },
		{ "12 size=100\n", "targets/a=100,", NULL },
		{ "13 size=9999\n", "", NULL },
		{ "31 size=9223372036854775807999\n", "", NULL },
		{ "11 size=-1\n", "", NULL },
		{ "9999 path=targets/b\n", "", NULL },
		{ "x path=targets/b\n", "", NULL },
		{ "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
		  "32 GNU.sparse.name=targets/evil\n"
		  "30 GNU.sparse.realsize=999999\n",
		  "", NULL },
		{ "23 GNU.sparse.size=999\n"
		  "26 GNU.sparse.numblocks=1\n"
		  "24 GNU.sparse.map=500,1\n",
		  "", "which has holes" },
		{ "23 GNU.sparse.size=999\n"
		  "26 GNU.sparse.numblocks=1\n"
		  "22 GNU.sparse.map=0,1\n",
		  "", "which is not whole" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct forge_tar_entry extended = {
			.name = "x", .type = 'x', .bytes = cases[i].record
		};
		const struct forge_tar_entry file = { .name = "targets/a",
						      .bytes = "a" };
		struct forge_tar forge = { 0 };
		struct forge_tar_seen seen = { 0 };
		struct reason why = { "" };
		forge_tar_add(&forge, &extended);
		forge_tar_add(&forge, &file);
		forge_tar_zeros(&forge, 1024);
		int r = forge_tar_read(&forge, forge.len, &seen, &why);
		bool good = cases[i].seen[0];
		if ((r == 0) != good || (r < 0 && !why.text[0]) ||
		    (cases[i].said && !strstr(why.text, cases[i].said)) ||
		    (good && strcmp(seen.text, cases[i].seen) != 0))
			fail_msg("%s: %d, %s, %s", cases[i].record, r, why.text,
				 seen.text);
		forge_tar_done(&forge);
	}
}

/* Behind the end nothing but zeros, and no archive in an archive's form. */
static void
test_shapes(void **state)
{
	static const struct {
		const char *what;
		size_t zeros;
		const char *tail;
		size_t more;
		const char *said;
	} cases[] = {
		{ "whole", 1024, "", 0, NULL },
		{ "padded", 1024, "", 512 * 1000, NULL },
		{ "no end", 0, "", 0, "cut off" },
		{ "half an end", 512, "", 0, "cut off" },
		{ "almost an end", 1023, "", 0, "cut off" },
		{ "a byte behind", 1024, "x", 0, "bytes behind" },
		{ "a byte far behind", 512 * 1000, "x", 0, "bytes behind" },
		{ "a byte and zeros", 1024, "x", 2048, "bytes behind" },
		{ "half an end and more", 512, "x", 2048, "" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct forge_tar_entry file = { .name = "targets/a",
						      .bytes = "a" };
		struct forge_tar forge = { 0 };
		struct forge_tar_seen seen = { 0 };
		struct reason why = { "" };
		forge_tar_add(&forge, &file);
		forge_tar_zeros(&forge, cases[i].zeros);
		forge_tar_bytes(&forge, cases[i].tail, strlen(cases[i].tail));
		forge_tar_zeros(&forge, cases[i].more);
		int r = forge_tar_read(&forge, forge.len, &seen, &why);
		if (r != (cases[i].said ? -EBADMSG : 0) ||
		    (r < 0 && !strstr(why.text, cases[i].said)))
			fail_msg("%s: %d, %s", cases[i].what, r, why.text);
		forge_tar_done(&forge);
	}
}

static void
test_no_archive(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "", 0 },
		{ "x", 1 },
		{ "{\"format\":1}", 12 },
		{ "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03", 10 },
		{ "PK\x03\x04", 4 },
		{ "070701", 6 },
		{ "!<arch>\n", 8 },
	};
	struct forge_tar empty = { 0 };
	struct forge_tar_seen seen = { 0 };
	struct reason why = { "" };

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		why.text[0] = '\0';
		struct forge_tar forge = { 0 };
		forge_tar_bytes(&forge, cases[i].bytes, cases[i].len);
		assert_int_equal(forge_tar_read(&forge, forge.len, &seen, &why),
				 -EBADMSG);
		assert_true(why.text[0]);
		forge_tar_done(&forge);
	}
	forge_tar_zeros(&empty, 10240);
	assert_int_equal(forge_tar_read(&empty, empty.len, &seen, &why),
			 -EBADMSG);
	assert_non_null(strstr(why.text, "no files"));
	assert_string_equal(seen.text, "");
	forge_tar_done(&empty);
}

/* A size that is never there, and one that no export has. */
static void
test_sizes(void **state)
{
	static const struct {
		uint64_t size;
		int r;
	} cases[] = {
		{ 2, -EBADMSG },
		{ 100000, -EBADMSG },
		{ EXPORT_SIZE_MAX, -EBADMSG },
		{ EXPORT_SIZE_MAX + 1, -EFBIG },
		{ 077777777777, -EFBIG },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct forge_tar_entry file = { .name = "targets/a",
						      .size = cases[i].size };
		struct forge_tar forge = { 0 };
		struct forge_tar_seen seen = { 0 };
		struct reason why = { "" };
		forge_tar_add(&forge, &file);
		int r = forge_tar_read(&forge, forge.len, &seen, &why);
		if (r != cases[i].r || !why.text[0])
			fail_msg("%zu: %d, %s", i, r, why.text);
		assert_int_equal(seen.files, 0);
		forge_tar_done(&forge);
	}
}

/* Zeros may follow the end, but not without end. */
static void
test_endless(void **state)
{
	static const struct {
		long long size;
		int r;
	} cases[] = { { EXPORT_SIZE_MAX, 0 }, { EXPORT_SIZE_MAX + 1, -EFBIG } };
	const struct forge_tar_entry file = { .name = "targets/a" };
	struct forge_tar forge = { 0 };

	(void)state;
	forge_tar_add(&forge, &file);
	for (size_t i = 0; i < LEN(cases); i++) {
		struct forge_tar_seen seen = { 0 };
		struct reason why = { "" };
		CLEANUP_FD int fd = memfd_create("export", MFD_CLOEXEC);
		assert_int_equal(pwrite(fd, forge.bytes, forge.len, 0),
				 forge.len);
		assert_int_equal(ftruncate(fd, cases[i].size), 0);
		assert_int_equal(forge_tar_read_fd(fd, &seen, &why),
				 cases[i].r);
		if (cases[i].r < 0)
			assert_non_null(
				strstr(why.text, "more than 536870912"));
	}
	forge_tar_done(&forge);
}

/* As many files as there may be, and one more. */
static void
test_many(void **state)
{
	struct forge_tar forge = { 0 };
	struct forge_tar_seen seen = { 0 };
	struct reason why = { "" };
	char name[32];

	(void)state;
	for (int i = 0; i <= EXPORT_ENTRIES_MAX; i++) {
		const struct forge_tar_entry file = { .name = name };
		(void)snprintf(name, sizeof(name), "targets/%08d", i);
		forge_tar_add(&forge, &file);
	}
	forge_tar_zeros(&forge, 1024);
	assert_int_equal(forge_tar_read(&forge, forge.len, &seen, &why),
			 -EFBIG);
	assert_int_equal(seen.files, EXPORT_ENTRIES_MAX);
	assert_non_null(strstr(why.text, "more than 20000"));
	/* Without the last one. */
	forge.len -= 1024 + 512;
	forge_tar_zeros(&forge, 1024);
	assert_int_equal(forge_tar_read(&forge, forge.len, &seen, &why), 0);
	forge_tar_done(&forge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_no_archive),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_many),
	};

	return export_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
