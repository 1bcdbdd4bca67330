/* SPDX-License-Identifier: GPL-2.0-or-later - long: all cases need one scene */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/barred.h"
#include "agent/gate/cache.h"
#include "agent/gate/dispatch.h"
#include "agent/gate/hold.h"
#include "agent/gate/ident.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/recall.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"

#define SCANNERS 2
#define TIMEOUT_MS 10000

static struct conf conf;

struct scene {
	struct pending *pending;
	struct cache *cache;
	struct notify notify; /* closed: the kernel is told nothing */
	struct hold *hold;
	struct barred *barred;
	struct recall *recall;
	struct dispatch *dispatch;
	int chans[SCANNERS]; /* the scanners' ends */
	int ours[SCANNERS];
	char folder[32];
	/* Answers, and who was said to be stuck. */
	size_t answers_len;
	uint16_t result;
	uint64_t tag;
	char error[64];
	size_t expired;
	bool busy;
	size_t stuck_len;
	uint32_t stuck_pid;
};

static void
on_answer(void *arg, const struct question *question,
	  const struct msg_verdict *verdict)
{
	struct scene *scene = arg;

	scene->answers_len++;
	scene->result = verdict->result;
	scene->tag = question->tag;
	strncpy(scene->error, verdict->error, sizeof(scene->error) - 1);
}

static void
on_expire(void *arg, const struct question *question, bool first)
{
	struct scene *scene = arg;

	scene->expired += first ? 1 : 0;
	scene->busy = question->busy;
}

static void
on_stuck(void *arg, uint16_t index, uint32_t pid)
{
	struct scene *scene = arg;

	(void)index;
	scene->stuck_len++;
	scene->stuck_pid = pid;
}

static void
link_scanner(struct scene *scene, uint16_t index)
{
	assert_int_equal(chan_pair(&scene->ours[index], &scene->chans[index]),
			 0);
	dispatch_link(scene->dispatch, index, 1000U + index,
		      scene->ours[index]);
}

static void
end_scanner(struct scene *scene, uint16_t index)
{
	dispatch_unlink(scene->dispatch, index);
	(void)close(scene->ours[index]);
	(void)close(scene->chans[index]);
	scene->ours[index] = -1;
}

static int
setup(void **state)
{
	static struct scene scene;

	scene = (struct scene){ .folder = "/tmp/khien-dispatch-XXXXXX" };
	if (!mkdtemp(scene.folder))
		return -1;
	conf_init(&conf);
	scene.pending = pending_new(on_answer, on_expire, &scene);
	scene.cache = cache_new(64, 1);
	scene.notify.fd = -1;
	scene.hold = hold_new(8);
	scene.barred = barred_new();
	scene.recall = recall_new(scene.cache, &scene.notify, scene.hold,
				  scene.barred);
	scene.dispatch =
		dispatch_new(scene.pending, scene.recall, on_stuck, &scene);
	dispatch_set_timeout(scene.dispatch, TIMEOUT_MS);
	dispatch_set_policy(scene.dispatch, &conf, NULL);
	for (uint16_t i = 0; i < SCANNERS; i++)
		link_scanner(&scene, i);
	*state = &scene;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *scene = *state;
	char path[64];

	for (uint16_t i = 0; i < SCANNERS; i++)
		if (scene->ours[i] >= 0)
			end_scanner(scene, i);
	dispatch_free(scene->dispatch);
	pending_free(scene->pending);
	recall_free(scene->recall);
	barred_free(scene->barred);
	hold_free(scene->hold);
	cache_free(scene->cache);
	for (char name = 'a'; name <= 'z'; name++) {
		(void)snprintf(path, sizeof(path), "%s/%c", scene->folder,
			       name);
		(void)unlink(path);
	}
	return rmdir(scene->folder);
}

