/* SPDX-License-Identifier: GPL-2.0-or-later - long: all cases need one scene */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/gate/answers.h"
#include "agent/gate/debt.h"
#include "agent/gate/ident.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/report.h"
#include "agent/gate/shed.h"
#include "agent/lib/allow.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOBODY 65534
#define PID 77

static struct conf conf;
static struct allow allow;
static struct debt debt;

struct scene {
	struct notify notify;
	int kernel; /* the other end of its descriptor */
	int engine; /* the other end of the report's channel */
	int chan;
	struct report *report;
	struct answers *answers;
	struct pending *pending;
	struct ident ident;
};

static void
set_policy(struct scene *scene)
{
	answers_set_policy(scene->answers, &conf, &allow);
}

static int
setup(void **state)
{
	static struct scene scene;
	int pair[2];

	/* The kernel's side of fanotify is read and written like this one. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       pair) < 0 ||
	    chan_pair(&scene.chan, &scene.engine) < 0)
		return -1;
	conf_init(&conf);
	memset(&allow, 0, sizeof(allow));
	memset(&debt, 0, sizeof(debt));
	scene.notify = (struct notify){ .fd = pair[0] };
	scene.kernel = pair[1];
	scene.report = report_new(1000, &debt);
	report_link(scene.report, scene.chan);
	scene.answers = answers_new(&scene.notify, scene.report);
	scene.pending =
		pending_new(answers_give, answers_expire, scene.answers);
	scene.ident = (struct ident){
		.device = 3, .inode = 5, .size = 7, .mode = 0755, .uid = NOBODY
	};
	*state = &scene;
	set_policy(&scene);
	return 0;
}

static int
teardown(void **state)
{
	struct scene *scene = *state;

	pending_free(scene->pending);
	answers_free(scene->answers);
	report_free(scene->report);
	notify_close(&scene->notify);
	(void)close(scene->kernel);
	(void)close(scene->engine);
	(void)close(scene->chan);
	return 0;
}

static struct question
ask(const struct scene *scene, uint16_t cause, bool waits)
{
	struct question question = { .cause = cause,
				     .waits = waits,
				     .pid = PID,
				     .tag = 9,
				     .boot_ns = loop_now_ns(),
				     .ident = &scene->ident,
				     .leads = true };

	question.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(question.fd >= 0);
	return question;
}

static const struct msg_verdict *
judge(uint16_t result, const char *severity)
{
	static struct msg_verdict verdict;

	verdict = (struct msg_verdict){ .result = result,
					.sha256 = SUM,
					.error = "",
					.path = "",
					.len = *severity != '\0' };
	verdict.matches[0] =
		(struct msg_match){ .rule = "r", .severity = severity };
	return &verdict;
}

/* How often the kernel was answered, and how and about what the last time. */
static unsigned int
answered(const struct scene *scene, int *ret_fd, bool *ret_allow)
{
	struct fanotify_response response;
	unsigned int count = 0;

	while (read(scene->kernel, &response, sizeof(response)) ==
	       (ssize_t)sizeof(response)) {
		*ret_fd = response.fd;
		*ret_allow = response.response == FAN_ALLOW;
		count++;
	}
	return count;
}

struct told {
	uint16_t result, answer;
	uint32_t flags;
	bool has_file;
};

/* The next verdict that the engine was sent; false: there is none. */
static bool
told(const struct scene *scene, struct told *ret_told)
{
	static struct msg_verdict verdict;
	static uint8_t bytes[MSG_MAX];
	struct buf buf;
	uint16_t type;
	size_t len;
	int fd;

	int r = chan_read(scene->engine, bytes, sizeof(bytes), &len, &fd);
	if (r == -EAGAIN)
		return false;
	assert_int_equal(r, 0);
	assert_int_equal(msg_open(&buf, bytes, len, &type), 0);
	assert_int_equal(type, MSG_VERDICT);
	assert_int_equal(msg_get_verdict(&buf, &verdict), 0);
	assert_int_equal(verdict.tag, 9);
	assert_int_equal(verdict.pid, PID);
	*ret_told = (struct told){ verdict.result, verdict.answer,
				   verdict.flags, fd >= 0 };
	if (fd >= 0)
		(void)close(fd);
	return true;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

#define NOT_TOLD UINT16_MAX

/* What the answer and the report of one verdict are. */
static void
verdicts(void **state)
{
	static const struct {
		uint16_t cause;
		bool waits, late, writable;
		uint16_t result;
		const char *severity;
		const char *on_malicious, *on_crash;
		bool allow;
		uint16_t answer; /* or NOT_TOLD */
		bool has_file;
	} cases[] = {
		{ MSG_CAUSE_EXEC, true, false, true, MSG_CLEAN, "", "block",
		  "deny", true, NOT_TOLD, false },
		{ MSG_CAUSE_OPEN, true, false, true, MSG_SKIPPED, "", "block",
		  "deny", true, NOT_TOLD, false },
		{ MSG_CAUSE_EXEC, true, false, true, MSG_MATCH, "high", "block",
		  "deny", false, MSG_ANSWER_DENIED, true },
		{ MSG_CAUSE_OPEN, true, false, false, MSG_MATCH, "high",
		  "quarantine", "deny", false, MSG_ANSWER_DENIED, true },
		{ MSG_CAUSE_OPEN, true, false, true, MSG_MATCH, "low", "block",
		  "deny", true, MSG_ANSWER_ALLOWED, false },
		{ MSG_CAUSE_OPEN, true, false, true, MSG_MATCH, "high", "alert",
		  "deny", true, MSG_ANSWER_ALLOWED, true },
		/* What ends scanners: may a user make it? */
		{ MSG_CAUSE_EXEC, true, false, true, MSG_CRASHED, "", "block",
		  "deny", false, MSG_ANSWER_DENIED, false },
		{ MSG_CAUSE_EXEC, true, false, false, MSG_CRASHED, "", "block",
		  "deny", true, MSG_ANSWER_ALLOWED, false },
		{ MSG_CAUSE_EXEC, true, false, true, MSG_CRASHED, "", "block",
		  "allow", true, MSG_ANSWER_ALLOWED, false },
		{ MSG_CAUSE_EXEC, true, false, true, MSG_FAILED, "", "block",
		  "deny", false, MSG_ANSWER_DENIED, false },
		{ MSG_CAUSE_EXEC, true, false, false, MSG_FAILED, "", "block",
		  "deny", true, MSG_ANSWER_ALLOWED, false },
		/* Nobody waits. */
		{ MSG_CAUSE_WRITE, false, false, true, MSG_CLEAN, "", "block",
		  "deny", false, NOT_TOLD, false },
		{ MSG_CAUSE_WRITE, false, false, true, MSG_MATCH, "high",
		  "block", "deny", false, MSG_ANSWER_NONE, true },
		{ MSG_CAUSE_ASKED, false, false, true, MSG_CLEAN, "", "block",
		  "deny", false, MSG_ANSWER_NONE, false },
		/* Who waited was answered at the deadline. */
		{ MSG_CAUSE_EXEC, false, true, true, MSG_CLEAN, "", "block",
		  "deny", false, NOT_TOLD, false },
		{ MSG_CAUSE_EXEC, false, true, true, MSG_MATCH, "high", "block",
		  "deny", false, MSG_ANSWER_LATE, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(setup(state), 0);
		struct scene *scene = *state;
		struct question question =
			ask(scene, cases[i].cause, cases[i].waits);
		struct answers_counts counts;
		struct told what;
		bool allow_it = false;
		int fd = -1;

		strcpy(conf.on_malicious, cases[i].on_malicious);
		strcpy(conf.on_crash, cases[i].on_crash);
		set_policy(scene);
		question.late = cases[i].late;
		scene->ident.uid = cases[i].writable ? NOBODY : 0;
		answers_give(scene->answers, &question,
			     judge(cases[i].result, cases[i].severity));
		if (answered(scene, &fd, &allow_it) != cases[i].waits ||
		    (cases[i].waits &&
		     (fd != question.fd || allow_it != cases[i].allow)))
			fail_msg("case %zu: answer", i);
		if (told(scene, &what) != (cases[i].answer != NOT_TOLD))
			fail_msg("case %zu: told", i);
		if (cases[i].answer != NOT_TOLD &&
		    (what.answer != cases[i].answer ||
		     what.has_file != cases[i].has_file ||
		     what.result != cases[i].result))
			fail_msg("case %zu: told as %u", i, what.answer);
		assert_false(told(scene, &what));
		answers_count(scene->answers, &counts);
		assert_int_equal(counts.asked, cases[i].waits);
		assert_int_equal(counts.denied,
				 cases[i].waits && !cases[i].allow);
		assert_int_equal(counts.late,
				 cases[i].answer == MSG_ANSWER_LATE);
		/* Closing it is the table's affair. */
		assert_true(is_open(question.fd));
		(void)close(question.fd);
		(void)teardown(state);
	}
	assert_int_equal(setup(state), 0);
}

/* Only the one that stands for the scan brings the file along. */
static void
file_goes_along_once(void **state)
{
	struct scene *scene = *state;
	struct question question = ask(scene, MSG_CAUSE_EXEC, true);
	struct told what;

	question.leads = false;
	answers_give(scene->answers, &question, judge(MSG_MATCH, "high"));
	assert_true(told(scene, &what));
	assert_int_equal(what.answer, MSG_ANSWER_DENIED);
	assert_false(what.has_file);
	(void)close(question.fd);
}

static void
allowed_content(void **state)
{
	struct scene *scene = *state;
	struct question question = ask(scene, MSG_CAUSE_EXEC, true);
	struct answers_counts counts;
	struct msg_verdict verdict = *judge(MSG_MATCH, "critical");
	struct told what;
	bool allow_it = false;
	int fd = -1;

	assert_int_equal(allow_add(&allow, SUM), 0);
	/* A scanner cannot say so. */
	verdict.flags = ~0U & ~(uint32_t)(MSG_PARTIAL | MSG_CHANGED);
	answers_give(scene->answers, &question, &verdict);
	assert_int_equal(answered(scene, &fd, &allow_it), 1);
	assert_true(allow_it);
	assert_true(told(scene, &what));
	assert_int_equal(what.answer, MSG_ANSWER_ALLOWED);
	assert_int_equal(what.flags, MSG_ALLOWED);
	assert_false(what.has_file);
	answers_count(scene->answers, &counts);
	assert_int_equal(counts.allowed, 1);

	assert_int_equal(allow_remove(&allow, SUM), 0);
	answers_give(scene->answers, &question, &verdict);
	assert_int_equal(answered(scene, &fd, &allow_it), 1);
	assert_false(allow_it);
	assert_true(told(scene, &what));
	assert_int_equal(what.flags, 0);
	assert_true(what.has_file);
	(void)close(question.fd);
}

static void
deadlines(void **state)
{
	static const struct {
		const char *on_deadline;
		uint16_t cause;
		bool busy, first, allow;
	} cases[] = {
		{ "allow", MSG_CAUSE_EXEC, false, true, true },
		{ "allow", MSG_CAUSE_OPEN, false, false, true },
		{ "deny", MSG_CAUSE_EXEC, false, true, false },
		{ "deny", MSG_CAUSE_OPEN, false, false, false },
		/* Open to write: not to be executed, whatever is wanted. */
		{ "allow", MSG_CAUSE_EXEC, true, true, false },
		{ "allow", MSG_CAUSE_OPEN, true, true, true },
		{ "deny", MSG_CAUSE_OPEN, true, true, false },
	};
	struct scene *scene = *state;
	struct answers_counts counts;
	uint64_t denied = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct question question = ask(scene, cases[i].cause, true);
		struct told what;
		bool allow_it = false;
		int fd = -1;

		strcpy(conf.on_deadline, cases[i].on_deadline);
		set_policy(scene);
		question.busy = cases[i].busy;
		answers_expire(scene->answers, &question, cases[i].first);
		if (answered(scene, &fd, &allow_it) != 1 || fd != question.fd ||
		    allow_it != cases[i].allow)
			fail_msg("case %zu", i);
		assert_int_equal(told(scene, &what), cases[i].first);
		if (cases[i].first) {
			assert_int_equal(what.result, MSG_TIMEOUT);
			assert_int_equal(what.answer,
					 allow_it ?
						 MSG_ANSWER_DEADLINE_ALLOWED :
						 MSG_ANSWER_DEADLINE_DENIED);
			assert_false(what.has_file);
		}
		denied += !allow_it;
		answers_count(scene->answers, &counts);
		assert_int_equal(counts.deadline, i + 1);
		assert_int_equal(counts.denied, denied);
		(void)close(question.fd);
	}
}

/* It has the first one's answer once, and only if that was to go on. */
static void
second_questions(void **state)
{
	struct scene *scene = *state;
	struct question first = ask(scene, MSG_CAUSE_EXEC, true);
	struct question second = ask(scene, MSG_CAUSE_OPEN, true);
	struct answers_counts counts;
	bool allow_it = false;
	int fd = -1;

	assert_false(answers_give_second(scene->answers, &second));
	assert_int_equal(answered(scene, &fd, &allow_it), 0);

	answers_give(scene->answers, &first, judge(MSG_CLEAN, ""));
	assert_int_equal(answered(scene, &fd, &allow_it), 1);
	second.waits = false;
	assert_false(answers_give_second(scene->answers, &second));
	second.waits = true;
	second.pid++;
	assert_false(answers_give_second(scene->answers, &second));
	second.pid--;
	second.boot_ns = loop_now_ns();
	assert_true(answers_give_second(scene->answers, &second));
	assert_int_equal(answered(scene, &fd, &allow_it), 1);
	assert_int_equal(fd, second.fd);
	assert_true(allow_it && is_open(second.fd));
	assert_false(answers_give_second(scene->answers, &second));

	answers_give(scene->answers, &first, judge(MSG_MATCH, "high"));
	assert_false(answers_give_second(scene->answers, &second));
	answers_give(scene->answers, &first, judge(MSG_CLEAN, ""));
	answers_forget(scene->answers, &scene->ident);
	assert_false(answers_give_second(scene->answers, &second));
	answers_count(scene->answers, &counts);
	assert_int_equal(counts.second, 1);
	assert_int_equal(counts.asked, 4);
	(void)close(first.fd);
	(void)close(second.fd);
}

static void
own_questions(void **state)
{
	struct scene *scene = *state;
	struct answers_counts counts;
	bool allow_it = false;
	int fd = -1;

	answers_allow_own(scene->answers, 1234);
	assert_int_equal(answered(scene, &fd, &allow_it), 1);
	assert_int_equal(fd, 1234);
	assert_true(allow_it);
	answers_count(scene->answers, &counts);
	assert_int_equal(counts.own, 1);
	assert_int_equal(counts.asked, 0);
}

/* Somebody would wait for ever: the first error stays, to end us. */
static void
kernel_that_takes_no_answer(void **state)
{
	struct scene *scene = *state;
	struct question question = ask(scene, MSG_CAUSE_EXEC, true);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int good = scene->notify.fd;

	assert_int_equal(answers_error(scene->answers), 0);
	scene->notify.fd = full;
	answers_give(scene->answers, &question, judge(MSG_CLEAN, ""));
	assert_int_equal(answers_error(scene->answers), -ENOSPC);
	scene->notify.fd = -1;
	answers_give(scene->answers, &question, judge(MSG_CLEAN, ""));
	assert_int_equal(answers_error(scene->answers), -ENOSPC);
	scene->notify.fd = good;
	answers_give(scene->answers, &question, judge(MSG_CLEAN, ""));
	assert_int_equal(answers_error(scene->answers), -ENOSPC);
	(void)close(full);
	(void)close(question.fd);
}

enum way { SETTLE, EXPIRE, RELEASE, EXPIRE_SETTLE, RELEASE_SETTLE, SHED, WAYS };

static void
go(struct scene *scene, enum way way)
{
	static const struct msg_verdict clean = {
		.result = MSG_CLEAN, .sha256 = "", .error = "", .path = ""
	};
	struct pending *pending = scene->pending;

	if (way == EXPIRE || way == EXPIRE_SETTLE || way == SHED)
		pending_expire(pending, UINT64_MAX);
	if (way == RELEASE || way == RELEASE_SETTLE)
		pending_release(pending, PID, &clean);
	if (way == SHED)
		(void)shed_scans(pending, SIZE_MAX, &clean);
	else if (way == SETTLE || way == EXPIRE_SETTLE || way == RELEASE_SETTLE)
		pending_settle(pending, pending_next(pending), &clean);
}

/*
 * Through the table, whatever happens to a scan that two wait for: each is
 * answered once, and each descriptor is closed once.
 */
static void
each_way_answers_once(void **state)
{
	for (enum way way = SETTLE; way < WAYS; way++) {
		struct scene *scene = *state;
		struct question one = ask(scene, MSG_CAUSE_EXEC, true);
		struct question two = ask(scene, MSG_CAUSE_OPEN, true);
		bool done = way != EXPIRE && way != RELEASE;
		bool allow_it = false;
		int fd = -1;

		two.pid =
			way == RELEASE || way == RELEASE_SETTLE ? PID : PID + 1;
		pending_add(scene->pending, &one);
		pending_add(scene->pending, &two);
		go(scene, way);
		assert_int_equal(answered(scene, &fd, &allow_it), 2);
		/* The scan of the first goes on, with its file. */
		assert_int_equal(is_open(one.fd), !done);
		assert_false(is_open(two.fd));
		assert_int_equal(pending_len(scene->pending), !done);
		/* A second close would hit whoever has the number now. */
		int again = open("/dev/null", O_RDONLY | O_CLOEXEC);
		pending_expire(scene->pending, UINT64_MAX);
		if (!done)
			go(scene, SETTLE);
		assert_true(is_open(again));
		assert_int_equal(answered(scene, &fd, &allow_it), 0);
		assert_int_equal(pending_len(scene->pending), 0);
		(void)close(again);
		(void)teardown(state);
		assert_int_equal(setup(state), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(verdicts, NULL, teardown),
		cmocka_unit_test_setup_teardown(file_goes_along_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(allowed_content, setup,
						teardown),
		cmocka_unit_test_setup_teardown(deadlines, setup, teardown),
		cmocka_unit_test_setup_teardown(second_questions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(own_questions, setup, teardown),
		cmocka_unit_test_setup_teardown(kernel_that_takes_no_answer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(each_way_answers_once, setup,
						teardown),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
