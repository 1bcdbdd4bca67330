/* SPDX-License-Identifier: GPL-2.0-or-later - long: one scene */
/*
 * Coverage of real mounts, in mount namespaces of our own, with a gate that
 * only keeps a list: nothing is ever marked.
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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/mounts/cover.h"
#include "agent/mounts/page.h"

#define ANSWERS_MAX 256

struct scene {
	struct conf conf;
	struct cover *cover;
	struct page *page;
	char base[32];
	/* The gate: what it owes, and how often it was told to watch. */
	struct msg_marked answers[ANSWERS_MAX];
	size_t answers_len, added, removed;
	int error; /* what it answers, and what it does not take */
	bool deaf;
};

static struct scene scene;

static int
on_mark(void *arg, const struct msg_mark *mark, int fd)
{
	struct stat st;

	(void)arg;
	if (scene.deaf)
		return -EAGAIN;
	if (mark->what == MSG_MARK_FLUSH)
		return 0;
	/* The descriptor is of the file system that it is said to be. */
	if (fd >= 0) {
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_dev, mark->device);
		assert_true(fcntl(fd, F_GETFL) & O_PATH);
	}
	assert_true(scene.answers_len < ANSWERS_MAX);
	bool adds = mark->what == MSG_MARK_ADD;
	assert_true(!adds || fd >= 0);
	scene.added += adds;
	scene.removed += !adds;
	scene.answers[scene.answers_len++] = (struct msg_marked){
		.device = mark->device,
		.error = adds ? (uint32_t)scene.error : 0,
		.marked = adds && !scene.error,
	};
	return 0;
}

static void
answer(void)
{
	for (size_t i = 0; i < scene.answers_len; i++)
		cover_marked(scene.cover, &scene.answers[i]);
	scene.answers_len = 0;
}

static void
refresh(void)
{
	assert_int_equal(cover_look(scene.cover, &scene.conf), 0);
	answer();
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
watch(const char *name)
{
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       at(name));
}

/* Entry number `skip` of those with that mount point. */
static struct cover_entry
find_path(const char *path, size_t skip)
{
	struct cover_entry entry = { 0 };

	for (size_t i = 0; cover_get(scene.cover, i, &entry); i++)
		if (strcmp(entry.point, path) == 0 && skip-- == 0)
			return entry;
	fail_msg("%s is not in the list", path);
	return entry;
}

static struct cover_entry
find(const char *name, size_t skip)
{
	return find_path(at(name), skip);
}

static size_t
covered_len(void)
{
	struct cover_entry entry;
	size_t len = 0;

	for (size_t i = 0; cover_get(scene.cover, i, &entry); i++)
		len += entry.covered;
	return len;
}

static void
begin(void)
{
	int fd = -1;
	CLEANUP_FD int page = -1;

	assert_int_equal(page_open(fd, &scene.page, &page), 0);
	assert_int_equal(cover_open(scene.page, on_mark, NULL, &scene.cover),
			 0);
	cover_marked(scene.cover, &(struct msg_marked){ .device = 0 });
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
	begin();
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s",
		       scene.base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cover_close(scene.cover);
	page_close(scene.page);
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
	assert_true(find_path(scene.base, 0).covered);
	assert_int_equal(covered_len(), 1);
	/* A path within it names the file system too. */
	assert_int_equal(mkdir(at("other/folder"), 0700), 0);
	watch("other/folder");
	refresh();
	assert_true(find("other", 0).covered);
	assert_int_equal(covered_len(), 1);
}

static void
names_with_any_byte(void **state)
{
	(void)state;
	mount_here("a b\t\n\\#\xff", "tmpfs");
	watch("a b\t\n\\#\xff");
	refresh();
	assert_true(find("a b\t\n\\#\xff", 0).covered);
}

static void
hidden_mount_is_not_covered(void **state)
{
	(void)state;
	mount_here("m", "tmpfs");
	watch("m");
	refresh();
	assert_true(find("m", 0).covered);
	/* Now the path leads to another one: the first is hidden by it. */
	mount_here("m", "tmpfs");
	refresh();
	assert_true(find("m", 1).covered);
	/* It gives way to the first again. */
	assert_int_equal(umount(at("m")), 0);
	refresh();
	assert_true(find("m", 0).covered);
	assert_int_equal(covered_len(), 1);
}