/* The file of that name with that content. */
static void
write_file(const struct scene *scene, char name, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%c", scene->folder, name);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
ask(struct scene *scene, char name, uint16_t cause, uint64_t tag)
{
	struct ident ident;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%c", scene->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ident_read(fd, &ident), 0);
	struct question question = {
		.cause = cause,
		.written = cause == MSG_CAUSE_WRITE,
		.tag = tag,
		.fd = fd,
		.ident = &ident,
	};
	dispatch_ask(scene->dispatch, &question);
	dispatch_run(scene->dispatch);
}

/* What a scanner was sent: its tag, or 0 for nothing. */
static uint64_t
receive(const struct scene *scene, uint16_t index)
{
	uint8_t bytes[256];
	struct msg_scan scan;
	struct buf buf;
	uint16_t type;
	size_t len;
	int fd;

	int r = chan_read(scene->chans[index], bytes, sizeof(bytes), &len, &fd);
	if (r == -EAGAIN)
		return 0;
	assert_int_equal(r, 0);
	assert_int_equal(msg_open(&buf, bytes, len, &type), 0);
	assert_int_equal(type, MSG_SCAN);
	assert_int_equal(msg_get_scan(&buf, &scan), 0);
	assert_true(fd >= 0);
	(void)close(fd);
	return scan.tag;
}

static int
answer(struct scene *scene, uint16_t index, uint64_t tag, uint16_t result,
       uint32_t flags)
{
	struct msg_verdict verdict = { .tag = tag,
				       .result = result,
				       .cause = MSG_CAUSE_WRITE,
				       .flags = flags,
				       .sha256 = "",
				       .error = "",
				       .path = "" };
	int r = dispatch_verdict(scene->dispatch, index, &verdict);

	dispatch_run(scene->dispatch);
	return r;
}

static struct dispatch_counts
counts(const struct scene *scene)
{
	struct dispatch_counts result;

	dispatch_count(scene->dispatch, &result);
	return result;
}

static void
each_scanner_has_one(void **state)
{
	struct scene *scene = *state;

	for (char name = 'a'; name <= 'c'; name++) {
		write_file(scene, name, "x");
		ask(scene, name, MSG_CAUSE_WRITE, (uint64_t)name);
	}
	uint64_t first = receive(scene, 0), second = receive(scene, 1);
	assert_true(first != 0 && second != 0 && first != second);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(receive(scene, 1), 0);
	assert_int_equal(answer(scene, 1, second, MSG_MATCH, 0), 0);
	assert_int_equal(scene->result, MSG_MATCH);
	assert_int_equal(scene->tag, 'b');
	uint64_t third = receive(scene, 1);
	assert_true(third != 0);
	assert_int_equal(answer(scene, 0, first, MSG_CLEAN, 0), 0);
	assert_int_equal(answer(scene, 1, third, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 3);
	assert_int_equal(counts(scene).scans, 3);
	assert_int_equal(counts(scene).scanners, 2);
}

/* Scans the file by its first scanner with that outcome. */
static void
scan(struct scene *scene, char name, uint16_t result, uint32_t flags)
{
	ask(scene, name, MSG_CAUSE_WRITE, 1);
	uint64_t tag = receive(scene, 0);
	assert_true(tag != 0);
	assert_int_equal(answer(scene, 0, tag, result, flags), 0);
}

/* Whether an execution of it needs a scan; answers that. */
static bool
is_scanned(struct scene *scene, char name)
{
	ask(scene, name, MSG_CAUSE_EXEC, 2);
	uint64_t tag = receive(scene, 0);
	if (tag != 0)
		assert_int_equal(answer(scene, 0, tag, MSG_MATCH, 0), 0);
	return tag != 0;
}

static void
only_clean_is_remembered(void **state)
{
	const struct {
		uint16_t result;
		uint32_t flags;
		bool remembered;
	} cases[] = {
		{ MSG_CLEAN, 0, true },
		{ MSG_CLEAN, MSG_PARTIAL, false },
		{ MSG_CLEAN, MSG_CHANGED, false },
		{ MSG_MATCH, 0, false },
		{ MSG_TIMEOUT, 0, false },
		{ MSG_FAILED, 0, false },
		{ MSG_SKIPPED, 0, false },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name = (char)('a' + i);

		write_file(scene, name, "x");
		scan(scene, name, cases[i].result, cases[i].flags);
		assert_int_equal(is_scanned(scene, name), !cases[i].remembered);
	}
	struct recall_counts known;
	recall_count(scene->recall, &known);
	assert_int_equal(known.user + known.root, 1);
}

/* Who writes, or asks for a scan, gets one although the file is known. */
static void
memory_is_for_execution(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "x");
	scan(scene, 'a', MSG_CLEAN, 0);
	ask(scene, 'a', MSG_CAUSE_ASKED, 3);
	uint64_t tag = receive(scene, 0);
	assert_true(tag != 0);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	scan(scene, 'a', MSG_CLEAN, 0);
	assert_false(is_scanned(scene, 'a'));
	assert_int_equal(scene->result, MSG_CLEAN);
}

static void
changes_are_scanned(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "x");
	scan(scene, 'a', MSG_CLEAN, 0);
	/* Without a close that we heard of. */
	write_file(scene, 'a', "longer");
	assert_true(is_scanned(scene, 'a'));

	/* Changed under the scanner's eyes: clean, but not for long. */
	ask(scene, 'a', MSG_CAUSE_WRITE, 1);
	uint64_t tag = receive(scene, 0);
	write_file(scene, 'a', "longer still");
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_true(is_scanned(scene, 'a'));
}

