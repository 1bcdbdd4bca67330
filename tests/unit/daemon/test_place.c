/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/place.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

static char folder[64];
static struct conf conf;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/khien-place-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	conf_init(&conf);
	conf.role_uid[ROLE_ENGINE] = geteuid();
	conf.role_gid[ROLE_ENGINE] = getegid();
	conf.role_uid[ROLE_VERIFY] = geteuid();
	conf.role_gid[ROLE_VERIFY] = getegid();
	conf.group_gid = getegid();
	(void)snprintf(conf.state_dir, sizeof(conf.state_dir), "%s/a/state",
		       folder);
	(void)snprintf(conf.run_dir, sizeof(conf.run_dir), "%s/b/run", folder);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static const char *
in(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static unsigned int
mode_of(const char *name)
{
	struct stat st;

	return lstat(in(name), &st) < 0 ? 0 : st.st_mode;
}

static int
make(void)
{
	struct place place;
	int r = place_make(&place, &conf);

	place_done(&place);
	return r;
}

static bool
can_connect(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)str_copy(address.sun_path, sizeof(address.sun_path), in(name));
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static void
test_makes_and_removes(void **state)
{
	struct place place;

	(void)state;
	(void)umask(077);
	assert_int_equal(place_make(&place, &conf), 0);
	assert_int_equal(mode_of("a"), S_IFDIR | 0755);
	assert_int_equal(mode_of("a/state"), S_IFDIR | 0700);
	assert_int_equal(mode_of("a/state/update"), S_IFDIR | 0700);
	assert_true(place.update >= 0);
	assert_int_equal(mode_of("b/run"), S_IFDIR | 0755);
	assert_int_equal(mode_of("b/run/status.sock"), S_IFSOCK | 0660);
	assert_int_equal(mode_of("b/run/control.sock"), S_IFSOCK | 0600);
	assert_true(can_connect("b/run/status.sock"));
	assert_true(can_connect("b/run/control.sock"));
	place_done(&place);
	assert_int_equal(mode_of("b/run/status.sock"), 0);
	assert_int_equal(mode_of("b/run/control.sock"), 0);
	assert_int_equal(make(), 0);
}

/* What a khiend leaves behind that was killed. */
static void
test_replaces_stale_sockets(void **state)
{
	struct place place;

	(void)state;
	pid_t child = fork();
	if (child == 0)
		_exit(place_make(&place, &conf) < 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(mode_of("b/run/status.sock"), S_IFSOCK | 0660);
	assert_false(can_connect("b/run/status.sock"));
	assert_int_equal(place_make(&place, &conf), 0);
	assert_true(can_connect("b/run/status.sock"));
	place_done(&place);
}

/* The rest goes on without a folder of updates that others could change. */
static void
test_folder_of_updates(void **state)
{
	struct place place;

	(void)state;
	assert_int_equal(make(), 0);
	assert_int_equal(chmod(in("a/state/update"), 0777), 0);
	/* An empty one of ours is made anew, so it must not be. */
	assert_int_equal(mkdir(in("a/state/update/tuf"), 0700), 0);
	assert_int_equal(place_make(&place, &conf), 0);
	assert_int_equal(place.update, -1);
	place_done(&place);
	assert_int_equal(rmdir(in("a/state/update/tuf")), 0);
	assert_int_equal(rmdir(in("a/state/update")), 0);
	assert_int_equal(symlink("/", in("a/state/update")), 0);
	assert_int_equal(place_make(&place, &conf), 0);
	assert_int_equal(place.update, -1);
	place_done(&place);
}

static int
make_in_child(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(-make());
	assert_int_equal(waitpid(child, &status, 0), child);
	return -WEXITSTATUS(status);
}

static void
test_refuses_a_second(void **state)
{
	struct place place;

	(void)state;
	assert_int_equal(place_make(&place, &conf), 0);
	assert_int_equal(make_in_child(), -EAGAIN);
	assert_true(can_connect("b/run/status.sock"));
	/* Another run_dir does not help while the store is the same one. */
	(void)strcat(conf.run_dir, "2");
	assert_int_equal(make_in_child(), -EWOULDBLOCK);
	(void)strcat(conf.state_dir, "2");
	assert_int_equal(make_in_child(), 0);
	place_done(&place);
}

static void
test_leaves_other_files(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("b"), 0700), 0);
	assert_int_equal(mkdir(in("b/run"), 0700), 0);
	CLEANUP_FD int fd =
		open(in("b/run/status.sock"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(make(), -ENOTSOCK);
	assert_int_equal(mode_of("b/run/status.sock"), S_IFREG | 0600);
}

static void
test_refuses_open_folders(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("b"), 0700), 0);
	assert_int_equal(mkdir(in("b/run"), 0700), 0);
	assert_int_equal(chmod(in("b/run"), 0777), 0);
	assert_int_equal(make(), -EPERM);
}

static void
test_refuses_files_for_folders(void **state)
{
	(void)state;
	CLEANUP_FD int fd = open(in("b"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(make(), -ENOTDIR);
	assert_int_equal(unlink(in("b")), 0);
	CLEANUP_FD int other = open(in("a"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(make(), -ENOTDIR);
}

/* As if state_dir were /etc: root can give away what it does not own. */
static void
test_refuses_foreign_state(void **state)
{
	(void)state;
	assert_int_equal(make(), 0);
	CLEANUP_FD int fd =
		open(in("a/state/passwd"), O_WRONLY | O_CREAT, 0600);
	conf.role_uid[ROLE_ENGINE] = geteuid() + 1;
	struct stat st;
	assert_int_equal(make(), -EPERM);
	assert_int_equal(stat(in("a/state"), &st), 0);
	assert_int_equal(st.st_uid, geteuid());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_makes_and_removes),
		TEST(test_replaces_stale_sockets),
		TEST(test_folder_of_updates),
		TEST(test_refuses_a_second),
		TEST(test_leaves_other_files),
		TEST(test_refuses_open_folders),
		TEST(test_refuses_files_for_folders),
		TEST(test_refuses_foreign_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
