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

#include "agent/gate/hold.h"
#include "agent/gate/ident.h"

struct place {
	char path[32];
	int fd;
	struct ident ident;
};

static struct place
make(void)
{
	struct place place = { .path = "/tmp/khien-hold-XXXXXX" };
	int writer = mkstemp(place.path);

	assert_true(writer >= 0);
	assert_int_equal(close(writer), 0);
	place.fd = open(place.path, O_RDONLY | O_CLOEXEC);
	assert_true(place.fd >= 0);
	assert_int_equal(ident_read(place.fd, &place.ident), 0);
	return place;
}

static void
done(struct place *place)
{
	(void)close(place->fd);
	(void)unlink(place->path);
}

static void
writers_wait(void **state)
{
	struct hold *hold = hold_new(2);
	struct place place = make();

	(void)state;
	assert_true(hold_take(hold, place.fd, &place.ident));
	/* Again is the same one, longer. */
	assert_true(hold_take(hold, place.fd, &place.ident));
	assert_int_equal(hold_len(hold), 1);
	assert_int_equal(open(place.path, O_WRONLY | O_NONBLOCK), -1);
	/* Now that one wants to write, nobody is let in before him. */
	assert_false(hold_take(hold, place.fd, &place.ident));
	assert_true(hold_expire(hold));
	usleep((HOLD_MS + 10) * 1000);
	assert_false(hold_expire(hold));
	int writer = open(place.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_false(hold_probe(hold, place.fd, &place.ident));
	assert_false(hold_take(hold, place.fd, &place.ident));
	(void)close(writer);
	assert_true(hold_probe(hold, place.fd, &place.ident));
	done(&place);
	hold_free(hold);
}

/* From before a scan to after the answer, unless a writer comes. */
static void
scans_are_guarded(void **state)
{
	struct hold *hold = hold_new(2);
	struct place place = make();

	(void)state;
	uint64_t guard = hold_begin(hold, place.fd, &place.ident);
	assert_int_not_equal(guard, 0);
	assert_true(hold_probe(hold, place.fd, &place.ident));
	usleep((HOLD_MS + 10) * 1000);
	assert_true(hold_expire(hold));
	assert_true(hold_go_on(hold, guard));
	/* Answered: as any other from now on. */
	hold_end(hold, guard);
	assert_int_equal(open(place.path, O_WRONLY | O_NONBLOCK), -1);
	usleep((HOLD_MS + 10) * 1000);
	assert_false(hold_expire(hold));
	assert_false(hold_go_on(hold, guard));

	guard = hold_begin(hold, place.fd, &place.ident);
	assert_int_equal(open(place.path, O_WRONLY | O_NONBLOCK), -1);
	assert_false(hold_go_on(hold, guard));
	assert_int_equal(hold_begin(hold, place.fd, &place.ident), 0);
	/* He does not wait for the end of the scan. */
	assert_false(hold_expire(hold));
	int writer = open(place.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_int_equal(hold_begin(hold, place.fd, &place.ident), 0);
	(void)close(writer);
	assert_false(hold_go_on(hold, guard));
	/* Another one's lease does not stand for a broken one. */
	uint64_t other = hold_begin(hold, place.fd, &place.ident);
	assert_int_not_equal(other, 0);
	assert_false(hold_go_on(hold, guard));
	hold_end(hold, guard);
	assert_int_equal(hold_len(hold), 1);
	hold_end(hold, other);
	assert_int_equal(hold_len(hold), 0);
	done(&place);
	hold_free(hold);
}

static void
oldest_goes_first(void **state)
{
	struct hold *hold = hold_new(2);
	struct place places[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		places[i] = make();
		assert_true(hold_take(hold, places[i].fd, &places[i].ident));
	}
	assert_int_equal(hold_len(hold), 2);
	for (int i = 0; i < 3; i++) {
		int fd =
			open(places[i].path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

		assert_int_equal(fd >= 0, i == 0);
		if (fd >= 0)
			(void)close(fd);
		done(&places[i]);
	}
	hold_free(hold);
}

/* A slow scan's guard stays, however many others come and go meanwhile. */
static void
guards_stay(void **state)
{
	struct hold *hold = hold_new(2);
	struct place places[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		places[i] = make();
	uint64_t guard = hold_begin(hold, places[0].fd, &places[0].ident);
	assert_int_not_equal(guard, 0);
	for (int i = 1; i < 4; i++)
		assert_true(hold_take(hold, places[i].fd, &places[i].ident));
	assert_int_equal(hold_len(hold), 2);
	assert_true(hold_go_on(hold, guard));
	for (int i = 0; i < 4; i++)
		done(&places[i]);
	hold_free(hold);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writers_wait),
		cmocka_unit_test(scans_are_guarded),
		cmocka_unit_test(oldest_goes_first),
		cmocka_unit_test(guards_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