static void
written_while_scanned_is_not_remembered(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "x");
	ask(scene, 'a', MSG_CAUSE_WRITE, 1);
	uint64_t tag = receive(scene, 0);
	/* Size and times say nothing of it: only the close does. */
	ask(scene, 'a', MSG_CAUSE_WRITE, 2);
	assert_int_equal(receive(scene, 1), 0);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(cache_len(scene->cache), 0);
	tag = receive(scene, 0);
	assert_true(tag != 0);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(cache_len(scene->cache), 1);
}

static void
new_scanner_brings_new_rules(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "x");
	scan(scene, 'a', MSG_CLEAN, 0);
	assert_false(is_scanned(scene, 'a'));
	end_scanner(scene, 1);
	link_scanner(scene, 1);
	assert_true(is_scanned(scene, 'a'));

	/* A verdict by the rules of before does not count afterwards. */
	ask(scene, 'a', MSG_CAUSE_EXEC, 1);
	uint64_t tag = receive(scene, 0);
	end_scanner(scene, 1);
	link_scanner(scene, 1);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_true(is_scanned(scene, 'a'));
}

static void
crash_is_tried_twice(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "x");
	ask(scene, 'a', MSG_CAUSE_EXEC, 1);
	assert_true(receive(scene, 0) != 0);
	end_scanner(scene, 0);
	dispatch_run(scene->dispatch);
	/* A fresh one is to prove it. */
	assert_int_equal(scene->answers_len, 0);
	assert_int_equal(receive(scene, 1), 0);
	assert_true(dispatch_tick(scene->dispatch));
	link_scanner(scene, 0);
	dispatch_run(scene->dispatch);
	assert_true(receive(scene, 0) != 0);
	end_scanner(scene, 0);
	assert_int_equal(scene->answers_len, 1);
	assert_int_equal(scene->result, MSG_CRASHED);
	assert_int_equal(counts(scene).scanners, 1);
	assert_int_equal(counts(scene).crashes, 1);

	/* Not again, whoever asks and whatever scanners come. */
	link_scanner(scene, 0);
	assert_false(is_scanned(scene, 'a'));
	ask(scene, 'a', MSG_CAUSE_ASKED, 3);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(scene->result, MSG_CRASHED);
	assert_int_equal(scene->tag, 3);
	assert_int_equal(scene->answers_len, 3);
	/* Until it changes. */
	write_file(scene, 'a', "other");
	scan(scene, 'a', MSG_CLEAN, 0);
}

