/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/barred.h"
#include "agent/gate/cache.h"
#include "agent/gate/hold.h"
#include "agent/gate/ident.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/recall.h"
#include "agent/lib/msg.h"

#define EXEC FAN_OPEN_EXEC_PERM
#define OPEN FAN_OPEN_PERM

/* What the kernel says of the file, and what it was told to ignore. */
static struct {
	uint32_t uid, mode;
	uint64_t fs_type;
	bool no_handle, old;
	bool marked;	  /* the inode has a mask that is not ignored, too */
	uint64_t ignored; /* the mask on the inode */
	unsigned int added, removed, flushed;
} kernel;

int
fanotify_mark(int group, unsigned int flags, uint64_t mask, int fd,
	      const char *path)
{
	(void)group;
	(void)fd;
	(void)path;
	if (flags & FAN_MARK_FLUSH) {
		kernel.flushed++;
		kernel.ignored = 0;
		kernel.marked = false;
	} else if (!(flags & FAN_MARK_IGNORED_MASK)) {
		/* Before anything is ignored, and never taken away: an empty
		   mark is destroyed, and meanwhile nobody is asked. */
		assert_int_equal(flags, FAN_MARK_ADD | FAN_MARK_EVICTABLE);
		assert_int_equal(mask, FAN_CLOSE_WRITE);
		kernel.marked = true;
	} else if (flags & FAN_MARK_ADD) {
		assert_true(kernel.marked);
		kernel.added++;
		kernel.ignored |= mask;
	} else {
		kernel.removed++;
		kernel.ignored &= ~mask;
	}
	return 0;
}

int
statx(int folder, const char *path, int flags, unsigned int mask,
      struct statx *stx)
{
	long r = syscall(SYS_statx, folder, path, flags, mask, stx);

	stx->stx_uid = kernel.uid;
	stx->stx_mode = (uint16_t)(S_IFREG | kernel.mode);
	if (kernel.old)
		stx->stx_ctime.tv_sec -= 11;
	return (int)r;
}

int
fstatfs(int fd, struct statfs *fs)
{
	long r = syscall(SYS_fstatfs, fd, fs);

	if (kernel.fs_type)
		fs->f_type = (__typeof__(fs->f_type))kernel.fs_type;
	return (int)r;
}

struct scene {
	struct notify notify;
	struct cache *cache;
	struct hold *hold;
	struct barred *barred;
	struct recall *recall;
	char path[32];
	struct ident ident;
	struct question question;
};

static void
look(struct scene *scene)
{
	assert_int_equal(ident_read(scene->question.fd, &scene->ident), 0);
	if (kernel.no_handle)
		scene->ident.handle_len = 0;
}

static int
setup(void **state)
{
	static struct scene scene;

	scene = (struct scene){
		.path = "/tmp/khien-recall-XXXXXX",
		.notify = { .fd = 1000, .can_ask = true, .can_ignore = true }
	};
	memset(&kernel, 0, sizeof(kernel));
	kernel.uid = 1000;
	kernel.mode = 0755;
	int writer = mkstemp(scene.path);
	if (writer < 0 || write(writer, "content", 7) != 7 || close(writer) < 0)
		return -1;
	scene.cache = cache_new(64, 1);
	scene.hold = hold_new(4);
	scene.barred = barred_new();
	scene.recall = recall_new(scene.cache, &scene.notify, scene.hold,
				  scene.barred);
	scene.question.fd = open(scene.path, O_RDONLY | O_CLOEXEC);
	scene.question.ident = &scene.ident;
	scene.question.cause = MSG_CAUSE_OPEN;
	*state = &scene;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *scene = *state;

	recall_free(scene->recall);
	barred_free(scene->barred);
	hold_free(scene->hold);
	cache_free(scene->cache);
	(void)close(scene->question.fd);
	return unlink(scene->path);
}

static enum cache_verdict
find(struct scene *scene, uint16_t cause)
{
	scene->question.cause = cause;
	look(scene);
	return recall_find(scene->recall, &scene->question, &scene->ident,
			   cause == MSG_CAUSE_EXEC);
}

static void
add(struct scene *scene, enum cache_verdict verdict)
{
	look(scene);
	recall_add(scene->recall, scene->question.fd, &scene->ident, verdict);
}

#define OVERLAY OVERLAYFS_SUPER_MAGIC

