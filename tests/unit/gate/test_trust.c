/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/magic.h>

#include <cmocka.h>

#include "agent/gate/ident.h"
#include "agent/gate/trust.h"

static void
classes(void **state)
{
	static const struct {
		uint32_t uid, mode;
		uint16_t handle_len;
		uint64_t type;
		enum trust trust;
	} cases[] = {
		{ 0, 0100755, 8, EXT4_SUPER_MAGIC, TRUST_ROOT },
		{ 0, 0100644, 8, TMPFS_MAGIC, TRUST_ROOT },
		{ 0, 0100600, 8, TMPFS_MAGIC, TRUST_ROOT },
		{ 0, 0104755, 8, EXT4_SUPER_MAGIC, TRUST_ROOT },
		{ 0, 0100775, 8, EXT4_SUPER_MAGIC, TRUST_USER },
		{ 0, 0100757, 8, EXT4_SUPER_MAGIC, TRUST_USER },
		{ 0, 0100666, 8, EXT4_SUPER_MAGIC, TRUST_USER },
		{ 1000, 0100755, 8, EXT4_SUPER_MAGIC, TRUST_USER },
		{ 1000, 0100400, 8, EXT4_SUPER_MAGIC, TRUST_USER },
		{ 0, 0100755, 0, EXT4_SUPER_MAGIC, TRUST_NONE },
		{ 0, 0100755, 8, OVERLAYFS_SUPER_MAGIC, TRUST_NONE },
		{ 1000, 0100755, 8, OVERLAYFS_SUPER_MAGIC, TRUST_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ident ident = { .uid = cases[i].uid,
				       .mode = cases[i].mode,
				       .handle_len = cases[i].handle_len };

		assert_int_equal(trust_of(&ident, cases[i].type),
				 cases[i].trust);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
