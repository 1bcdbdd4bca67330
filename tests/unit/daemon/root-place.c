/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only root can do to a folder. */
#include "agent/daemon/place.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/role.h"

static void
make(const struct conf *conf)
{
	struct place place;

	assert_int_equal(place_make(&place, conf), 0);
	place_done(&place);
}

static void
assert_owner(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

/* The users were made after the agent had run without them. */
static void
test_follows_a_new_user(void **state)
{
	char folder[] = "/tmp/khien-place-XXXXXX";
	char command[128];
	static struct conf conf;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	conf_init(&conf);
	(void)snprintf(conf.state_dir, PATH_MAX, "%s/state", folder);
	(void)snprintf(conf.run_dir, PATH_MAX, "%s/run", folder);
	conf.role_uid[ROLE_ENGINE] = conf.role_gid[ROLE_ENGINE] = 61184;
	make(&conf);
	assert_owner("state", 61184, 61184);
	CLEANUP_FD int store = open("state/store.db", O_CREAT | O_RDWR, 0600);
	CLEANUP_FD int other = open("state/other", O_CREAT | O_RDWR, 0600);
	assert_int_equal(fchown(store, 61184, 61184), 0);
	assert_int_equal(link("state/store.db", "elsewhere"), 0);
	assert_int_equal(symlink("../elsewhere", "state/symlink"), 0);
	conf.role_uid[ROLE_ENGINE] = 999;
	conf.role_gid[ROLE_ENGINE] = conf.group_gid = 998;
	make(&conf);
	assert_owner("state", 999, 998);
	assert_owner("state/other", 0, 0);
	/* It has a name outside, so it is not given away. */
	assert_owner("state/store.db", 61184, 61184);
	assert_int_equal(unlink("elsewhere"), 0);
	conf.role_uid[ROLE_ENGINE] = 61185;
	assert_int_equal(fchown(store, 999, 998), 0);
	make(&conf);
	assert_owner("state/store.db", 61185, 998);
	assert_owner("state", 61185, 998);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_a_new_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