static void
killed_scanner_costs_nothing(void **state)
{
	struct scene *scene = *state;

	for (char name = 'a'; name <= 'c'; name++) {
		write_file(scene, name, "x");
		ask(scene, name, MSG_CAUSE_WRITE, 1);
	}
	assert_true(receive(scene, 0) != 0);
	assert_true(receive(scene, 1) != 0);
	end_scanner(scene, 0);
	end_scanner(scene, 1);
	dispatch_run(scene->dispatch);
	assert_int_equal(pending_len(scene->pending), 3);
	link_scanner(scene, 0);
	link_scanner(scene, 1);
	dispatch_run(scene->dispatch);
	uint64_t tag = receive(scene, 1);
	assert_true(tag != 0);
	assert_int_equal(answer(scene, 1, tag, MSG_CLEAN, 0), 0);
	for (uint16_t i = 0; i < SCANNERS; i++) {
		tag = receive(scene, i);
		assert_true(tag != 0);
		assert_int_equal(answer(scene, i, tag, MSG_CLEAN, 0), 0);
	}
	assert_int_equal(scene->answers_len, 3);
	assert_int_equal(scene->result, MSG_CLEAN);
	assert_false(dispatch_tick(scene->dispatch));
}

static void
late_answer_is_ignored(void **state)
{
	struct scene *scene = *state;

	/* No limit of its own and no grace left: late at once. */
	dispatch_set_timeout(scene->dispatch, (uint64_t)-DISPATCH_GRACE_MS);
	write_file(scene, 'a', "x");
	ask(scene, 'a', MSG_CAUSE_WRITE, 1);
	uint64_t tag = receive(scene, 0);
	assert_true(dispatch_tick(scene->dispatch));
	assert_int_equal(scene->stuck_len, 1);
	assert_int_equal(scene->stuck_pid, 1000);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 0);
	/* It gets no more to do until another one takes its place. */
	assert_int_equal(counts(scene).scanners, 1);
	dispatch_run(scene->dispatch);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(receive(scene, 1), 0);
	end_scanner(scene, 0);
	link_scanner(scene, 0);
	dispatch_run(scene->dispatch);
	assert_true(receive(scene, 0) != 0);
	(void)dispatch_tick(scene->dispatch);
	assert_int_equal(scene->stuck_len, 2);
	assert_int_equal(scene->result, MSG_CRASHED);
	assert_int_equal(scene->answers_len, 1);

	dispatch_set_timeout(scene->dispatch, TIMEOUT_MS);
	write_file(scene, 'b', "x");
	ask(scene, 'b', MSG_CAUSE_WRITE, 2);
	tag = receive(scene, 1);
	assert_true(dispatch_tick(scene->dispatch));
	assert_int_equal(answer(scene, 1, tag, MSG_CLEAN, 0), 0);
	assert_false(dispatch_tick(scene->dispatch));
	assert_int_equal(scene->stuck_len, 2);
}

static void
unasked_answer_is_malformed(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(answer(scene, 0, 1, MSG_CLEAN, 0), -EBADMSG);
	assert_int_equal(answer(scene, DISPATCH_SCANNERS_MAX, 1, MSG_CLEAN, 0),
			 -EBADMSG);
	write_file(scene, 'a', "x");
	ask(scene, 'a', MSG_CAUSE_WRITE, 1);
	uint64_t tag = receive(scene, 0);
	assert_int_equal(answer(scene, 0, tag + 1, MSG_CLEAN, 0), -EBADMSG);
	assert_int_equal(answer(scene, 1, tag, MSG_CLEAN, 0), -EBADMSG);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), -EBADMSG);
}

static void
empty_file_is_clean(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "");
	ask(scene, 'a', MSG_CAUSE_WRITE, 1);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(scene->result, MSG_CLEAN);
	assert_int_equal(cache_len(scene->cache), 0);
	/* Who asks wants to know its hash too. */
	ask(scene, 'a', MSG_CAUSE_ASKED, 1);
	assert_true(receive(scene, 0) != 0);
}

