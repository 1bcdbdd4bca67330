/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/barred.h"
#include "agent/gate/cache.h"
#include "agent/gate/hold.h"
#include "agent/gate/ident.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/recall.h"
#include "agent/lib/msg.h"

#define LONG_NS INT64_C(10000000000)

/* A file that somebody holds open to write. */
struct place {
	char path[40];
	int writer, fd;
	struct ident ident;
	struct notify notify;
	struct cache *cache;
	struct hold *hold;
	struct barred *barred;
	struct recall *recall;
};

static int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		return -1;
	*place = (struct place){ .path = "/tmp/khien-steady-XXXXXX",
				 .notify = { .fd = -1 } };
	place->writer = mkstemp(place->path);
	place->fd = open(place->path, O_RDONLY | O_CLOEXEC);
	place->cache = cache_new(64, 42);
	place->hold = hold_new(4);
	place->barred = barred_new();
	place->recall = recall_new(place->cache, &place->notify, place->hold,
				   place->barred);
	*state = place;
	if (place->writer < 0 || place->fd < 0 || !place->recall ||
	    write(place->writer, "1234", 4) != 4)
		return -1;
	recall_set_asking(place->recall, true);
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;

	recall_free(place->recall);
	barred_free(place->barred);
	hold_free(place->hold);
	cache_free(place->cache);
	(void)close(place->fd);
	(void)close(place->writer);
	(void)unlink(place->path);
	free(place);
	return 0;
}

/* It was scanned so long after its last change. */
static void
scan(struct place *place, int64_t later_ns)
{
	assert_int_equal(ident_read(place->fd, &place->ident), 0);
	place->ident.read_ns = place->ident.ctime_ns + later_ns;
	recall_add(place->recall, place->fd, &place->ident, CACHE_CLEAN);
}

static enum cache_verdict
ask(struct place *place, uint16_t cause, bool executed)
{
	struct ident ident;

	assert_int_equal(ident_read(place->fd, &ident), 0);
	struct question question = {
		.cause = cause, .waits = true, .fd = place->fd, .ident = &ident
	};
	return recall_find(place->recall, &question, &ident, executed);
}

static void
only_who_opens_is_answered(void **state)
{
	struct place *place = *state;
	struct recall_counts counts;

	scan(place, LONG_NS);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, false), CACHE_CLEAN);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, true), CACHE_UNKNOWN);
	assert_int_equal(ask(place, MSG_CAUSE_EXEC, true), CACHE_UNKNOWN);
	assert_int_equal(ask(place, MSG_CAUSE_WRITE, false), CACHE_UNKNOWN);
	assert_int_equal(ask(place, MSG_CAUSE_ASKED, false), CACHE_UNKNOWN);
	recall_count(place->recall, &counts);
	assert_int_equal(counts.steady, 1);
	assert_int_equal(counts.written, 1);
	assert_int_equal(counts.user + counts.root, 0);
}

/* A second write in the same tick of the clock would not show. */
static void
what_just_changed_is_not_remembered(void **state)
{
	struct place *place = *state;

	scan(place, 0);
	assert_int_equal(cache_len(place->cache), 0);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, false), CACHE_UNKNOWN);
}

static void
one_byte_is_enough(void **state)
{
	struct place *place = *state;

	scan(place, LONG_NS);
	/* The clock moves on at least once a tick. */
	assert_int_equal(usleep(20000), 0);
	assert_int_equal(pwrite(place->writer, "x", 1, 0), 1);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, false), CACHE_UNKNOWN);
}

/* The close is what tells of a change through a mapping. */
static void
closing_forgets(void **state)
{
	struct place *place = *state;
	struct question question = { .cause = MSG_CAUSE_WRITE,
				     .written = true,
				     .fd = place->fd,
				     .ident = &place->ident };

	scan(place, LONG_NS);
	recall_forget(place->recall, &question);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, false), CACHE_UNKNOWN);
}

/* Other rules, or another mode, prove nothing. */
static void
rules_and_mode_forget(void **state)
{
	struct place *place = *state;

	scan(place, LONG_NS);
	recall_renew(place->recall);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, false), CACHE_UNKNOWN);
	scan(place, LONG_NS);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, false), CACHE_CLEAN);
	recall_set_asking(place->recall, true);
	assert_int_equal(ask(place, MSG_CAUSE_OPEN, false), CACHE_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_who_opens_is_answered,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_just_changed_is_not_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(one_byte_is_enough, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closing_forgets, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rules_and_mode_forget, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