/* The bug that gated "/": whatever lies beneath was not asked for. */
static void
path_never_falls_through(void **state)
{
	(void)state;
	for (int flags = 0; flags <= MNT_DETACH; flags += MNT_DETACH) {
		mount_here("m", "tmpfs");
		watch("m");
		refresh();
		assert_true(find("m", 0).covered);
		assert_int_equal(umount2(at("m"), flags), 0);
		refresh();
		assert_int_equal(covered_len(), 0);
		assert_true(cover_is_missing(scene.cover));
		assert_string_equal(find("m", 0).why, "named by [gate] watch: "
						      "what was mounted is "
						      "gone");
		/* Nor for a successor, who has the page. */
		cover_close(scene.cover);
		assert_int_equal(
			cover_open(scene.page, on_mark, NULL, &scene.cover), 0);
		cover_marked(scene.cover, &(struct msg_marked){ .device = 0 });
		refresh();
		assert_int_equal(covered_len(), 0);
		/* Until something is mounted there again. */
		mount_here("m", "tmpfs");
		refresh();
		assert_true(find("m", 0).covered);
		assert_int_equal(covered_len(), 1);
		assert_int_equal(umount(at("m")), 0);
		assert_int_equal(rmdir(at("m")), 0);
		refresh();
	}
}

/* The next file system may have the number of the one that is gone. */
static void
same_number_is_told_again(void **state)
{
	(void)state;
	mount_here("m", "tmpfs");
	watch("m");
	refresh();
	size_t before = scene.added;
	assert_int_equal(umount(at("m")), 0);
	mount_here("m", "tmpfs");
	refresh();
	assert_true(scene.added > before);
	assert_true(find("m", 0).covered);
}

static void
what_is_known_is_not_told_again(void **state)
{
	(void)state;
	refresh();
	size_t before = scene.added;
	mount_here("other", "tmpfs");
	refresh();
	refresh();
	assert_int_equal(scene.added, before);
	/* A new gate knows nothing. */
	cover_forget(scene.cover);
	assert_int_equal(covered_len(), 0);
	cover_marked(scene.cover, &(struct msg_marked){ .device = 0 });
	refresh();
	assert_int_equal(scene.added, before + 1);
	assert_int_equal(covered_len(), 1);
}

/* An old gate watches what a new khien-mounts does not want. */
static void
old_marks_are_taken_over(void **state)
{
	struct stat st;

	(void)state;
	mount_here("m", "tmpfs");
	assert_int_equal(stat(at("m"), &st), 0);
	cover_marked(scene.cover, &(struct msg_marked){ .device = st.st_dev,
							.marked = true });
	assert_int_equal(cover_look(scene.cover, &scene.conf), 0);
	assert_true(find("m", 0).covered);
	assert_int_equal(scene.removed, 1);
	answer();
	assert_false(find("m", 0).covered);
	refresh();
	assert_int_equal(scene.removed, 1);
}

static void
refusal_is_told(void **state)
{
	(void)state;
	scene.error = ENODEV;
	refresh();
	assert_false(find_path(scene.base, 0).covered);
	assert_string_equal(find_path(scene.base, 0).why,
			    "cannot be watched: No such device");
	assert_true(cover_is_settled(scene.cover));
}