/* Without room written files are passed over, and who asked is told. */
static void
full_table_drops(void **state)
{
	struct scene *scene = *state;
	struct ident ident = { .device = 1, .size = 1 };
	struct question question = { .cause = MSG_CAUSE_EXEC,
				     .fd = -1,
				     .ident = &ident };

	while (pending_room_reserve(scene->pending) > 0) {
		ident.inode++;
		dispatch_ask(scene->dispatch, &question);
	}
	assert_int_equal(scene->answers_len, 0);
	ident.inode++;
	dispatch_ask(scene->dispatch, &question);
	assert_int_equal(scene->result, MSG_SKIPPED);
	assert_int_equal(counts(scene).dropped, 1);
	question.cause = MSG_CAUSE_ASKED;
	while (pending_room(scene->pending, true) > 0)
		dispatch_ask(scene->dispatch, &question);
	dispatch_ask(scene->dispatch, &question);
	assert_int_equal(scene->result, MSG_FAILED);
	assert_int_equal(counts(scene).dropped, 2);
	/* A descriptor that is none fails; nothing is left behind. */
	dispatch_run(scene->dispatch);
	assert_int_equal(pending_len(scene->pending), 0);
}

/* Somebody waits to execute the file; its mode says that users may write. */
static void
hold_question(struct scene *scene, char name, uint16_t cause, uint64_t boot_ns)
{
	struct ident ident;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%c", scene->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ident_read(fd, &ident), 0);
	/* Which would count as a change, also when there is none. */
	if ((ident.mode & 0777) != 0777) {
		assert_int_equal(fchmod(fd, 0777), 0);
		assert_int_equal(ident_read(fd, &ident), 0);
	}
	struct question question = {
		.cause = cause,
		.waits = true,
		.pid = 1,
		.boot_ns = boot_ns,
		.fd = fd,
		.ident = &ident,
	};
	dispatch_ask(scene->dispatch, &question);
	dispatch_run(scene->dispatch);
}

static void
execute(struct scene *scene, char name, uint64_t boot_ns)
{
	hold_question(scene, name, MSG_CAUSE_EXEC, boot_ns);
}

static void
clean_file_may_be_executed(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "x");
	execute(scene, 'a', 1);
	uint64_t tag = receive(scene, 0);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 1);
	assert_int_equal(scene->result, MSG_CLEAN);
	/* Writers are kept away until it is. */
	assert_int_equal(hold_len(scene->hold), 1);
}

/* Clean, but somebody could still change it: not before he is gone. */
static void
file_with_a_writer_rests(void **state)
{
	struct scene *scene = *state;
	char path[64];

	write_file(scene, 'a', "x");
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(writer >= 0);
	execute(scene, 'a', 5);
	for (int i = 0; i < 3; i++) {
		uint64_t tag = receive(scene, 0);
		assert_true(tag != 0);
		assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
		assert_int_equal(scene->answers_len, 0);
		assert_int_equal(receive(scene, 0), 0);
		assert_true(pending_wake(scene->pending));
		dispatch_run(scene->dispatch);
	}
	/* What was read while he was there, he may have changed since. */
	uint64_t tag = receive(scene, 0);
	(void)close(writer);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 0);
	/* By now it is known what he did, also to the memory of clean files. */
	assert_true(pending_wake(scene->pending));
	dispatch_run(scene->dispatch);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(scene->answers_len, 1);
	assert_int_equal(counts(scene).again, 4);
}

/* A writer comes and goes while the file is scanned: by a mapping, nothing but
   his close, which is behind the answer, would tell of it. */
static void
writer_meanwhile_is_scanned_again(void **state)
{
	struct scene *scene = *state;
	char path[64];

	write_file(scene, 'a', "x");
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	execute(scene, 'a', 5);
	uint64_t tag = receive(scene, 0);
	assert_int_equal(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 0);
	/* Nobody keeps him out any more. */
	int writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(writer >= 0);
	(void)close(writer);
	/* By now it is known what he did, also to the memory of clean files. */
	assert_true(pending_wake(scene->pending));
	dispatch_run(scene->dispatch);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(scene->answers_len, 1);
}

/* A scan that began before anybody wanted to execute it was not guarded. */
static void
execution_that_comes_later_has_a_scan_of_its_own(void **state)
{
	struct scene *scene = *state;
	char path[64];

	write_file(scene, 'a', "x");
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	assert_int_equal(chmod(path, 0777), 0);
	ask(scene, 'a', MSG_CAUSE_WRITE, 2);
	uint64_t tag = receive(scene, 0);
	execute(scene, 'a', 5);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 0);
	dispatch_run(scene->dispatch);
	assert_int_equal(answer(scene, 0, receive(scene, 0), MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 2);
	assert_int_equal(hold_len(scene->hold), 1);
}

