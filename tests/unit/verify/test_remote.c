/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What khien-fetch may say, and what it may not. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "updater/client/client.h"
#include "updater/tuf/reason.h"
#include "updater/verify/remote.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER_MS 50 /* for who does not answer */
#define SIZE_MAX_ASKED 100

static int ours = -1, theirs = -1, parent = -1, khiend = -1;
static struct remote *remote;
static struct client_mirror mirror;
static struct reason why;
static uint8_t message[MSG_MAX];
static char got[256];
static size_t got_len;
static unsigned int steps;

static void
on_step(void *arg)
{
	(void)arg;
	steps++;
}

static int
set_up(void **state)
{
	(void)state;
	got_len = steps = 0;
	if (chan_pair(&ours, &theirs) < 0 || chan_pair(&parent, &khiend) < 0)
		return -1;
	const struct remote_how how = { .chan = ours,
					.parent = parent,
					.on_step = on_step,
					.answer_ms = ANSWER_MS,
					.total_ms = 10000 };
	remote = remote_new(&how);
	remote_use(remote, &mirror);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	remote_freep(&remote);
	file_closep(&ours);
	file_closep(&theirs);
	file_closep(&parent);
	file_closep(&khiend);
	return 0;
}

static int
add(void *arg, const void *bytes, size_t len)
{
	(void)arg;
	assert_true(got_len + len < sizeof(got));
	(void)memcpy(got + got_len, bytes, len);
	got_len += len;
	return 0;
}

static int
ask(const char *path)
{
	const struct client_sink sink = { .add = add };

	why.text[0] = '\0';
	int r = mirror.get(mirror.arg, CLIENT_METADATA, path, SIZE_MAX_ASKED,
			   &sink, &why);
	assert_int_equal(r == 0, why.text[0] == '\0');
	return r;
}

/* It lies there already when the question comes. */
static void
say(const struct msg_fetched *fetched, uint16_t type, int fd)
{
	struct buf buf;

	msg_begin(&buf, message, sizeof(message), type);
	msg_update_put_fetched(&buf, fetched);
	assert_int_equal(msg_end(&buf), 0);
	assert_int_equal(chan_write(theirs, &buf, fd), 0);
}

static void
hear(struct msg_fetch *fetch, int *ret_fd)
{
	struct buf buf;
	uint16_t type;
	size_t len;

	assert_int_equal(
		chan_read(theirs, message, sizeof(message), &len, ret_fd), 0);
	assert_int_equal(msg_open(&buf, message, len, &type), 0);
	assert_int_equal(type, MSG_FETCH);
	assert_int_equal(msg_update_get_fetch(&buf, fetch), 0);
}

static void
test_the_question(void **state)
{
	struct msg_fetched fetched = { .id = 1, .mirror = "", .reason = "" };
	struct msg_fetch fetch;
	CLEANUP_FD int fd = -1;

	(void)state;
	say(&fetched, MSG_FETCHED, -1);
	assert_int_equal(ask("1.root.json"), 0);
	assert_int_equal(got_len, 0);
	hear(&fetch, &fd);
	assert_string_equal(fetch.path, "1.root.json");
	assert_int_equal(fetch.id, 1);
	assert_int_equal(fetch.what, MSG_FETCH_METADATA);
	assert_int_equal(fetch.size_max, SIZE_MAX_ASKED);
	assert_int_equal(fetch.from, 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	/* The name of the next one is too long to be asked for. */
	char name[MSG_UPDATE_PATH_MAX + 2];
	(void)memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ask(name), -EIO);
}

static void
test_refusals(void **state)
{
	static const struct {
		uint32_t error;
		int r;
	} cases[] = {
		{ ENOENT, -ENOENT },	   { EFBIG, -EFBIG },
		{ ETIMEDOUT, -ETIMEDOUT }, { ENXIO, -ENXIO },
		{ EKEYEXPIRED, -EIO },	   { 4095, -EIO },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct msg_fetched fetched = { .id = i + 1,
						     .error = cases[i].error,
						     .mirror = "",
						     .reason = "because" };
		say(&fetched, MSG_FETCHED, -1);
		assert_int_equal(ask("a"), cases[i].r);
	}
}

