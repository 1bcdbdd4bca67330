/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packed files: one member, whole, as long as it should be, and no more. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/release/blob.h"
#include "updater/release/gzip.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT "rule a { condition: true }\n"
#define TEXT_LEN (sizeof(TEXT) - 1)
#define HEADER 10
#define LARGE (3 * 1024 * 1024 + 1)

/* Python's gzip.compress(TEXT, 9, mtime=0), its byte for the system set. */
static const uint8_t text_packed[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0x2a,
	0xcd, 0x49, 0x55, 0x48, 0x54, 0xa8, 0x56, 0x48, 0xce, 0xcf, 0x4b, 0xc9,
	0x2c, 0xc9, 0xcc, 0xcf, 0xb3, 0x52, 0x28, 0x29, 0x2a, 0x4d, 0x55, 0xa8,
	0xe5, 0x02, 0x00, 0xcf, 0xcb, 0x07, 0xb7, 0x1b, 0x00, 0x00, 0x00
};

struct seen {
	uint64_t len;
	uint64_t max; /* the sink fails above this */
};

static int
count(void *arg, const void *bytes, size_t len)
{
	struct seen *seen = arg;

	(void)bytes;
	seen->len += len;
	return seen->len > seen->max ? -ENOSPC : 0;
}

/* In pieces of `step` bytes. */
static int
unpack(const uint8_t *bytes, size_t len, size_t step, uint64_t min,
       uint64_t max, struct seen *seen, struct reason *why)
{
	struct gzip *gzip = NULL;
	int r = gzip_new(min, max, count, seen, &gzip);

	assert_int_equal(r, 0);
	for (size_t at = 0; at < len && r == 0; at += step)
		r = gzip_add(gzip, bytes + at,
			     step < len - at ? step : len - at, why);
	/* What was refused stays so. */
	if (r < 0) {
		assert_int_equal(gzip_add(gzip, bytes, len, NULL), r);
		assert_int_equal(gzip_end(gzip, NULL), r);
	}
	if (r == 0)
		r = gzip_end(gzip, why);
	gzip_free(gzip);
	return r;
}

static uint8_t *
large(uint8_t byte)
{
	uint8_t *bytes = malloc(LARGE);
	uint32_t seed = byte;

	assert_non_null(bytes);
	for (size_t i = 0; i < LARGE; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = byte ? (uint8_t)(seed >> 24) : 0;
	}
	return bytes;
}

static void
test_reproducible(void **state)
{
	uint8_t *once = NULL, *twice = NULL;
	size_t len, again;

	(void)state;
	assert_int_equal(gzip_pack(TEXT, TEXT_LEN, &once, &len), 0);
	assert_int_equal(gzip_pack(TEXT, TEXT_LEN, &twice, &again), 0);
	assert_int_equal(len, again);
	assert_memory_equal(once, twice, len);
	/* What another zlib may differ in comes behind the header. */
	assert_memory_equal(once, text_packed, HEADER);
	free(once);
	free(twice);
	assert_int_equal(gzip_pack(NULL, 1024 * 1024 * 1024 + 1, &once, &len),
			 -EFBIG);
}

static void
test_round_trip(void **state)
{
	static const size_t lens[] = { 0,     1,     2,	     65535,
				       65536, 65537, 131072, LARGE };
	(void)state;
	for (int way = 0; way < 2; way++) {
		uint8_t *bytes = large((uint8_t)way);
		for (size_t i = 0; i < LEN(lens); i++) {
			uint8_t *packed = NULL, *raw = NULL;
			size_t len, raw_len;
			assert_int_equal(
				gzip_pack(bytes, lens[i], &packed, &len), 0);
			assert_int_equal(gzip_unpack(packed, len, lens[i],
						     lens[i], &raw, &raw_len,
						     NULL),
					 0);
			assert_int_equal(raw_len, lens[i]);
			assert_memory_equal(raw, bytes, lens[i]);
			assert_int_equal(raw[raw_len], 0);
			free(raw);
			free(packed);
		}
		free(bytes);
	}
}