/* Who may write the file and where it lies decide what is remembered where. */
static void
classes(void **state)
{
	static const struct {
		uint32_t uid, mode;
		uint64_t fs_type;
		bool asking, no_handle, writer;
		bool known; /* to us, when it is opened */
		bool runs;  /* ... and when it is executed */
		uint64_t ignored;
		bool old;
	} cases[] = {
		{ 0, 0755, 0, true, false, false, true, true,
		  EXEC | OPEN | FAN_OPEN_EXEC, true },
		{ 0, 0644, 0, false, false, false, true, true,
		  EXEC | OPEN | FAN_OPEN_EXEC, true },
		/* Made a moment ago: root may be about to give it away. */
		{ 0, 0755, 0, true, false, false, true, true, OPEN, false },
		{ 0, 0644, 0, false, false, false, true, true, 0, false },
		/* A user's: when it is executed the kernel asks, always. */
		{ 1000, 0755, 0, true, false, false, true, true, OPEN, false },
		{ 0, 0775, 0, true, false, false, true, true, OPEN, false },
		{ 0, 0757, 0, true, false, false, true, true, OPEN, false },
		{ 1000, 0755, 0, false, false, false, true, true, 0, false },
		/* What cannot be known again, or is written beneath us. */
		{ 0, 0755, OVERLAY, true, false, false, false, false, 0,
		  false },
		{ 1000, 0755, OVERLAY, true, false, false, false, false, 0,
		  false },
		{ 0, 0755, OVERLAY, false, false, false, true, true, 0, false },
		/* Somebody has it open to write. */
		{ 0, 0755, 0, true, false, true, false, false, 0, false },
		{ 1000, 0755, 0, true, false, true, false, false, 0, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(setup(state), 0);
		struct scene *scene = *state;
		int writer = cases[i].writer ?
				     open(scene->path, O_WRONLY | O_CLOEXEC) :
				     -1;

		kernel.uid = cases[i].uid;
		kernel.old = cases[i].old;
		kernel.mode = cases[i].mode;
		kernel.fs_type = cases[i].fs_type;
		recall_set_asking(scene->recall, cases[i].asking);
		add(scene, CACHE_CLEAN);
		if (kernel.ignored != cases[i].ignored)
			fail_msg("case %zu: ignored %#llx", i,
				 (unsigned long long)kernel.ignored);
		/* The kernel forgot, and is told again. */
		kernel.ignored = 0;
		if ((find(scene, MSG_CAUSE_OPEN) == CACHE_CLEAN) !=
		    cases[i].known)
			fail_msg("case %zu: open", i);
		if (kernel.ignored != cases[i].ignored)
			fail_msg("case %zu: ignored again %#llx", i,
				 (unsigned long long)kernel.ignored);
		if ((find(scene, MSG_CAUSE_EXEC) == CACHE_CLEAN) !=
		    cases[i].runs)
			fail_msg("case %zu: exec", i);
		/* Whoever may write it is kept away until it runs. */
		bool writable = cases[i].uid || (cases[i].mode & 022);
		if (hold_len(scene->hold) != (cases[i].runs && writable))
			fail_msg("case %zu: hold", i);
		if (writer >= 0)
			(void)close(writer);
		(void)teardown(state);
	}
}

/* No handle is no proof of identity: an inode's number is used again. */
static void
no_handle_is_not_known(void **state)
{
	struct scene *scene = *state;

	recall_set_asking(scene->recall, true);
	kernel.no_handle = true;
	add(scene, CACHE_CLEAN);
	assert_int_equal(kernel.ignored, 0);
	assert_int_equal(cache_len(scene->cache), 0);
}

/* Whoever wants a scan gets one, and a file that is to be scanned is told. */
static void
scans_are_not_spared(void **state)
{
	struct scene *scene = *state;

	recall_set_asking(scene->recall, true);
	add(scene, CACHE_CLEAN);
	assert_int_equal(find(scene, MSG_CAUSE_WRITE), CACHE_UNKNOWN);
	assert_int_equal(find(scene, MSG_CAUSE_ASKED), CACHE_UNKNOWN);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_CLEAN);
}

static uint64_t
guard(struct scene *scene)
{
	return recall_guard(scene->recall, scene->question.fd, &scene->ident);
}

/* What is behind the question may be a writer's close: then nothing is known of
   what is to be executed. */
static void
events_behind(void **state)
{
	struct scene *scene = *state;

	recall_set_asking(scene->recall, true);
	add(scene, CACHE_CLEAN);
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_CLEAN);
	scene->notify.unread = 1;
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_UNKNOWN);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_CLEAN);
	scene->notify.unread = 0;
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_CLEAN);
}

/* With a writer there, what is known does not let it be executed. */
static void
open_writer(void **state)
{
	struct scene *scene = *state;
	struct recall_counts counts;

	recall_set_asking(scene->recall, true);
	add(scene, CACHE_CLEAN);
	int writer = open(scene->path, O_WRONLY | O_CLOEXEC);
	assert_true(writer >= 0);
	kernel.ignored = 0;
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_UNKNOWN);
	assert_int_equal(guard(scene), 0);
	assert_false(recall_secure(scene->recall, scene->question.fd,
				   &scene->ident, 0));
	/* Reading is free until the close, but the kernel goes on asking. */
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_CLEAN);
	assert_int_equal(kernel.ignored, 0);
	add(scene, CACHE_CLEAN);
	recall_count(scene->recall, &counts);
	assert_int_equal(counts.written, 1);
	assert_int_equal(close(writer), 0);
	assert_true(recall_secure(scene->recall, scene->question.fd,
				  &scene->ident, guard(scene)));
}

