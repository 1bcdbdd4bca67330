/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
knows_types(void **state)
{
	(void)state;
	assert_int_equal(kind_of("ext4"), KIND_LOCAL);
	assert_int_equal(kind_of("tmpfs"), KIND_LOCAL);
	assert_int_equal(kind_of("overlay"), KIND_LOCAL);
	assert_int_equal(kind_of("devtmpfs"), KIND_NODES);
	assert_int_equal(kind_of("proc"), KIND_KERNEL);
	assert_int_equal(kind_of("cgroup2"), KIND_KERNEL);
	assert_int_equal(kind_of("nfs4"), KIND_FOREIGN);
	assert_int_equal(kind_of("fuse"), KIND_FOREIGN);
	assert_int_equal(kind_of("fuseblk"), KIND_FOREIGN);
	assert_int_equal(kind_of("fuse.ext4"), KIND_FOREIGN);
	assert_int_equal(kind_of("autofs"), KIND_FOREIGN);
	assert_int_equal(kind_of("ext"), KIND_FOREIGN);
	assert_int_equal(kind_of(""), KIND_FOREIGN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
