/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which release a host runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "updater/release/choose.h"
#include "updater/release/index.h"
#include "updater/tuf/libcrypto.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NOW 1000
#define FOREVER (NOW + 1000000)

/*
 * An index in short: a word a release.
 *	"5"		for everyone
 *	"5@10"		for 10 % now
 *	"5@10,50+60"	and for 50 % in 60 s
 *	"5[1,2]"	for engines from 1 to 2; "5[1,]" from 1 on
 *	"!5"		taken back; "5 !5" is both
 */
static const char *
forge_waves(const char *at, struct index_release *release)
{
	while (*at == '@' || *at == ',') {
		unsigned int percent, later = 0;
		int len = 0;
		assert_int_equal(sscanf(at + 1, "%u%n", &percent, &len), 1);
		at += 1 + len;
		if (*at == '+') {
			assert_int_equal(sscanf(at + 1, "%u%n", &later, &len),
					 1);
			at += 1 + len;
		}
		struct wave *wave = &release->waves[release->waves_len++];
		wave->percent = percent;
		wave->start_s = NOW + later;
	}
	return at;
}

static void
forge_word(const char *word, struct index *index)
{
	long long number;
	int len;

	if (*word == '!') {
		struct index_revoked *revoked =
			&index->revoked[index->revoked_len++];
		assert_int_equal(sscanf(word + 1, "%lld", &number), 1);
		revoked->number = number;
		strcpy(revoked->reason, "it is bad");
		return;
	}
	struct index_release *release = &index->releases[index->releases_len++];
	assert_int_equal(sscanf(word, "%lld%n", &number, &len), 1);
	release->number = number;
	strcpy(release->engine_min, "0");
	if (word[len] == '[') {
		word += len + 1;
		len = (int)strcspn(word, ",");
		(void)snprintf(release->engine_min, VERSION_SIZE, "%.*s", len,
			       word);
		word += len + 1;
		len = (int)strcspn(word, "]");
		(void)snprintf(release->engine_max, VERSION_SIZE, "%.*s", len,
			       word);
		len++;
	}
	(void)forge_waves(word + len, release);
}

static struct index *
forge_index(const char *words)
{
	struct index *index = index_new();
	struct reason why = { "" };
	char copy[200];
	char *rest = copy, *word;

	assert_non_null(index);
	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (;;) {
		word = strsep(&rest, " ");
		if (!word)
			break;
		if (*word)
			forge_word(word, index);
	}
	if (index_check(index, &why) < 0)
		fail_msg("%s: %s", words, why.text);
	return index;
}

struct expected {
	int64_t target, newest, waiting, waiting_s;
	enum choose_active active;
};