/* However it comes in. */
static void
test_steps(void **state)
{
	static const size_t steps[] = { 1, 2, 7, 100, 4096, 65536, LARGE };
	uint8_t *bytes = large(1), *packed = NULL;
	size_t len;

	(void)state;
	assert_int_equal(gzip_pack(bytes, 100000, &packed, &len), 0);
	for (size_t i = 0; i < LEN(steps); i++) {
		struct seen seen = { 0, LARGE };
		assert_int_equal(unpack(packed, len, steps[i], 100000, 100000,
					&seen, NULL),
				 0);
		assert_int_equal(seen.len, 100000);
	}
	/* One of these fills a piece of the output with its last byte. */
	for (size_t step = 65536; step < 65700; step++) {
		struct seen seen = { 0, LARGE };
		assert_int_equal(unpack(packed, len, step, 100000, 100000,
					&seen, NULL),
				 0);
		assert_int_equal(seen.len, 100000);
	}
	free(packed);
	free(bytes);
}

/* Every length but the right one. */
static void
test_cut(void **state)
{
	struct reason why = { "" };
	struct seen seen = { 0, LARGE };

	(void)state;
	for (size_t len = 0; len < sizeof(text_packed); len++) {
		assert_int_equal(unpack(text_packed, len, 1, TEXT_LEN, TEXT_LEN,
					&seen, &why),
				 -EBADMSG);
		assert_string_equal(why.text, "is cut off");
	}
}

/* Any byte of it that is another, but those of the header that say nothing. */
static void
test_spoiled(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text_packed); i++) {
		uint8_t copy[sizeof(text_packed)];
		struct seen seen = { 0, LARGE };
		struct reason why = { "" };
		/* Time, level and system. */
		if (i >= 4 && i <= 9)
			continue;
		memcpy(copy, text_packed, sizeof(copy));
		copy[i] ^= 0x81;
		int r = unpack(copy, sizeof(copy), sizeof(copy), TEXT_LEN,
			       TEXT_LEN, &seen, &why);
		if (r != -EBADMSG || !why.text[0])
			fail_msg("byte %zu: %d, %s", i, r, why.text);
	}
}

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *said;
} damaged[] = {
#define CASE(name, text, said)                                                 \
	{                                                                      \
		name, text, sizeof(text) - 1, said                             \
	}
	CASE("none", "", "is cut off"),
	CASE("text", TEXT, "is not gzip"),
	CASE("zlib", "\x78\x9c\x03\x00\x00\x00\x00\x01", "is not gzip"),
	CASE("raw", "\x03\x00", "is not gzip"),
	CASE("bzip2", "BZh91AY&SY", "is not gzip"),
	CASE("another method", "\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x03",
	     "is not gzip"),
	CASE("flags that are reserved",
	     "\x1f\x8b\x08\xe0\x00\x00\x00\x00\x00\x03", "is not gzip"),
	CASE("a block of the third kind",
	     "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x07", "is not gzip"),
	CASE("a distance before the beginning",
	     "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x02\x00\x00\x00"
	     "\x00\x00",
	     "is not gzip"),
#undef CASE
};

static void
test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(damaged); i++) {
		struct seen seen = { 0, LARGE };
		struct reason why = { "" };
		int r = unpack((const uint8_t *)damaged[i].bytes,
			       damaged[i].len, 3, 0, LARGE, &seen, &why);
		if (r != -EBADMSG || !strstr(why.text, damaged[i].said))
			fail_msg("%s: %d, %s", damaged[i].name, r, why.text);
	}
}

/* Rubbish, zeros, and another member, at once and a byte at a time. */
static void
test_trailing(void **state)
{
	static const uint8_t zero = 0;
	const struct {
		const uint8_t *bytes;
		size_t len;
	} tails[] = { { &zero, 1 },
		      { (const uint8_t *)"x", 1 },
		      { text_packed, sizeof(text_packed) } };

	(void)state;
	for (size_t i = 0; i < LEN(tails); i++)
		for (size_t step = 1; step < 200; step += 22) {
			uint8_t bytes[2 * sizeof(text_packed)];
			size_t len = sizeof(text_packed) + tails[i].len;
			struct seen seen = { 0, LARGE };
			struct reason why = { "" };
			memcpy(bytes, text_packed, sizeof(text_packed));
			memcpy(bytes + sizeof(text_packed), tails[i].bytes,
			       tails[i].len);
			assert_int_equal(unpack(bytes, len, step, 0, LARGE,
						&seen, &why),
					 -EBADMSG);
			assert_string_equal(why.text,
					    "has bytes behind its end");
			assert_int_equal(seen.len, TEXT_LEN);
		}
}