/* Who opens it to write may be the very writer that an execution waits for. */
static void
opening_does_not_wait_for_the_writer(void **state)
{
	struct scene *scene = *state;
	char path[64];

	write_file(scene, 'a', "x");
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	execute(scene, 'a', 5);
	uint64_t tag = receive(scene, 0);
	hold_question(scene, 'a', MSG_CAUSE_OPEN, 6);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 1);
	assert_int_equal(scene->result, MSG_CLEAN);
	(void)close(writer);
	/* By now it is known what he did, also to the memory of clean files. */
	assert_true(pending_wake(scene->pending));
	dispatch_run(scene->dispatch);
	assert_int_equal(receive(scene, 0), 0);
	assert_int_equal(scene->answers_len, 2);
}

static void
file_with_a_writer_is_told_at_its_deadline(void **state)
{
	struct scene *scene = *state;
	char path[64];

	write_file(scene, 'a', "x");
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	execute(scene, 'a', 5);
	assert_int_equal(answer(scene, 0, receive(scene, 0), MSG_CLEAN, 0), 0);
	pending_expire(scene->pending, 4);
	assert_int_equal(scene->expired, 0);
	pending_expire(scene->pending, 5);
	assert_int_equal(scene->expired, 1);
	assert_true(scene->busy);
	(void)close(writer);
}

/* A bad one is final, whoever has it open. */
static void
bad_file_does_not_rest(void **state)
{
	struct msg_verdict verdict = { .result = MSG_MATCH,
				       .cause = MSG_CAUSE_EXEC,
				       .sha256 = "",
				       .error = "",
				       .path = "",
				       .len = 1 };
	struct scene *scene = *state;
	char path[64];

	verdict.matches[0].severity = "high";
	write_file(scene, 'a', "x");
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	execute(scene, 'a', 5);
	verdict.tag = receive(scene, 0);
	assert_int_equal(dispatch_verdict(scene->dispatch, 0, &verdict), 0);
	assert_int_equal(scene->answers_len, 1);
	assert_int_equal(scene->result, MSG_MATCH);
	(void)close(writer);
}

/* Answers the scan of the only file that waits with a match. */
static void
find_bad(struct scene *scene)
{
	struct msg_verdict verdict = { .result = MSG_MATCH,
				       .cause = MSG_CAUSE_EXEC,
				       .sha256 = "",
				       .error = "",
				       .path = "",
				       .len = 1 };

	verdict.matches[0] = (struct msg_match){ .rule = "bad",
						 .ruleset = "",
						 .id = "",
						 .description = "",
						 .severity = "high",
						 .attack = "" };
	verdict.tag = receive(scene, 0);
	assert_true(verdict.tag != 0);
	assert_int_equal(dispatch_verdict(scene->dispatch, 0, &verdict), 0);
	assert_int_equal(scene->result, MSG_MATCH);
}

/* Denied again without a scan, until something may have changed. */
static void
bad_file_is_remembered(void **state)
{
	struct scene *scene = *state;
	char path[64];

	recall_set_asking(scene->recall, true);
	write_file(scene, 'a', "x");
	execute(scene, 'a', 5);
	find_bad(scene);
	for (size_t i = 0; i < 3; i++) {
		scene->result = 0;
		execute(scene, 'a', 5);
		assert_int_equal(scene->result, MSG_MATCH);
		assert_int_equal(receive(scene, 0), 0);
	}
	assert_int_equal(counts(scene).bad, 3);
	/* While somebody could change it. */
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	execute(scene, 'a', 5);
	find_bad(scene);
	(void)close(writer);
	/* Once he is gone it is as it was. */
	execute(scene, 'a', 5);
	assert_int_equal(receive(scene, 0), 0);
	/* The kernel tells of his close, if he wrote. */
	ask(scene, 'a', MSG_CAUSE_WRITE, 2);
	assert_int_equal(answer(scene, 0, receive(scene, 0), MSG_CLEAN, 0), 0);
	execute(scene, 'a', 5);
	assert_int_equal(scene->result, MSG_CLEAN);
	ask(scene, 'a', MSG_CAUSE_WRITE, 2);
	find_bad(scene);
	/* Other rules. */
	recall_renew(scene->recall);
	execute(scene, 'a', 5);
	find_bad(scene);
	assert_int_equal(counts(scene).bad, 4);
}