static const struct {
	const char *index;
	int64_t active, floor, bad;
	int32_t place;
	struct expected is;
	const char *note; /* a part of it; NULL: there is none */
} cases[] = {
	/* Nothing to choose from. */
	{ "", 0, 0, 0, 0, { 0, 0, 0, 0, 0 }, NULL },
	{ "", 5, 0, 0, 0, { 5, 0, 0, 0, 0 }, NULL },
	{ "!5", 0, 0, 0, 0, { 0, 0, 0, 0, 0 }, NULL },
	/* The newest. */
	{ "5 6 7", 0, 0, 0, 0, { 7, 7, 0, 0, 0 }, NULL },
	{ "5 6 7", 6, 0, 0, 0, { 7, 7, 0, 0, 0 }, NULL },
	{ "5 6 7", 7, 0, 0, 0, { 7, 7, 0, 0, 0 }, NULL },
	{ "5 6 7", 0, 0, 0, 100, { 7, 7, 0, 0, 0 }, NULL },
	/* Never older, also when the index forgets what is active. */
	{ "5 6", 7, 0, 0, 0, { 7, 6, 0, 0, 0 }, NULL },
	{ "6 7@0", 7, 0, 0, 50, { 7, 7, 0, 0, 0 }, NULL },
	{ "6 7@10,100+60", 7, 0, 0, 50, { 7, 7, 0, 0, 0 }, NULL },
	/* Waves. */
	{ "6 7@10", 6, 0, 0, 9, { 7, 7, 0, 0, 0 }, NULL },
	{ "6 7@10", 6, 0, 0, 10, { 6, 7, 7, WAVE_NEVER, 0 }, "no wave" },
	{ "6 7@10,50+60",
	  6,
	  0,
	  0,
	  49,
	  { 6, 7, 7, NOW + 60, 0 },
	  "1970-01-01T00:17:40Z" },
	{ "6 7@10,50+60", 6, 0, 0, 50, { 6, 7, 7, WAVE_NEVER, 0 }, "no wave" },
	{ "6 7@10,50+60,100+90", 6, 0, 0, 100, { 6, 7, 7, NOW + 90, 0 }, "on" },
	{ "6 7@0+60", 6, 0, 0, 0, { 6, 7, 7, WAVE_NEVER, 0 }, "no wave" },
	{ "7@10", 0, 0, 0, 10, { 0, 7, 7, WAVE_NEVER, 0 }, "no wave" },
	/* The newest that waits, and a newer one than active meanwhile. */
	{ "5 6 7@10 8@1", 5, 0, 0, 50, { 6, 8, 8, WAVE_NEVER, 0 }, "8" },
	{ "5 6@10 7@20+9", 5, 0, 0, 15, { 5, 7, 7, NOW + 9, 0 }, "7" },
	{ "5 6@20 7@20+9", 5, 0, 0, 15, { 6, 7, 7, NOW + 9, 0 }, "7" },
	/* Taken back: before waves, and whether it is listed or not. */
	{ "6 7 !7", 6, 0, 0, 0, { 6, 6, 0, 0, 0 }, NULL },
	{ "6 7 !7", 7, 0, 0, 0, { 6, 6, 0, 0, CHOOSE_REVOKED }, NULL },
	{ "6 !7", 7, 0, 0, 0, { 6, 6, 0, 0, CHOOSE_REVOKED }, NULL },
	{ "7 !7", 7, 0, 0, 0, { 0, 0, 0, 0, CHOOSE_REVOKED }, NULL },
	{ "6 7 !6 !7", 7, 0, 0, 0, { 0, 0, 0, 0, CHOOSE_REVOKED }, NULL },
	{ "5 6 7 !6 !7", 7, 0, 0, 0, { 5, 5, 0, 0, CHOOSE_REVOKED }, NULL },
	{ "6 7 8@10 !7",
	  7,
	  0,
	  0,
	  50,
	  { 6, 8, 8, WAVE_NEVER, CHOOSE_REVOKED },
	  "no wave" },
	{ "6 7 8 !7", 7, 0, 0, 50, { 8, 8, 0, 0, CHOOSE_REVOKED }, NULL },
	{ "6@10 7 !7",
	  7,
	  0,
	  0,
	  50,
	  { 0, 6, 6, WAVE_NEVER, CHOOSE_REVOKED },
	  "no wave" },
	{ "7@10 !7", 6, 0, 0, 0, { 6, 0, 0, 0, 0 }, NULL },
	/* Failed here: never again, also when nothing else is there. */
	{ "6 7", 6, 0, 7, 0, { 6, 7, 0, 0, 0 }, "failed on this host" },
	{ "6 7", 7, 0, 7, 0, { 6, 7, 0, 0, CHOOSE_BAD }, "failed" },
	{ "7", 7, 0, 7, 0, { 0, 7, 0, 0, CHOOSE_BAD }, "failed" },
	{ "7", 0, 0, 7, 0, { 0, 7, 0, 0, 0 }, "failed" },
	{ "6 7 8", 6, 0, 7, 0, { 8, 8, 0, 0, 0 }, NULL },
	{ "6 7 8@10", 6, 0, 7, 50, { 6, 8, 8, WAVE_NEVER, 0 }, "no wave" },
	{ "6 7 !7", 7, 0, 7, 0, { 6, 6, 0, 0, CHOOSE_REVOKED }, NULL },
	/* The package's floor. */
	{ "5 6 7", 0, 7, 0, 0, { 7, 7, 0, 0, 0 }, NULL },
	{ "5 6 7", 0, 8, 0, 0, { 0, 7, 0, 0, 0 }, "oldest that this package" },
	{ "5 6 7", 6, 8, 0, 0, { 0, 7, 0, 0, CHOOSE_OLD }, "oldest" },
	{ "5 6 7", 6, 7, 0, 0, { 7, 7, 0, 0, CHOOSE_OLD }, NULL },
	{ "6 7 8 !8", 8, 7, 0, 0, { 7, 7, 0, 0, CHOOSE_REVOKED }, NULL },
	{ "6 8 !8", 8, 7, 0, 0, { 0, 6, 0, 0, CHOOSE_REVOKED }, "oldest" },
	/* Engines; this one is 1.2.3. */
	{ "6 7[1.2.4,]", 6, 0, 0, 0, { 6, 7, 0, 0, 0 }, "install a newer" },
	{ "6 7[1.2.3,]", 6, 0, 0, 0, { 7, 7, 0, 0, 0 }, NULL },
	{ "6 7[0,1.2.3]", 6, 0, 0, 0, { 7, 7, 0, 0, 0 }, NULL },
	{ "6 7[0,1.2.2]", 6, 0, 0, 0, { 6, 7, 0, 0, 0 }, "up to 1.2.2" },
	{ "6 7[0,1.10]", 6, 0, 0, 0, { 7, 7, 0, 0, 0 }, NULL },
	{ "6 7[2,]", 7, 0, 0, 0, { 6, 7, 0, 0, CHOOSE_ENGINE }, "install" },
	{ "6 7[0,1]", 7, 0, 0, 0, { 6, 7, 0, 0, CHOOSE_ENGINE }, "up to 1," },
	{ "6[0,1] 7[0,1]", 7, 0, 0, 0, { 0, 7, 0, 0, CHOOSE_ENGINE }, "up to" },
	{ "6 7[2,] 8@10[1,]", 6, 0, 0, 5, { 8, 8, 0, 0, 0 }, NULL },
	{ "6 7[2,]@10", 6, 0, 0, 50, { 6, 7, 0, 0, 0 }, "install" },
};