/* Shorter or longer than it should be; what is above never reaches anyone. */
static void
test_sizes(void **state)
{
	static const struct {
		uint64_t min, max;
		int r;
		const char *said;
	} cases[] = {
		{ TEXT_LEN, TEXT_LEN, 0, "" },
		{ 0, TEXT_LEN, 0, "" },
		{ 0, UINT64_MAX, 0, "" },
		{ TEXT_LEN + 1, TEXT_LEN + 1, -EBADMSG, "27 bytes unpacked" },
		{ TEXT_LEN - 1, TEXT_LEN - 1, -EBADMSG, "than the 26 bytes" },
		{ 0, 0, -EBADMSG, "than the 0 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct seen seen = { 0, LARGE };
		struct reason why = { "" };
		assert_int_equal(unpack(text_packed, sizeof(text_packed), 5,
					cases[i].min, cases[i].max, &seen,
					&why),
				 cases[i].r);
		if (!strstr(why.text, cases[i].said))
			fail_msg("%zu: %s", i, why.text);
		assert_true(seen.len <= cases[i].max);
	}
}

/* A bomb: a thousand times as long as it is packed. */
static void
test_bomb(void **state)
{
	uint8_t *bytes = large(0), *packed = NULL, *raw = NULL;
	struct seen seen = { 0, LARGE };
	struct reason why = { "" };
	size_t len, raw_len;

	(void)state;
	assert_int_equal(gzip_pack(bytes, LARGE, &packed, &len), 0);
	assert_true(len < LARGE / 1000 + 1000);
	assert_int_equal(unpack(packed, len, len, 0, 100000, &seen, &why),
			 -EBADMSG);
	assert_true(seen.len <= 100000);
	assert_int_equal(gzip_unpack(packed, len, 0, LARGE - 1, &raw, &raw_len,
				     &why),
			 -EBADMSG);
	assert_null(raw);
	free(packed);
	free(bytes);
}

/* The sink's error is the error. */
static void
test_sink(void **state)
{
	struct seen seen = { 0, 10 };

	(void)state;
	assert_int_equal(unpack(text_packed, sizeof(text_packed),
				sizeof(text_packed), 0, LARGE, &seen, NULL),
			 -ENOSPC);
}

/* Blobs: the hash of what is inside. */

static int
check_blob(const char *sum, uint64_t size, const uint8_t *bytes, size_t len,
	   struct reason *why)
{
	struct blob *blob = NULL;
	int r = blob_new(sum, size, NULL, NULL, &blob);

	if (r == 0)
		r = blob_add(blob, bytes, len, why);
	if (r == 0)
		r = blob_end(blob, why);
	blob_free(blob);
	return r;
}

static void
test_blobs(void **state)
{
	char sum[2 * LIBCRYPTO_SUM_MAX + 1], name[BLOB_NAME_SIZE];
	struct reason why = { "" };

	(void)state;
	assert_int_equal(
		libcrypto_sum_text(LIBCRYPTO_SHA256, TEXT, TEXT_LEN, sum), 0);
	assert_int_equal(blob_name(name, sum), 0);
	assert_true(strncmp(name, "blobs/", 6) == 0);
	assert_true(strncmp(name + 6, sum, 64) == 0);
	assert_string_equal(name + 70, ".gz");
	assert_int_equal(check_blob(sum, TEXT_LEN, text_packed,
				    sizeof(text_packed), &why),
			 0);
	assert_int_equal(check_blob(sum, TEXT_LEN + 1, text_packed,
				    sizeof(text_packed), &why),
			 -EBADMSG);
	assert_int_equal(check_blob(sum, TEXT_LEN, text_packed,
				    sizeof(text_packed) - 1, &why),
			 -EBADMSG);
	assert_string_equal(why.text, "is cut off");
	sum[63] = sum[63] == '0' ? '1' : '0';
	assert_int_equal(check_blob(sum, TEXT_LEN, text_packed,
				    sizeof(text_packed), &why),
			 -EBADMSG);
	assert_non_null(strstr(why.text, "another file"));
	sum[63] = 'A';
	assert_int_equal(blob_name(name, sum), -EINVAL);
	assert_int_equal(check_blob(sum, 0, NULL, 0, &why), -EINVAL);
	sum[63] = '\0';
	assert_int_equal(blob_name(name, sum), -EINVAL);
	assert_int_equal(blob_name(name, ""), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reproducible),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_spoiled),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_sink),
		cmocka_unit_test(test_blobs),
	};

	return libcrypto_init() < 0 ||
	       cmocka_run_group_tests(tests, NULL, NULL);
}
