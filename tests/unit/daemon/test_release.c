/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/daemon/release.h"

#define WALL_S 1800000000

enum what { ASK, ANSWER, SILENCE, TRIED, DIED, CONDEMN, NEXT };

/* One thing that happens, and what is expected of it. */
struct step {
	enum what what;
	uint16_t kind;	 /* ASK; NEXT: what is asked then */
	uint64_t number; /* ANSWER: active; CONDEMN */
	uint64_t staged;
	const char *why;       /* TRIED, CONDEMN */
	uint64_t at_ms;	       /* when */
	uint64_t activated_s;  /* ANSWER: so long ago */
	int result;	       /* enum release_do, or truth */
	enum release_at at;    /* afterwards */
	uint64_t watched, bad; /* afterwards */
};

#define STEPS_MAX 16

static const struct story {
	const char *name;
	struct step steps[STEPS_MAX];
} stories[] = {
	{ "nothing new",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER, .number = 7, .result = RELEASE_END },
	    { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 0,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER, .number = 7, .result = RELEASE_END },
	    { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 1,
	      .at = RELEASE_ASKING } } },
	{ "activated, and good",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER, .number = 7, .result = RELEASE_END },
	    { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 7,
	      .staged = 8,
	      .result = RELEASE_GO_ON,
	      .at = RELEASE_TRYING },
	    { .what = TRIED,
	      .why = "",
	      .result = RELEASE_GO_ON,
	      .at = RELEASE_SETTLING },
	    { .what = ANSWER,
	      .number = 8,
	      .at_ms = 1000,
	      .result = RELEASE_REPLACE,
	      .watched = 8 },
	    { .what = DIED, .at_ms = 2000, .watched = 8 },
	    { .what = DIED, .at_ms = 3000, .watched = 8 },
	    { .what = DIED, .at_ms = 1000 + RELEASE_WATCH_MS, .watched = 8 },
	    { .what = NEXT,
	      .at_ms = 1000 + RELEASE_WATCH_MS,
	      .result = 0,
	      .watched = 8 } } },
	{ "activated, and scanners die",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER, .number = 7, .result = RELEASE_END },
	    { .what = DIED },
	    { .what = DIED },
	    { .what = DIED },
	    { .what = ASK,
	      .kind = MSG_UPDATE_IMPORT,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 7,
	      .staged = 8,
	      .result = RELEASE_GO_ON,
	      .at = RELEASE_TRYING },
	    { .what = TRIED,
	      .why = "",
	      .result = RELEASE_GO_ON,
	      .at = RELEASE_SETTLING },
	    { .what = ANSWER,
	      .number = 8,
	      .result = RELEASE_REPLACE,
	      .watched = 8 },
	    { .what = DIED, .watched = 8 },
	    { .what = DIED, .watched = 8 },
	    { .what = NEXT, .result = 0, .watched = 8 },
	    { .what = DIED, .watched = 8, .bad = 8 },
	    { .what = NEXT,
	      .kind = MSG_UPDATE_TAKE_BACK,
	      .result = 1,
	      .at = RELEASE_SETTLING,
	      .watched = 8,
	      .bad = 8 },
	    { .what = ANSWER, .number = 7, .result = RELEASE_REPLACE } } },
	{ "refused",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 0,
	      .staged = 8,
	      .result = RELEASE_GO_ON,
	      .at = RELEASE_TRYING },
	    { .what = TRIED,
	      .why = "a.yar hangs",
	      .result = RELEASE_GO_ON,
	      .at = RELEASE_SETTLING },
	    { .what = ANSWER, .number = 0, .result = RELEASE_REPLACE },
	    { .what = NEXT, .result = 0 } } },
	{ "a check stages nothing",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER, .number = 7, .result = RELEASE_END },
	    { .what = ASK,
	      .kind = MSG_UPDATE_CHECK,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 7,
	      .staged = 8,
	      .result = RELEASE_END } } },
	{ "revoked while we looked: khien-verify went back by itself",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 7,
	      .activated_s = 60,
	      .result = RELEASE_END,
	      .watched = 7 },
	    { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 1,
	      .at = RELEASE_ASKING,
	      .watched = 7 },
	    { .what = ANSWER, .number = 6, .result = RELEASE_REPLACE } } },
	{ "condemned by the engine, and the disk is full",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER, .number = 8, .result = RELEASE_END },
	    { .what = CONDEMN, .number = 7, .why = "old news" },
	    { .what = CONDEMN,
	      .number = 8,
	      .why = "flood",
	      .at_ms = 1000,
	      .bad = 8 },
	    { .what = NEXT, .at_ms = 999, .result = 0, .bad = 8 },
	    { .what = NEXT,
	      .at_ms = 1000,
	      .kind = MSG_UPDATE_TAKE_BACK,
	      .result = 1,
	      .at = RELEASE_SETTLING,
	      .bad = 8 },
	    { .what = ANSWER,
	      .number = 8,
	      .at_ms = 2000,
	      .result = RELEASE_END,
	      .bad = 8 },
	    { .what = NEXT, .at_ms = 2000, .result = 0, .bad = 8 },
	    { .what = NEXT,
	      .at_ms = 2000 + RELEASE_RETRY_MS,
	      .kind = MSG_UPDATE_TAKE_BACK,
	      .result = 1,
	      .at = RELEASE_SETTLING,
	      .bad = 8 },
	    { .what = SILENCE,
	      .at_ms = 40000,
	      .result = RELEASE_END,
	      .bad = 8 },
	    { .what = NEXT,
	      .at_ms = 40000 + RELEASE_RETRY_MS,
	      .kind = MSG_UPDATE_TAKE_BACK,
	      .result = 1,
	      .at = RELEASE_SETTLING,
	      .bad = 8 },
	    { .what = ANSWER,
	      .number = 7,
	      .at_ms = 80000,
	      .result = RELEASE_REPLACE } } },
	{ "condemned while another one is on trial: that one waits",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER, .number = 8, .result = RELEASE_END },
	    { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 8,
	      .staged = 9,
	      .result = RELEASE_GO_ON,
	      .at = RELEASE_TRYING },
	    { .what = CONDEMN,
	      .number = 8,
	      .why = "flood",
	      .at = RELEASE_TRYING,
	      .bad = 8 },
	    { .what = NEXT, .result = 0, .at = RELEASE_TRYING, .bad = 8 },
	    { .what = TRIED, .why = "", .result = RELEASE_END, .bad = 8 },
	    { .what = NEXT,
	      .kind = MSG_UPDATE_TAKE_BACK,
	      .result = 1,
	      .at = RELEASE_SETTLING,
	      .bad = 8 },
	    { .what = ANSWER, .number = 7, .result = RELEASE_REPLACE } } },
	{ "khiend starts again during the watch",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 8,
	      .activated_s = 599,
	      .result = RELEASE_END,
	      .watched = 8 },
	    { .what = DIED, .watched = 8 },
	    { .what = DIED, .watched = 8 },
	    { .what = DIED, .watched = 8, .bad = 8 } } },
	{ "khiend starts again later",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = ANSWER,
	      .number = 8,
	      .activated_s = 600,
	      .result = RELEASE_END } } },
	{ "khien-verify is never heard",
	  { { .what = ASK,
	      .kind = MSG_UPDATE_STATUS,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    { .what = SILENCE, .result = RELEASE_END },
	    { .what = ASK,
	      .kind = MSG_UPDATE_NOW,
	      .result = 1,
	      .at = RELEASE_ASKING },
	    /* What scanners read is not known: better once too often. */
	    { .what = ANSWER, .number = 8, .result = RELEASE_REPLACE } } },
};