static struct choose_host
host_of(size_t i)
{
	return (struct choose_host){
		.engine = "1.2.3",
		.seed = "",
		.place = cases[i].place,
		.now_s = NOW,
		.active = cases[i].active,
		.floor = cases[i].floor,
		.bad = &cases[i].bad,
		.bad_len = cases[i].bad ? 1 : 0,
	};
}

static void
test_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct index *index = forge_index(cases[i].index);
		struct choose_host host = host_of(i);
		struct choose_result got;
		const struct expected *is = &cases[i].is;
		const char *note = cases[i].note;
		assert_int_equal(choose_release(index, &host, &got, NULL), 0);
		if (got.target != is->target || got.newest != is->newest ||
		    got.waiting != is->waiting ||
		    got.waiting_s != is->waiting_s ||
		    got.active != is->active ||
		    (note ? !strstr(got.note.text, note) :
			    !!got.note.text[0]) ||
		    (got.active != CHOOSE_STAYS) != !!got.reason.text[0])
			fail_msg("%s, active %d: target %d newest %d waiting "
				 "%d at %lld, active %d, \"%s\", \"%s\"",
				 cases[i].index, (int)cases[i].active,
				 (int)got.target, (int)got.newest,
				 (int)got.waiting, (long long)got.waiting_s,
				 (int)got.active, got.note.text,
				 got.reason.text);
		index_free(index);
	}
}

/* What holds of every choice, whatever the table forgot. */
static void
check_choice(const struct index *index, const struct choose_host *host,
	     const struct choose_result *got)
{
	if (!got->target) {
		assert_true(!host->active || got->active != CHOOSE_STAYS);
		return;
	}
	assert_null(index_revoked(index, got->target));
	assert_true(got->target >= host->floor);
	for (size_t i = 0; i < host->bad_len; i++)
		assert_true(got->target != host->bad[i]);
	if (got->target < host->active)
		assert_true(got->active != CHOOSE_STAYS);
	if (got->target != host->active)
		assert_non_null(index_find(index, got->target));
	assert_true(!got->waiting || got->waiting > got->target);
	assert_true(!got->waiting || got->waiting_s > host->now_s);
}