/* After each of these nothing more is asked of it. */
static void
test_out_of_turn(void **state)
{
	static const struct {
		struct msg_fetched fetched;
		uint16_t type;
		bool fd;
	} cases[] = {
		{ { .id = 2, .mirror = "", .reason = "" }, MSG_FETCHED, false },
		{ { .id = 0, .mirror = "", .reason = "" }, MSG_FETCHED, false },
		{ { .id = 1, .mirror = "", .reason = "" }, MSG_FETCH, false },
		{ { .id = 1, .mirror = "", .reason = "" }, MSG_FETCHED, true },
		{ { .id = 1, .mirror = "", .reason = "why?" },
		  MSG_FETCHED,
		  false },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		say(&cases[i].fetched, cases[i].type,
		    cases[i].fd ? STDIN_FILENO : -1);
		assert_int_equal(ask("a"), -EIO);
		assert_non_null(strstr(why.text, "not asked"));
		assert_int_equal(ask("a"), -EIO);
		assert_non_null(strstr(why.text, "failed before"));
		assert_false(remote_skip(remote));
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
	}
}

static void
test_sizes(void **state)
{
	struct msg_fetched fetched = {
		.id = 1, .size = SIZE_MAX_ASKED + 1, .mirror = "", .reason = ""
	};

	(void)state;
	say(&fetched, MSG_FETCHED, -1);
	assert_int_equal(ask("a"), -EFBIG);
	/* The file is empty. */
	fetched.id = 2;
	fetched.size = SIZE_MAX_ASKED;
	say(&fetched, MSG_FETCHED, -1);
	assert_int_equal(ask("a"), -EIO);
	assert_non_null(strstr(why.text, "less than it says"));
}

static void
test_silence(void **state)
{
	(void)state;
	assert_int_equal(ask("a"), -ETIMEDOUT);
	assert_int_equal(ask("a"), -EIO);
	assert_true(steps > 0);
}

/* However long one answer may take: all of them together have an end. */
static void
test_the_end(void **state)
{
	const struct remote_how how = { .chan = ours,
					.parent = parent,
					.on_step = on_step,
					.answer_ms = 4 * REMOTE_STEP_MS,
					.total_ms = ANSWER_MS };

	(void)state;
	remote_freep(&remote);
	remote = remote_new(&how);
	remote_use(remote, &mirror);
	assert_int_equal(ask("a"), -ETIMEDOUT);
	assert_true(steps < 4);
}

static void
test_hung_up(void **state)
{
	(void)state;
	file_closep(&theirs);
	assert_int_equal(ask("a"), -EIO);
}

static void
test_khiend_is_gone(void **state)
{
	(void)state;
	file_closep(&khiend);
	assert_int_equal(ask("a"), -ECANCELED);
}

static void
test_mirrors(void **state)
{
	struct msg_fetched fetched = { .id = 1,
				       .date_s = 1000,
				       .mirror = "http://a",
				       .reason = "",
				       .index = 2 };
	struct remote_told told;
	struct msg_fetch fetch;

	(void)state;
	assert_false(remote_skip(remote));
	say(&fetched, MSG_FETCHED, -1);
	assert_int_equal(ask("a"), 0);
	assert_true(remote_skip(remote));
	assert_false(remote_skip(remote));
	for (int i = 0; i < 2; i++) {
		CLEANUP_FD int fd = -1;
		if (i == 0) {
			fetched.id = 2;
			fetched.date_s = 0;
			fetched.index = 1; /* before where it was to begin */
			say(&fetched, MSG_FETCHED, -1);
			assert_int_equal(ask("b"), 0);
		}
		hear(&fetch, &fd);
	}
	assert_int_equal(fetch.from, 3);
	assert_false(remote_skip(remote));
	remote_told(remote, &told);
	assert_int_equal(told.date_s, 1000);
	assert_int_equal(told.requests, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_question), TEST(test_refusals),
		TEST(test_out_of_turn),	 TEST(test_sizes),
		TEST(test_silence),	 TEST(test_the_end),
		TEST(test_hung_up),	 TEST(test_khiend_is_gone),
		TEST(test_mirrors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
