/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/file.h"

#define ROUNDS_MAX 100000

static struct {
	int fd; /* what the manager reads */
	char path[64];
	char text[512];
} manager;

/* A path in a folder of ours, or an abstract name of this process. */
static void
listen_at(bool abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(manager.path, sizeof(manager.path),
		       abstract ? "@khien-notify-%d" : "/tmp/khien-notify-%d",
		       getpid());
	memcpy(address.sun_path, manager.path, strlen(manager.path));
	size_t size = offsetof(struct sockaddr_un, sun_path) +
		      strlen(manager.path) + !abstract;
	if (abstract)
		address.sun_path[0] = '\0';
	manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(manager.fd >= 0);
	assert_int_equal(bind(manager.fd, (struct sockaddr *)&address,
			      (socklen_t)size),
			 0);
	(void)setenv("NOTIFY_SOCKET", manager.path, 1);
}

static int
setup(void **state)
{
	(void)state;
	manager.fd = -1;
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	file_closep(&manager.fd);
	if (manager.path[0] == '/')
		(void)unlink(manager.path);
	return 0;
}

/* The next message, or NULL. */
static const char *
heard(void)
{
	ssize_t len = read(manager.fd, manager.text, sizeof(manager.text) - 1);

	if (len < 0)
		return NULL;
	manager.text[len] = '\0';
	return manager.text;
}

static void
says_how_it_is(const char *status)
{
	struct notify notify;

	assert_int_equal(notify_open(&notify), 0);
	notify_ready(&notify, status);
	assert_string_equal(heard(), "READY=1\nSTATUS=all is well");
	notify_reloading(&notify);
	assert_non_null(strstr(heard(), "RELOADING=1\nMONOTONIC_USEC="));
	notify_ready(&notify, status);
	assert_string_equal(heard(), "READY=1\nSTATUS=all is well");
	notify_stopping(&notify);
	assert_non_null(strstr(heard(), "STOPPING=1\n"));
	notify_beat(&notify, 1);
	assert_null(heard()); /* nobody asked for a beat */
	notify_close(&notify);
}

static void
test_path(void **state)
{
	(void)state;
	listen_at(false);
	says_how_it_is("all is well");
}

static void
test_abstract_name(void **state)
{
	(void)state;
	listen_at(true);
	says_how_it_is("all is well");
}

static void
test_without_a_manager(void **state)
{
	struct notify notify;

	(void)state;
	(void)setenv("WATCHDOG_USEC", "3000000", 1);
	assert_int_equal(notify_open(&notify), 0);
	assert_int_equal(notify.fd, -1);
	notify_ready(&notify, "");
	notify_beat(&notify, 1);
	notify_close(&notify);
}

static void
test_addresses_that_are_refused(void **state)
{
	char name[200];
	struct notify notify;

	(void)state;
	(void)setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_open(&notify), -EAFNOSUPPORT);
	(void)setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_open(&notify), -EAFNOSUPPORT);
	memset(name, 'n', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	(void)setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_open(&notify), -ENAMETOOLONG);
	assert_int_equal(notify.fd, -1);
	notify_stopping(&notify);
}

static void
test_beats_three_times_in_the_limit(void **state)
{
	struct notify notify;
	int beats = 0;

	(void)state;
	listen_at(true);
	(void)setenv("WATCHDOG_USEC", "6000000", 1);
	assert_int_equal(notify_open(&notify), 0);
	for (uint64_t now_ms = 500; now_ms <= 12000; now_ms += 500) {
		notify_beat(&notify, now_ms);
		if (!heard())
			continue;
		assert_string_equal(manager.text, "WATCHDOG=1");
		beats++;
	}
	assert_int_equal(beats, 6);
	notify_close(&notify);
}

static void
test_watchdog_of_somebody_else(void **state)
{
	char pid[16];
	struct notify notify;

	(void)state;
	listen_at(true);
	(void)setenv("WATCHDOG_USEC", "6000000", 1);
	(void)setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_open(&notify), 0);
	notify_beat(&notify, 1);
	assert_null(heard());
	notify_close(&notify);
	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	(void)setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_open(&notify), 0);
	notify_beat(&notify, 1);
	assert_string_equal(heard(), "WATCHDOG=1");
	notify_close(&notify);
}

/* A start that nobody heard of would be taken for one that never ended. */
static void
test_what_is_not_taken_is_said_again(void **state)
{
	struct notify notify;
	int filled = 0;
	bool ready = false;

	(void)state;
	listen_at(true);
	assert_int_equal(notify_open(&notify), 0);
	while (!notify.text[0] && filled++ < ROUNDS_MAX)
		notify_stopping(&notify);
	assert_string_not_equal(notify.text, "");
	notify_ready(&notify, "all is well");
	while (heard())
		assert_null(strstr(manager.text, "READY"));
	notify_beat(&notify, 1);
	while (heard())
		ready = strstr(manager.text, "READY=1") != NULL;
	assert_true(ready);
	notify_beat(&notify, 2);
	assert_null(heard());
	notify_close(&notify);
}

/* Before the first READY=1 the manager would take it for that. */
static void
test_reload_before_it_is_ready(void **state)
{
	struct notify notify;

	(void)state;
	listen_at(true);
	assert_int_equal(notify_open(&notify), 0);
	notify_reloading(&notify);
	assert_null(heard());
	notify_close(&notify);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abstract_name, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_without_a_manager, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_addresses_that_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_beats_three_times_in_the_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watchdog_of_somebody_else,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_taken_is_said_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_before_it_is_ready,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
