/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks on real file systems, in a mount namespace of our own.  Only what is
 * mounted here is ever marked, and nobody waits for a notification mark.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/ident.h"
#include "agent/gate/mounts.h"
#include "agent/gate/notify.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"

struct scene {
	struct conf conf;
	struct notify notify;
	struct mounts *mounts;
	char base[32];
	/* What the kernel told, summed up. */
	size_t written, executed;
	struct ident last;
	char path[4096];
};

static struct scene scene;

static void
on_event(void *arg, const struct notify_event *event)
{
	int fd = event->fd;

	(void)arg;
	scene.written += event->written;
	scene.executed += event->executed;
	assert_int_equal(ident_read(fd, &scene.last), 0);
	assert_int_equal(file_path(fd, scene.path, sizeof(scene.path)), 0);
	file_closep(&fd);
}

static void
drain(void)
{
	scene.written = 0;
	scene.executed = 0;
	while (notify_read(&scene.notify, 100, on_event, NULL) > 0)
		;
}

/* The path of a thing in our folder. */
static const char *
at(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", scene.base, name);
	return path;
}

static void
mount_here(const char *name, const char *type)
{
	(void)mkdir(at(name), 0700);
	assert_int_equal(mount("test", at(name), type, 0, NULL), 0);
}

static void
write_here(const char *name)
{
	int fd = open(at(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	(void)close(fd);
}

static void
refresh(void)
{
	assert_int_equal(
		mounts_refresh(scene.mounts, &scene.notify, &scene.conf), 0);
}

/* Entry number `skip` of those with that mount point. */
static struct mounts_entry
find(const char *name, size_t skip)
{
	struct mounts_entry entry;

	for (size_t i = 0; mounts_get(scene.mounts, i, &entry); i++)
		if (strcmp(entry.point, at(name)) == 0 && skip-- == 0)
			return entry;
	fail_msg("%s is not in the list", name);
	return entry;
}

static int
setup(void **state)
{
	(void)state;
	scene = (struct scene){ .base = "/tmp/khien-mounts-XXXXXX" };
	conf_init(&scene.conf);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !mkdtemp(scene.base) ||
	    mount("test", scene.base, "tmpfs", 0, NULL) < 0)
		return -1;
	if (notify_open(&scene.notify) < 0 || mounts_open(&scene.mounts) < 0)
		return -1;
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       scene.base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	notify_close(&scene.notify);
	mounts_close(scene.mounts);
	(void)umount2(scene.base, MNT_DETACH);
	return rmdir(scene.base);
}

static void
watches_what_is_named(void **state)
{
	(void)state;
	mount_here("other", "tmpfs");
	refresh();
	assert_false(find("other", 0).covered);
	assert_string_equal(find("other", 0).why,
			    "not named by [gate] watch (tmpfs)");
	write_here("file");
	write_here("other/file");
	drain();
	assert_int_equal(scene.written, 1);
	assert_string_equal(scene.path, at("file"));
	assert_true(scene.last.handle_len > 0);
	/* A path within it names the file system too. */
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       at("other/file"));
	refresh();
	assert_true(find("other", 0).covered);
	write_here("file");
	write_here("other/file");
	drain();
	assert_int_equal(scene.written, 1);
	assert_string_equal(scene.path, at("other/file"));
}

static void
names_with_any_byte(void **state)
{
	(void)state;
	mount_here("a b\t\n\\#\xff", "tmpfs");
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       at("a b\t\n\\#\xff"));
	refresh();
	assert_true(find("a b\t\n\\#\xff", 0).covered);
	write_here("a b\t\n\\#\xff/f\n");
	drain();
	assert_int_equal(scene.written, 1);
	assert_string_equal(scene.path, at("a b\t\n\\#\xff/f\n"));
}

static void
hidden_mount_is_not_covered(void **state)
{
	(void)state;
	mount_here("m", "tmpfs");
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       at("m"));
	refresh();
	assert_true(find("m", 0).covered);
	/* Now the path leads to another one: the first is hidden by it. */
	mount_here("m", "tmpfs");
	refresh();
	assert_false(find("m", 0).covered);
	assert_true(find("m", 1).covered);
}

static void
bind_mount_shares_the_mark(void **state)
{
	char from[256];

	(void)state;
	(void)mkdir(at("bind"), 0700);
	(void)mkdir(at("dir"), 0700);
	(void)snprintf(from, sizeof(from), "%s", at("dir"));
	assert_int_equal(mount(from, at("bind"), NULL, MS_BIND, NULL), 0);
	refresh();
	assert_true(find("bind", 0).covered);
	write_here("bind/file");
	drain();
	assert_int_equal(scene.written, 1);
	assert_string_equal(scene.path, at("bind/file"));
}

static void
excluded_is_let_go(void **state)
{
	(void)state;
	mount_here("m", "tmpfs");
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       at("m"));
	refresh();
	write_here("m/file");
	drain();
	assert_int_equal(scene.written, 1);

	(void)snprintf(scene.conf.exclude, sizeof(scene.conf.exclude), "/x:%s",
		       at("m"));
	refresh();
	assert_string_equal(find("m", 0).why,
			    "excluded by [gate] exclude (tmpfs)");
	write_here("m/file");
	drain();
	assert_int_equal(scene.written, 0);

	scene.conf.exclude[0] = '\0';
	refresh();
	write_here("m/file");
	drain();
	assert_int_equal(scene.written, 1);

	strcpy(scene.conf.mode, "off");
	refresh();
	assert_string_equal(find("m", 0).why, "the gate is off (tmpfs)");
	write_here("m/file");
	drain();
	assert_int_equal(scene.written, 0);
}

static void
missing_path_may_appear(void **state)
{
	(void)state;
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       at("later"));
	refresh();
	assert_true(mounts_is_missing(scene.mounts));
	assert_false(find("later", 0).covered);
	assert_string_equal(find("later", 0).why,
			    "named by [gate] watch: No such file or directory");
	mount_here("later", "tmpfs");
	refresh();
	assert_false(mounts_is_missing(scene.mounts));
	assert_true(find("later", 0).covered);
}

static void
foreign_types_are_not_walked(void **state)
{
	(void)state;
	mount_here("p", "proc");
	refresh();
	assert_false(find("p", 0).covered);
	assert_string_equal(find("p", 0).why, "the kernel's own (proc)");
}

/* A pipe, a lease and a removed file do not stop the reader. */
static void
odd_files(void **state)
{
	(void)state;
	refresh();
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	int fd = open(at("pipe"), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	assert_true(fd >= 0);
	(void)close(fd);

	write_here("leased");
	fd = open(at("leased"), O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	assert_int_equal(fcntl(fd, F_SETSIG, SIGURG), 0);
	write_here("gone");
	assert_int_equal(unlink(at("gone")), 0);
	drain();
	drain();
	(void)close(fd);
	assert_string_equal(strrchr(scene.path, '/'), "/gone (deleted)");
	assert_int_equal(scene.last.links, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(watches_what_is_named),
		TEST(names_with_any_byte),
		TEST(hidden_mount_is_not_covered),
		TEST(bind_mount_shares_the_mark),
		TEST(excluded_is_let_go),
		TEST(missing_path_may_appear),
		TEST(foreign_types_are_not_walked),
		TEST(odd_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
