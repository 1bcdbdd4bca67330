/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/mounts/mountinfo.h"

static void
test_table(void **state)
{
	static const struct {
		struct decide_facts facts;
		enum decide_reason reason;
	} cases[] = {
		{ { .kind = MOUNTINFO_LOCAL }, DECIDE_WANTED },
		{ { .kind = MOUNTINFO_NODES }, DECIDE_WANTED },
		{ { .kind = MOUNTINFO_KERNEL }, DECIDE_KERNEL },
		{ { .kind = MOUNTINFO_FOREIGN }, DECIDE_FOREIGN },
		{ { .kind = MOUNTINFO_FOREIGN,
		    .watching = true,
		    .watched = true },
		  DECIDE_FOREIGN },
		{ { .kind = MOUNTINFO_LOCAL, .off = true }, DECIDE_OFF },
		{ { .kind = MOUNTINFO_LOCAL, .excluded = true },
		  DECIDE_EXCLUDED },
		{ { .kind = MOUNTINFO_LOCAL, .watching = true },
		  DECIDE_UNWATCHED },
		{ { .kind = MOUNTINFO_LOCAL,
		    .watching = true,
		    .watched = true },
		  DECIDE_WANTED },
		{ { .kind = MOUNTINFO_LOCAL, .behind_foreign = true },
		  DECIDE_BEHIND_FOREIGN },
		/* A tmpfs that a user made in a namespace of his own. */
		{ { .kind = MOUNTINFO_LOCAL, .elsewhere = true },
		  DECIDE_WANTED },
		{ { .kind = MOUNTINFO_LOCAL,
		    .elsewhere = true,
		    .watching = true },
		  DECIDE_UNWATCHED },
		{ { .kind = MOUNTINFO_LOCAL,
		    .elsewhere = true,
		    .watching = true,
		    .watched = true },
		  DECIDE_WANTED },
		/* There he gives it any path. */
		{ { .kind = MOUNTINFO_LOCAL,
		    .elsewhere = true,
		    .excluded = true },
		  DECIDE_WANTED },
		{ { .kind = MOUNTINFO_LOCAL,
		    .elsewhere = true,
		    .behind_foreign = true },
		  DECIDE_BEHIND_FOREIGN },
		{ { .kind = MOUNTINFO_LOCAL, .elsewhere = true, .off = true },
		  DECIDE_OFF },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(decide_mount(&cases[i].facts),
				 cases[i].reason);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