/* What may pass after all is scanned, with the care of any other. */
static void
bad_file_that_is_let_by_is_scanned(void **state)
{
	struct scene *scene = *state;

	recall_set_asking(scene->recall, true);
	write_file(scene, 'a', "x");
	execute(scene, 'a', 5);
	find_bad(scene);
	(void)strcpy(conf.on_malicious, "alert");
	dispatch_set_policy(scene->dispatch, &conf, NULL);
	execute(scene, 'a', 5);
	find_bad(scene);
	assert_int_equal(counts(scene).bad, 0);
}

/* It was closed after writing while it was scanned for who waits. */
static void
written_meanwhile_is_scanned_again(void **state)
{
	struct scene *scene = *state;

	write_file(scene, 'a', "x");
	execute(scene, 'a', 5);
	uint64_t tag = receive(scene, 0);
	ask(scene, 'a', MSG_CAUSE_WRITE, 2);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 0);
	tag = receive(scene, 0);
	assert_true(tag != 0);
	assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
	assert_int_equal(scene->answers_len, 1);
}

/* khiend's question: the process runs already, and is held by a signal. */
static void
judge(struct scene *scene, char name, uint64_t number)
{
	struct ident ident;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%c", scene->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(ident_read(fd, &ident), 0);
	struct question question = {
		.cause = MSG_CAUSE_EXEC,
		.waits = true,
		.judge = number,
		.boot_ns = 5,
		.fd = fd,
		.ident = &ident,
	};
	dispatch_ask(scene->dispatch, &question);
	dispatch_run(scene->dispatch);
}

/* No event tells of a write there; and a writer keeps nobody from a verdict. */
static void
what_is_judged_is_scanned_each_time(void **state)
{
	struct scene *scene = *state;
	char path[64];

	write_file(scene, 'a', "x");
	(void)snprintf(path, sizeof(path), "%s/a", scene->folder);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	for (size_t i = 1; i <= 3; i++) {
		judge(scene, 'a', i);
		uint64_t tag = receive(scene, 0);
		assert_true(tag != 0);
		assert_int_equal(answer(scene, 0, tag, MSG_CLEAN, 0), 0);
		assert_int_equal(scene->answers_len, i);
		assert_int_equal(scene->result, MSG_CLEAN);
	}
	(void)close(writer);
	/* Nor does the kernel's question know of it. */
	execute(scene, 'a', 5);
	assert_true(receive(scene, 0) != 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_scanner_has_one),
		TEST(only_clean_is_remembered),
		TEST(memory_is_for_execution),
		TEST(changes_are_scanned),
		TEST(written_while_scanned_is_not_remembered),
		TEST(new_scanner_brings_new_rules),
		TEST(crash_is_tried_twice),
		TEST(killed_scanner_costs_nothing),
		TEST(late_answer_is_ignored),
		TEST(unasked_answer_is_malformed),
		TEST(empty_file_is_clean),
		TEST(full_table_drops),
		TEST(clean_file_may_be_executed),
		TEST(file_with_a_writer_rests),
		TEST(writer_meanwhile_is_scanned_again),
		TEST(execution_that_comes_later_has_a_scan_of_its_own),
		TEST(opening_does_not_wait_for_the_writer),
		TEST(file_with_a_writer_is_told_at_its_deadline),
		TEST(bad_file_does_not_rest),
		TEST(bad_file_is_remembered),
		TEST(bad_file_that_is_let_by_is_scanned),
		TEST(written_meanwhile_is_scanned_again),
		TEST(what_is_judged_is_scanned_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
