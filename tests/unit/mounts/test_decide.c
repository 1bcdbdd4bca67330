/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/lib/msg.h"
#include "agent/mounts/kind.h"

static void
test_table(void **state)
{
	static const struct {
		struct decide_facts facts;
		enum decide_reason reason;
	} cases[] = {
		{ { .kind = KIND_LOCAL }, DECIDE_WANTED },
		{ { .kind = KIND_NODES }, DECIDE_WANTED },
		{ { .kind = KIND_KERNEL }, DECIDE_KERNEL },
		{ { .kind = KIND_FOREIGN }, DECIDE_FOREIGN },
		{ { .kind = KIND_FOREIGN, .watching = true, .watched = true },
		  DECIDE_FOREIGN },
		{ { .kind = KIND_LOCAL, .off = true }, DECIDE_OFF },
		{ { .kind = KIND_LOCAL, .excluded = true }, DECIDE_EXCLUDED },
		{ { .kind = KIND_LOCAL, .watching = true }, DECIDE_UNWATCHED },
		{ { .kind = KIND_LOCAL, .watching = true, .watched = true },
		  DECIDE_WANTED },
		{ { .kind = KIND_LOCAL, .behind_foreign = true },
		  DECIDE_BEHIND_FOREIGN },
		/* A tmpfs that a user made in a namespace of his own. */
		{ { .kind = KIND_LOCAL, .elsewhere = true }, DECIDE_WANTED },
		{ { .kind = KIND_LOCAL, .elsewhere = true, .watching = true },
		  DECIDE_UNWATCHED },
		{ { .kind = KIND_LOCAL,
		    .elsewhere = true,
		    .watching = true,
		    .watched = true },
		  DECIDE_WANTED },
		/* There he gives it any path. */
		{ { .kind = KIND_LOCAL, .elsewhere = true, .excluded = true },
		  DECIDE_WANTED },
		{ { .kind = KIND_LOCAL,
		    .elsewhere = true,
		    .behind_foreign = true },
		  DECIDE_BEHIND_FOREIGN },
		{ { .kind = KIND_LOCAL, .elsewhere = true, .off = true },
		  DECIDE_OFF },
		{ { .kind = KIND_LOCAL, .layered = true }, DECIDE_LAYERED },
		{ { .kind = KIND_LOCAL, .layered = true, .watching = true },
		  DECIDE_UNWATCHED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(decide_mount(&cases[i].facts),
				 cases[i].reason);
}

/* What the gate cannot see is stopped; what it is not to see is left alone. */
static void
test_cover(void **state)
{
	static const struct {
		enum decide_reason reason;
		uint16_t kind;
	} cases[] = {
		{ DECIDE_LAYERED, MSG_COVER_PASSED },
		{ DECIDE_UNWATCHED, MSG_COVER_PASSED },
		{ DECIDE_EXCLUDED, MSG_COVER_PASSED },
		{ DECIDE_WANTED, MSG_COVER_FOREIGN },
		{ DECIDE_FOREIGN, MSG_COVER_FOREIGN },
		{ DECIDE_KERNEL, MSG_COVER_FOREIGN },
		{ DECIDE_HIDDEN, MSG_COVER_FOREIGN },
		{ DECIDE_REFUSED, MSG_COVER_FOREIGN },
		{ DECIDE_BEHIND_FOREIGN, MSG_COVER_FOREIGN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(decide_cover(cases[i].reason), cases[i].kind);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
