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
	assert_false(hold_probe(place.fd));
	assert_false(hold_take(hold, place.fd, &place.ident));
	(void)close(writer);
	assert_true(hold_probe(place.fd));
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writers_wait),
		cmocka_unit_test(oldest_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