/* Each case again with every host there is. */
static void
test_always(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct index *index = forge_index(cases[i].index);
		for (int n = 0; n < 10 * 3 * 4 * 10 * 2; n++) {
			int64_t bad[] = { n / 120 % 10, 7 };
			struct choose_host host = {
				.engine = "1.2.3",
				.place = 40 * (n / 10 % 3),
				.now_s = n / 1200 ? NOW : FOREVER,
				.active = n % 10,
				.floor = 3 * (n / 30 % 4),
				.bad = bad,
				.bad_len = (size_t)n % 3,
			};
			struct choose_result got;
			assert_int_equal(
				choose_release(index, &host, &got, NULL), 0);
			check_choice(index, &host, &got);
		}
		index_free(index);
	}
}

/* Who goes first is not first in every release. */
static void
test_seeds(void **state)
{
	struct index *index = forge_index("1@50 2@50 3@50 4@50 5@50");
	struct choose_host host = { .engine = "1",
				    .place = CHOOSE_ANY_PLACE,
				    .now_s = NOW };
	size_t got[6] = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct choose_result result;
		char seed[33];
		(void)snprintf(seed, sizeof(seed), "%032x", i);
		host.seed = seed;
		assert_int_equal(choose_release(index, &host, &result, NULL),
				 0);
		got[result.target]++;
	}
	/* By hashlib, as in test_wave.c. */
	static const size_t known[] = { 5, 6, 15, 20, 48, 106 };
	assert_memory_equal(got, known, sizeof(got));
	index_free(index);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *engine, *seed;
		int32_t place;
		const char *said;
	} hosts[] = {
		{ "", "a", CHOOSE_ANY_PLACE, "no version" },
		{ "1.0-rc1", "a", CHOOSE_ANY_PLACE, "no version" },
		{ "1.0\n", "a", 0, "no version" },
		{ "1", "a", -2, "[update] place" },
		{ "1", "a", 101, "[update] place" },
	};
	struct index *index = forge_index("1@50");

	(void)state;
	for (size_t i = 0; i < LEN(hosts); i++) {
		struct choose_host host = { .engine = hosts[i].engine,
					    .seed = hosts[i].seed,
					    .place = hosts[i].place };
		struct choose_result got;
		struct reason why = { "" };
		assert_int_equal(choose_release(index, &host, &got, &why),
				 -EINVAL);
		if (!strstr(why.text, hosts[i].said))
			fail_msg("%zu: %s", i, why.text);
	}
	index_free(index);
}

/* Who does not know who he is comes last, and is not left with what is bad. */
static void
test_nobody(void **state)
{
	static const struct {
		const char *index;
		int64_t target, waiting;
	} hosts[] = {
		{ "5 6", 6, 0 },
		{ "5 6@99", 5, 6 },
		{ "5 6@100", 6, 0 },
		{ "4 5 6@99 !5", 4, 6 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(hosts); i++) {
		struct index *index = forge_index(hosts[i].index);
		struct choose_host host = { .engine = "1",
					    .seed = "",
					    .place = CHOOSE_ANY_PLACE,
					    .active = 5,
					    .now_s = NOW };
		struct choose_result got;
		assert_int_equal(choose_release(index, &host, &got, NULL), 0);
		assert_int_equal(got.target, hosts[i].target);
		assert_int_equal(got.waiting, hosts[i].waiting);
		index_free(index);
	}
}

/* The sentences say what, why and what to do. */
static void
test_reasons(void **state)
{
	struct index *index = forge_index("6 7 !7");
	struct choose_host host = { .engine = "1", .active = 7 };
	struct choose_result got;

	(void)state;
	assert_int_equal(choose_release(index, &host, &got, NULL), 0);
	assert_string_equal(got.reason.text,
			    "release 7 was taken back: it is bad");
	index_free(index);
	index = forge_index("7[2,]");
	host.active = 0;
	assert_int_equal(choose_release(index, &host, &got, NULL), 0);
	assert_string_equal(got.note.text,
			    "release 7 is for agents from 2 on, and this one "
			    "is 1: install a newer one");
	index_free(index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choices), cmocka_unit_test(test_always),
		cmocka_unit_test(test_seeds),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nobody),	cmocka_unit_test(test_reasons),
	};

	return libcrypto_init() < 0 ||
	       cmocka_run_group_tests(tests, NULL, NULL);
}
