/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Export files: what is written is read, and nothing else. */
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
#define LONG_NAME "targets/blobs/" A64 "." A64 ".gz"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
put(struct export *export, const char *name, const char *bytes)
{
	struct reason why = { "" };

	if (export_put(export, name, bytes, strlen(bytes), &why) < 0)
		fail_msg("%s: %s", name, why.text);
}

static void
write_sample(struct forge_tar *forge)
{
	struct export *export = NULL;

	assert_int_equal(export_new(forge_tar_sink, forge, &export), 0);
	put(export, "metadata/1.root.json", "root");
	put(export, "metadata/timestamp.json", "timestamp");
	put(export, LONG_NAME, "blob");
	put(export, "targets/releases/ab.7.json.gz", "");
	assert_int_equal(export_end(export, NULL), 0);
	export_free(export);
}

#define SAMPLE                                                                 \
	"metadata/1.root.json=4,metadata/timestamp.json=9," LONG_NAME "=4,"    \
	"targets/releases/ab.7.json.gz=0,"

static void
test_round_trip(void **state)
{
	struct forge_tar forge = { 0 }, again = { 0 };
	struct forge_tar_seen seen = { 0 };
	struct reason why = { "" };

	(void)state;
	write_sample(&forge);
	write_sample(&again);
	assert_int_equal(forge.len, again.len);
	assert_memory_equal(forge.bytes, again.bytes, forge.len);
	if (forge_tar_read(&forge, forge.len, &seen, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(seen.text, SAMPLE);
	assert_int_equal(seen.files, 4);
	forge_tar_done(&forge);
	forge_tar_done(&again);
}

static void
test_put_refuses(void **state)
{
	static const struct {
		const char *name;
		const char *said;
	} cases[] = {
		{ "metadata/a.json", "twice" },
		{ "metadata/Z.json", "behind one" },
		{ "metadata/a.json/b", "below" },
		{ "metadata/b/c", "folder below metadata" },
		{ "metadata/", "empty" },
		{ "metadata", "not below" },
		{ "", "not below" },
		{ "/metadata/a", "not below" },
		{ "./metadata/a", "not below" },
		{ "other/a", "not below" },
		{ "targets/../a", "begins with a dot" },
		{ "targets/a/./b", "begins with a dot" },
		{ "targets/.a", "begins with a dot" },
		{ "targets//a", "empty" },
		{ "targets/a/", "empty" },
		{ "targets/a%2fb", "character" },
		{ "targets/a b", "character" },
		{ "targets/a\\b", "character" },
		{ "targets/a\nb", "character" },
		{ "targets/\xc4\x91", "character" },
		{ "targets/\xff", "character" },
		{ LONG_NAME LONG_NAME LONG_NAME, "too long" },
	};
	struct forge_tar forge = { 0 };
	struct export *export = NULL;

	(void)state;
	assert_int_equal(export_new(forge_tar_sink, &forge, &export), 0);
	put(export, "metadata/a.json", "");
	for (size_t i = 0; i < LEN(cases); i++) {
		struct reason why = { "" };
		int r = export_put(export, cases[i].name, "", 0, &why);
		if (r != -EINVAL || !strstr(why.text, cases[i].said))
			fail_msg("%s: %d, %s", cases[i].name, r, why.text);
	}
	export_free(export);
	forge_tar_done(&forge);
}

/* A sink with room for so many bytes. */
static int
take_some(void *arg, const void *bytes, size_t len)
{
	size_t *room = arg;

	(void)bytes;
	if (len > *room)
		return -ENOSPC;
	*room -= len;
	return 0;
}

/* A disk that is full, at every byte: somebody is told. */
static void
test_full(void **state)
{
	static char large[100000];

	(void)state;
	for (size_t size = 0;; size += 1000) {
		struct export *export = NULL;
		size_t room = size;
		assert_int_equal(export_new(take_some, &room, &export), 0);
		int r = export_put(export, "targets/a", large, sizeof(large),
				   NULL);
		int next = export_put(export, "targets/b", large, 1, NULL);
		int last = export_end(export, NULL);
		export_free(export);
		assert_true(r == 0 || (r == -ENOSPC && next == r));
		assert_true(next == 0 || (next == -ENOSPC && last == next));
		assert_true(last == 0 || last == -ENOSPC);
		assert_true(last == 0 ? size >= sizeof(large) : size < 200000);
		if (last == 0)
			break;
	}
}

/* Who stops in the middle has no export file. */
static void
test_unfinished(void **state)
{
	static char large[100000];
	struct forge_tar forge = { 0 };
	struct export *export = NULL;
	struct forge_tar_seen seen = { 0 };
	struct reason why = { "" };

	(void)state;
	assert_int_equal(export_new(forge_tar_sink, &forge, &export), 0);
	assert_int_equal(
		export_put(export, "targets/a", large, sizeof(large), NULL), 0);
	assert_int_equal(
		export_put(export, "targets/b", large, sizeof(large), NULL), 0);
	export_free(export);
	assert_true(forge.len > sizeof(large));
	assert_int_equal(forge_tar_read(&forge, forge.len, &seen, &why),
			 -EBADMSG);
	forge_tar_done(&forge);
}

static void
test_reader_errors(void **state)
{
	struct forge_tar forge = { 0 };

	(void)state;
	write_sample(&forge);
	for (int i = 1; i <= 3; i++) {
		struct forge_tar_seen seen = { .fail_at = i };
		assert_int_equal(forge_tar_read(&forge, forge.len, &seen, NULL),
				 -ENOSPC);
	}
	const struct export_reader reader = { 0 };
	struct reason why = { "" };
	assert_int_equal(export_read(-1, &reader, &why), -EBADF);
	assert_non_null(strstr(why.text, "cannot be read"));
	forge_tar_done(&forge);
}

/* Cut anywhere: between two files, in one, in the end. */
static void
test_cut(void **state)
{
	struct forge_tar forge = { 0 };
	size_t whole = 0;

	(void)state;
	write_sample(&forge);
	for (size_t len = 0; len <= forge.len; len += 8) {
		struct forge_tar_seen seen = { 0 };
		struct reason why = { "" };
		int r = forge_tar_read(&forge, len, &seen, &why);
		if (r == 0) {
			assert_string_equal(seen.text, SAMPLE);
			whole++;
		} else if (r != -EBADMSG || !why.text[0]) {
			fail_msg("at %zu: %d, %s", len, r, why.text);
		}
	}
	/* The padding behind the two blocks of zeros may be missing. */
	assert_int_equal(whole, 1 + (forge.len - forge_tar_end(&forge)) / 8);
	forge_tar_done(&forge);
}

/*
 * Another byte anywhere is refused or changes what the hashes of metadata
 * cover.  A name in an extended header has no sum, and must still be one.
 */
static void
test_spoiled(void **state)
{
	struct forge_tar forge = { 0 };

	(void)state;
	write_sample(&forge);
	for (size_t i = 0; i < forge.len; i++) {
		struct forge_tar_seen seen = { 0 };
		struct reason why = { "" };
		forge.bytes[i] ^= 0x81;
		int r = forge_tar_read(&forge, forge.len, &seen, &why);
		if (r == 0 ? seen.files != 4 : r != -EBADMSG || !why.text[0])
			fail_msg("byte %zu: %d, %s, %s", i, r, why.text,
				 seen.text);
		forge.bytes[i] ^= 0x81;
	}
	forge_tar_done(&forge);
}

/* From a pipe, a few bytes at a time. */
static void
test_pipe(void **state)
{
	struct forge_tar forge = { 0 };
	struct forge_tar_seen seen = { 0 };
	int ends[2];

	(void)state;
	write_sample(&forge);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(ends[0]);
		for (size_t at = 0; at < forge.len; at += 100)
			if (file_write_all(ends[1], forge.bytes + at,
					   forge.len - at < 100 ?
						   forge.len - at :
						   100) < 0)
				_exit(1);
		_exit(0);
	}
	(void)close(ends[1]);
	assert_int_equal(forge_tar_read_fd(ends[0], &seen, NULL), 0);
	(void)close(ends[0]);
	assert_string_equal(seen.text, SAMPLE);
	forge_tar_done(&forge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_put_refuses),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_reader_errors),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_spoiled),
		cmocka_unit_test(test_pipe),
	};

	return export_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