static void
what_was_not_taken_is_owed(void **state)
{
	(void)state;
	scene.deaf = true;
	refresh();
	assert_false(cover_is_settled(scene.cover));
	assert_true(cover_is_owed(scene.cover));
	assert_false(find_path(scene.base, 0).covered);
	scene.deaf = false;
	refresh();
	assert_true(cover_is_settled(scene.cover));
	assert_true(find_path(scene.base, 0).covered);
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
	/* By a bind mount alone, a file's even, it is reached as well. */
	mount_here("m", "tmpfs");
	int fd = open(at("m/file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = open(at("target"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	(void)snprintf(from, sizeof(from), "%s", at("m/file"));
	assert_int_equal(mount(from, at("target"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(umount(at("m")), 0);
	watch("target");
	refresh();
	assert_true(find("target", 0).covered);
}

static void
excluded_is_let_go(void **state)
{
	(void)state;
	mount_here("m", "tmpfs");
	watch("m");
	refresh();
	assert_true(find("m", 0).covered);

	(void)snprintf(scene.conf.exclude, sizeof(scene.conf.exclude), "/x:%s",
		       at("m"));
	refresh();
	assert_int_equal(scene.removed, 1);
	assert_string_equal(find("m", 0).why,
			    "excluded by [gate] exclude (tmpfs)");

	scene.conf.exclude[0] = '\0';
	refresh();
	assert_true(find("m", 0).covered);
	strcpy(scene.conf.mode, "off");
	refresh();
	assert_string_equal(find("m", 0).why, "the gate is off (tmpfs)");
}

static void
missing_path_may_appear(void **state)
{
	(void)state;
	watch("later");
	refresh();
	assert_true(cover_is_missing(scene.cover));
	assert_false(find("later", 0).covered);
	assert_string_equal(find("later", 0).why,
			    "named by [gate] watch: No such file or directory");
	mount_here("later", "tmpfs");
	refresh();
	assert_false(cover_is_missing(scene.cover));
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

static void
sensor_is_told_each_once(void **state)
{
	static struct msg_cover list[MSG_COVER_MAX];
	struct stat st;
	size_t gated = 0;

	(void)state;
	refresh();
	assert_int_equal(stat(scene.base, &st), 0);
	size_t len = cover_list(scene.cover, list, MSG_COVER_MAX);
	for (size_t i = 0; i < len; i++) {
		if (list[i].kind == MSG_COVER_GATED) {
			gated++;
			assert_int_equal(list[i].device, st.st_dev);
		}
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(list[i].device, list[k].device);
	}
	assert_int_equal(gated, 1);
	assert_true(len > gated);
}

/* A child with a tmpfs in a namespace of its own, until it is killed. */
static int
elsewhere(void)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	int pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount("test", at("hidden"), "tmpfs", 0, NULL) < 0)
			_exit(1);
		(void)!write(ends[1], "", 1);
		for (;;)
			(void)pause();
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	return pid;
}

static void
other_namespace_is_reached(void **state)
{
	struct cover_entry entry;
	char told[64];

	(void)state;
	/* What has to be marked is in this test all that is local. */
	assert_int_equal(mkdir(at("hidden"), 0700), 0);
	int pid = elsewhere();
	refresh();
	cover_look_elsewhere(scene.cover, &scene.conf);
	answer();
	entry = find("hidden", 0);
	assert_false(entry.covered);
	assert_true(strncmp(entry.why, "not named by [gate] watch (tmpfs)",
			    33) == 0);
	scene.conf.watch[0] = '\0';
	refresh();
	cover_look_elsewhere(scene.cover, &scene.conf);
	answer();
	entry = find("hidden", 0);
	assert_true(entry.covered);
	(void)snprintf(told, sizeof(told), "process %d", pid);
	assert_non_null(strstr(entry.why, told));
	size_t before = covered_len();
	/* It ends, and its mounts with it. */
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	cover_look_elsewhere(scene.cover, &scene.conf);
	answer();
	assert_true(covered_len() < before);
}

/* A way on which our predecessor was killed is not tried again. */
static void
hung_way_is_left_out(void **state)
{
	struct stat st;

	(void)state;
	mount_here("m", "tmpfs");
	refresh();
	assert_int_equal(stat(at("m"), &st), 0);
	struct statx stx;
	assert_int_equal(statx(AT_FDCWD, at("m"), 0, STATX_MNT_ID, &stx), 0);
	scene.page->hung[0] = (struct page_way){ .id = (uint32_t)stx.stx_mnt_id,
						 .device = st.st_dev };
	(void)snprintf(scene.conf.watch, sizeof(scene.conf.watch), "%s:%s/m",
		       scene.base, scene.base);
	refresh();
	assert_string_equal(find("m", 0).why, "the way to it hangs (tmpfs)");
	assert_true(find_path(scene.base, 0).covered);
	/* Another mount there is another way. */
	assert_int_equal(umount(at("m")), 0);
	refresh();
	mount_here("m", "tmpfs");
	refresh();
	assert_true(find("m", 0).covered);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(watches_what_is_named),
		TEST(names_with_any_byte),
		TEST(hidden_mount_is_not_covered),
		TEST(path_never_falls_through),
		TEST(same_number_is_told_again),
		TEST(what_is_known_is_not_told_again),
		TEST(old_marks_are_taken_over),
		TEST(refusal_is_told),
		TEST(what_was_not_taken_is_owed),
		TEST(bind_mount_shares_the_mark),
		TEST(excluded_is_let_go),
		TEST(missing_path_may_appear),
		TEST(foreign_types_are_not_walked),
		TEST(sensor_is_told_each_once),
		TEST(other_namespace_is_reached),
		TEST(hung_way_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