static void
rewrite(struct scene *scene, const char *text)
{
	int writer = open(scene->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(writer, text, strlen(text)), strlen(text));
	assert_int_equal(close(writer), 0);
}

/* What was scanned is not what stands there now. */
static void
changed_content(void **state)
{
	struct scene *scene = *state;
	struct ident scanned;

	recall_set_asking(scene->recall, true);
	look(scene);
	scanned = scene->ident;
	rewrite(scene, "longer than before");
	recall_add(scene->recall, scene->question.fd, &scanned, CACHE_CLEAN);
	assert_int_equal(cache_len(scene->cache), 0);
	assert_int_equal(kernel.added, 0);
	kernel.uid = 0;
	assert_false(recall_secure(scene->recall, scene->question.fd, &scanned,
				   guard(scene)));
	kernel.uid = 1000;
	assert_false(recall_secure(scene->recall, scene->question.fd, &scanned,
				   guard(scene)));
	/* Each question comes with an opening of its own. */
	(void)close(scene->question.fd);
	scene->question.fd = open(scene->path, O_RDONLY | O_CLOEXEC);
	add(scene, CACHE_CLEAN);
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_CLEAN);
	assert_true(recall_secure(scene->recall, scene->question.fd,
				  &scene->ident, guard(scene)));
}

static void
closed_after_writing(void **state)
{
	struct scene *scene = *state;

	recall_set_asking(scene->recall, true);
	add(scene, CACHE_CLEAN);
	assert_int_equal(kernel.ignored, OPEN);
	recall_forget(scene->recall, &scene->question);
	assert_int_equal(kernel.ignored, 0);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_UNKNOWN);
}

/* Other rules: what was clean under the old ones is unknown. */
static void
generations(void **state)
{
	struct scene *scene = *state;
	uint32_t before = recall_generation(scene->recall);

	recall_set_asking(scene->recall, true);
	kernel.uid = 0;
	add(scene, CACHE_CLEAN);
	assert_true(kernel.ignored);
	recall_renew(scene->recall);
	assert_int_equal(recall_generation(scene->recall), before + 1);
	assert_int_equal(kernel.ignored, 0);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_UNKNOWN);
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_UNKNOWN);
	add(scene, CACHE_CLEAN);
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_CLEAN);
}

/* A file that ends scanners does so under other rules too, until it changes. */
static void
crash_entries(void **state)
{
	struct scene *scene = *state;
	struct recall_counts counts;

	recall_set_asking(scene->recall, true);
	add(scene, CACHE_CRASHES);
	assert_int_equal(kernel.added, 0);
	assert_int_equal(find(scene, MSG_CAUSE_EXEC), CACHE_CRASHES);
	/* Not even who wants a scan gets one. */
	assert_int_equal(find(scene, MSG_CAUSE_WRITE), CACHE_CRASHES);
	assert_int_equal(find(scene, MSG_CAUSE_ASKED), CACHE_CRASHES);
	recall_renew(scene->recall);
	recall_clear(scene->recall, false);
	recall_forget(scene->recall, &scene->question);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_CRASHES);
	recall_count(scene->recall, &counts);
	assert_int_equal(counts.crashes, 4);
	assert_int_equal(hold_len(scene->hold), 0);
	rewrite(scene, "another content");
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_UNKNOWN);
	add(scene, CACHE_CRASHES);
	recall_clear(scene->recall, true);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_UNKNOWN);
}

/* Closes are missing, or the mode is another: nothing clean is known. */
static void
clearing(void **state)
{
	struct scene *scene = *state;

	recall_set_asking(scene->recall, false);
	add(scene, CACHE_CLEAN);
	recall_set_asking(scene->recall, true);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_UNKNOWN);
	add(scene, CACHE_CLEAN);
	assert_true(kernel.ignored);
	recall_clear(scene->recall, false);
	assert_int_equal(kernel.ignored, 0);
	assert_int_equal(find(scene, MSG_CAUSE_OPEN), CACHE_UNKNOWN);
}

static void
hits_are_counted_by_class(void **state)
{
	struct scene *scene = *state;
	struct recall_counts counts;

	recall_set_asking(scene->recall, true);
	add(scene, CACHE_CLEAN);
	(void)find(scene, MSG_CAUSE_OPEN);
	(void)find(scene, MSG_CAUSE_EXEC);
	recall_clear(scene->recall, true);
	kernel.uid = 0;
	add(scene, CACHE_CLEAN);
	(void)find(scene, MSG_CAUSE_OPEN);
	recall_count(scene->recall, &counts);
	assert_int_equal(counts.user, 2);
	assert_int_equal(counts.root, 1);
	assert_int_equal(counts.crashes, 0);
	assert_int_equal(counts.marked, kernel.added);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes),
#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		SCENE(no_handle_is_not_known),
		SCENE(scans_are_not_spared),
		SCENE(open_writer),
		SCENE(events_behind),
		SCENE(changed_content),
		SCENE(closed_after_writing),
		SCENE(generations),
		SCENE(crash_entries),
		SCENE(clearing),
		SCENE(hits_are_counted_by_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