static int
take(struct release *release, const struct step *step)
{
	struct msg_updated updated = { .active = step->number,
				       .staged = step->staged };

	switch (step->what) {
	case ASK:
		return release_ask(release, step->kind);
	case ANSWER:
		if (step->activated_s)
			updated.activated_s = WALL_S - step->activated_s;
		return release_answered(release, &updated, WALL_S, step->at_ms);
	case SILENCE:
		return release_unanswered(release, step->at_ms);
	case TRIED:
		return release_tried(release, step->why);
	case DIED:
		release_died(release, step->at_ms);
		return 0;
	case CONDEMN:
		release_condemn(release, step->number, step->why, step->at_ms);
		return 0;
	default:
		return release_next(release, step->at_ms);
	}
}

static bool
is_last(const struct step *step)
{
	static const struct step none;

	return memcmp(step, &none, sizeof(none)) == 0;
}

static void
test_stories(void **state)
{
	struct release release;

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		release_init(&release);
		for (size_t j = 0; j < STEPS_MAX; j++) {
			const struct step *step = &stories[i].steps[j];
			if (is_last(step))
				break;
			int result = take(&release, step);
			print_message("%s, step %zu\n", stories[i].name, j);
			assert_int_equal(result, step->result);
			assert_int_equal(release.at, step->at);
			assert_int_equal(release.watched, step->watched);
			assert_int_equal(release.bad, step->bad);
			if (step->what == NEXT && step->result)
				assert_int_equal(release.kind, step->kind);
		}
	}
}

/* The timer is set for what is left to be done, and only then. */
static void
test_due(void **state)
{
	struct release release;

	(void)state;
	release_init(&release);
	assert_int_equal(release_due_ms(&release), UINT64_MAX);
	release.active = 8;
	release_condemn(&release, 8, "flood", 1000);
	assert_int_equal(release_due_ms(&release), 1000);
	assert_string_equal(release.bad_why, "flood");
	/* The first reason stays. */
	release_condemn(&release, 8, "again", 2000);
	assert_string_equal(release.bad_why, "flood");
	assert_true(release_next(&release, 1000));
	assert_int_equal(release_due_ms(&release), UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
