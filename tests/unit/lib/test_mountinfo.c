/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "agent/lib/mountinfo.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

struct good {
	const char *line;
	uint32_t id, parent;
	unsigned int major, minor;
	const char *root, *point, *type;
};

static const struct good goods[] = {
	{ "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", 36,
	  35, 98, 0, "/mnt1", "/mnt2", "ext3" },
	{ "22 27 0:21 / /proc rw,relatime - proc proc rw", 22, 27, 0, 21, "/",
	  "/proc", "proc" },
	/* Several optional fields. */
	{ "1 0 8:1 / / ro shared:1 master:2 propagate_from:3 unbindable - xfs "
	  "/dev/sda1 rw",
	  1, 0, 8, 1, "/", "/", "xfs" },
	/* Space, tab, newline, backslash and '#' are escaped. */
	{ "40 1 0:50 /a\\040b /x\\040\\011\\012\\134\\043y rw - tmpfs t rw", 40,
	  1, 0, 50, "/a b", "/x \t\n\\#y", "tmpfs" },
	/* A dash as a mount point, a root, or beginning of an option. */
	{ "41 1 0:51 - - -,rw - tmpfs - rw", 41, 1, 0, 51, "-", "-", "tmpfs" },
	/* No source and no options of the file system. */
	{ "42 1 0:52 / /m rw - tmpfs", 42, 1, 0, 52, "/", "/m", "tmpfs" },
	{ "43 1 0:53 / /m rw - fuse.ssh\\134fs  rw", 43, 1, 0, 53, "/", "/m",
	  "fuse.ssh\\fs" },
	/* An empty source, as some file systems have. */
	{ "44 1 0:54 / /m rw - nsfs  rw", 44, 1, 0, 54, "/", "/m", "nsfs" },
	/* Not escapes, so they stay. */
	{ "45 1 0:55 / /a\\04 rw - tmpfs t rw", 45, 1, 0, 55, "/", "/a\\04",
	  "tmpfs" },
	{ "46 1 0:56 / /a\\948\\000\\400\\ rw - tmpfs t rw", 46, 1, 0, 56, "/",
	  "/a\\948\\000\\400\\", "tmpfs" },
	/* Bytes that are no UTF-8, written as they are and escaped. */
	{ "47 1 0:57 / /\xff\\377 rw - tmpfs t rw", 47, 1, 0, 57, "/",
	  "/\xff\xff", "tmpfs" },
	{ "4294967295 4294967294 4095:1048575 / /big rw - ext4 d rw",
	  4294967295U, 4294967294U, 4095, 1048575, "/", "/big", "ext4" },
	/* A root that was removed. */
	{ "48 1 8:1 /gone//deleted /d rw - ext4 d rw", 48, 1, 8, 1,
	  "/gone//deleted", "/d", "ext4" },
};

static void
reads_good_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(goods); i++) {
		const struct good *good = &goods[i];
		struct mountinfo mount;
		char line[256];

		strcpy(line, good->line);
		assert_int_equal(mountinfo_parse(line, &mount), 0);
		assert_int_equal(mount.id, good->id);
		assert_int_equal(mount.parent, good->parent);
		assert_int_equal(mount.device,
				 makedev(good->major, good->minor));
		assert_string_equal(mount.root, good->root);
		assert_string_equal(mount.point, good->point);
		assert_string_equal(mount.type, good->type);
	}
}

static const char *const bads[] = {
	"",
	" ",
	"36",
	"36 35",
	"36 35 98:0",
	"36 35 98:0 /mnt1",
	"36 35 98:0 /mnt1 /mnt2",
	"36 35 98:0 /mnt1 /mnt2 rw",
	"36 35 98:0 /mnt1 /mnt2 rw master:1",
	"36 35 98:0 /mnt1 /mnt2 rw -",
	"36 35 98:0 /mnt1 /mnt2 rw master:1 -",
	"x 35 98:0 / /m rw - ext3 d rw",
	"-1 35 98:0 / /m rw - ext3 d rw",
	"4294967296 35 98:0 / /m rw - ext3 d rw",
	"36  98:0 / /m rw - ext3 d rw",
	"36 35 980 / /m rw - ext3 d rw",
	"36 35 98: / /m rw - ext3 d rw",
	"36 35 :0 / /m rw - ext3 d rw",
	"36 35 98:0:1 / /m rw - ext3 d rw",
	"36 35 4096:0 / /m rw - ext3 d rw",
	"36 35 0:1048576 / /m rw - ext3 d rw",
};

static void
refuses_other_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(bads); i++) {
		struct mountinfo mount;
		char line[256];

		strcpy(line, bads[i]);
		assert_int_equal(mountinfo_parse(line, &mount), -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_good_lines),
		cmocka_unit_test(refuses_other_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
