/* SPDX-License-Identifier: GPL-2.0-or-later */
/* releases.json: what is read of it, and that what is written can be read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "updater/release/index.h"
#include "updater/tuf/reason.h"

#define DATE "\"2026-11-22T00:00:00Z\""
#define LATER "\"2026-11-23T00:00:00Z\""

static void
test_values(void **state)
{
	static const char text[] =
		"{\"format\":1,\"releases\":["
		"{\"number\":7,\"created\":" DATE
		",\"engine\":{\"min\":\"0.1.0\"},"
		"\"manifest\":\"releases/7.json.gz\"},"
		"{\"number\":8,\"created\":" DATE
		",\"engine\":{\"min\":\"0.2\",\"max\":\"1.0.0\"},"
		"\"manifest\":\"releases/8.json.gz\",\"waves\":["
		"{\"start\":" DATE ",\"percent\":10},"
		"{\"start\":" LATER ",\"percent\":100}]}],"
		"\"revoked\":[{\"number\":7,\"reason\":\"it hangs\"}]}";
	struct index *index = NULL;

	(void)state;
	assert_int_equal(index_parse(text, strlen(text), &index, NULL), 0);
	assert_int_equal(index->releases_len, 2);
	assert_null(index_find(index, 6));
	const struct index_release *release = index_find(index, 8);
	assert_non_null(release);
	assert_int_equal(release->created_s, 1795305600);
	assert_string_equal(release->engine_min, "0.2");
	assert_string_equal(release->engine_max, "1.0.0");
	assert_string_equal(index_find(index, 7)->engine_max, "");
	assert_int_equal(release->waves_len, 2);
	assert_int_equal(release->waves[0].percent, 10);
	assert_int_equal(release->waves[1].start_s, 1795392000);
	assert_string_equal(index_revoked(index, 7), "it hangs");
	assert_null(index_revoked(index, 8));
	index_free(index);
}

/* Numbers that are the same on every run. */
static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static void
forge_release(uint32_t *seed, struct index_release *release, int64_t number)
{
	release->number = number;
	release->created_s = (int64_t)draw(seed, 1 << 24) * 15000;
	(void)snprintf(release->engine_min, VERSION_SIZE, "0.%u",
		       draw(seed, 100));
	if (draw(seed, 2))
		(void)snprintf(release->engine_max, VERSION_SIZE, "%u.%u.%u.%u",
			       1 + draw(seed, 999999999), draw(seed, 9),
			       draw(seed, 9), draw(seed, 9));
	release->waves_len = draw(seed, INDEX_WAVES_MAX + 1);
	for (size_t i = 0; i < release->waves_len; i++) {
		release->waves[i].start_s =
			(int64_t)(i * 1000000 + draw(seed, 1000000));
		release->waves[i].percent = (uint32_t)(i * 6 + draw(seed, 6));
	}
}

static void
forge_index(uint32_t *seed, struct index *index)
{
	int64_t number = 0;

	index->releases_len = draw(seed, INDEX_RELEASES_MAX + 1);
	for (size_t i = 0; i < index->releases_len; i++) {
		number += 1 + draw(seed, 1 << 20);
		forge_release(seed, &index->releases[i], number);
	}
	index->revoked_len = draw(seed, INDEX_REVOKED_MAX + 1);
	for (size_t i = 0; i < index->revoked_len; i++) {
		struct index_revoked *revoked = &index->revoked[i];
		size_t len = 1 + draw(seed, INDEX_REASON_MAX);
		revoked->number = (int64_t)(INDEX_NUMBER_MAX - i);
		memset(revoked->reason, "a\"\\/ "[draw(seed, 5)], len);
	}
}

/* Whatever is written is read as it was. */
static void
test_round_trip(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct index *index = index_new(), *again = NULL;
		struct reason why = { "" };
		char *text = NULL, *twice = NULL;
		assert_non_null(index);
		forge_index(&seed, index);
		assert_int_equal(index_write(index, &text, &why), 0);
		if (index_parse(text, strlen(text), &again, &why) < 0)
			fail_msg("%s: %s", text, why.text);
		assert_memory_equal(index, again, sizeof(*index));
		assert_int_equal(index_write(again, &twice, &why), 0);
		assert_string_equal(text, twice);
		free(text);
		free(twice);
		index_free(index);
		index_free(again);
	}
}

/* The largest there is, every byte of a reason written as two. */
static void
test_largest(void **state)
{
	struct index *index = index_new(), *again = NULL;
	struct reason why = { "" };
	char *text = NULL;

	(void)state;
	for (size_t i = 0; i < INDEX_RELEASES_MAX; i++) {
		struct index_release *release = &index->releases[i];
		release->number = (int64_t)(INDEX_NUMBER_MAX - 16 + i);
		strcpy(release->engine_min,
		       "999999998.999999999.999999999.999999999");
		strcpy(release->engine_max,
		       "999999999.999999999.999999999.999999999");
		release->waves_len = INDEX_WAVES_MAX;
		for (size_t j = 0; j < INDEX_WAVES_MAX; j++) {
			release->waves[j].start_s = (int64_t)j;
			release->waves[j].percent = (uint32_t)(j + 85);
		}
	}
	for (size_t i = 0; i < INDEX_REVOKED_MAX; i++) {
		index->revoked[i].number = (int64_t)(INDEX_NUMBER_MAX - i);
		memset(index->revoked[i].reason, '"', INDEX_REASON_MAX);
	}
	index->releases_len = INDEX_RELEASES_MAX;
	index->revoked_len = INDEX_REVOKED_MAX;
	assert_int_equal(index_write(index, &text, &why), 0);
	assert_int_equal(index_parse(text, strlen(text), &again, &why), 0);
	free(text);
	index_free(index);
	index_free(again);
}

static void
assert_unwritten(const struct index *index, const char *said)
{
	struct reason why = { "" };
	char *text = NULL;

	if (index_write(index, &text, &why) != -EBADMSG ||
	    !strstr(why.text, said))
		fail_msg("%s instead of %s", why.text, said);
	assert_null(text);
}

/* What would be refused is not written. */
static void
test_write_refuses(void **state)
{
	struct index *index = index_new();
	struct index_release *release = &index->releases[0];

	(void)state;
	index->releases_len = INDEX_RELEASES_MAX + 1;
	assert_unwritten(index, "17 releases");
	index->releases_len = 1;
	assert_unwritten(index, "no number");
	release->number = INDEX_NUMBER_MAX + 1LL;
	assert_unwritten(index, "no number");
	release->number = 1;
	assert_unwritten(index, "version of engines");
	strcpy(release->engine_min, "1");
	release->created_s = -1;
	assert_unwritten(index, "date of creation");
	release->created_s = 253402300800;
	assert_unwritten(index, "date of creation");
	release->created_s = 0;
	release->waves_len = INDEX_WAVES_MAX + 1;
	assert_unwritten(index, "too many waves");
	release->waves_len = 1;
	release->waves[0].percent = 101;
	assert_unwritten(index, "malformed wave");
	release->waves[0].percent = 100;
	release->waves[0].start_s = -1;
	assert_unwritten(index, "malformed wave");
	release->waves_len = 0;
	index->revoked_len = INDEX_REVOKED_MAX + 1;
	assert_unwritten(index, "revokes 65 releases");
	index->revoked_len = 1;
	assert_unwritten(index, "revokes 0");
	index->revoked[0].number = 1;
	strcpy(index->revoked[0].reason, "\xff");
	assert_unwritten(index, "without a reason");
	strcpy(index->revoked[0].reason, "it hangs");
	assert_int_equal(index_check(index, NULL), 0);
	index_free(index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_write_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
