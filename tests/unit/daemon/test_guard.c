/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/guard.h"

#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/daemon/supervise.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "kernel/khien_abi.h"

#define SECOND_NS 1000000000ULL

/* A khiend with an engine, which is the test, and a page that is a file. */
static struct supervise supervise;
static struct conf conf;
static struct khien_guard *page;
static int engine_end;

static int
setup(void **state)
{
	int theirs;
	int fd = memfd_create("guard", MFD_CLOEXEC);
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	memset(&supervise, 0, sizeof(supervise));
	conf_init(&conf);
	conf.guard = true;
	supervise.conf = &conf;
	supervise.notify.fd = -1;
	supervise.out = malloc(MSG_MAX);
	supervise.bytes = malloc(MSG_MAX);
	child_init(&supervise.children[0], ROLE_ENGINE, 0);
	child_init(&supervise.children[1], ROLE_SENSOR, 0);
	for (uint16_t i = 2; i < SUPERVISE_CHILDREN; i++)
		child_init(&supervise.children[i], ROLE_SCAN, i - 2);
	if (chan_pair(&engine_end, &theirs) < 0)
		return -1;
	supervise.children[0].chan = theirs;
	supervise.children[0].pid = getpid();
	supervise.children[0].state = CHILD_UP;
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return -1;
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return keep_put(&supervise.keeps[ROLE_SENSOR], GUARD_MAP, fd, false);
}

static int
teardown(void **state)
{
	(void)state;
	guard_done(&supervise);
	keep_done(&supervise.keeps[ROLE_SENSOR]);
	(void)munmap(page, (size_t)sysconf(_SC_PAGESIZE));
	file_closep(&supervise.children[0].chan);
	file_closep(&engine_end);
	free(supervise.out);
	free(supervise.bytes);
	return 0;
}

/* What the engine was told, or all zero when it was told nothing. */
static struct msg_guarded
heard(void)
{
	struct msg_guarded guarded = { 0 };
	CLEANUP_FD int fd = -1;
	struct buf buf;
	uint16_t type;
	size_t len;

	if (chan_read(engine_end, supervise.bytes, MSG_MAX, &len, &fd) < 0)
		return guarded;
	assert_int_equal(msg_open(&buf, supervise.bytes, len, &type), 0);
	assert_int_equal(type, MSG_GUARDED);
	assert_int_equal(msg_guard_get_state(&buf, &guarded), 0);
	return guarded;
}

static void
command(uint64_t id, uint16_t what, uint32_t for_s)
{
	uint8_t bytes[64];
	struct buf buf;

	buf_init_write(&buf, bytes, sizeof(bytes));
	msg_guard_put(&buf, &(struct msg_guard){ id, what, for_s });
	size_t size = buf.at;
	buf_init_read(&buf, bytes, size);
	assert_int_equal(guard_take(&supervise, &buf), 0);
}

static void
test_states(void **state)
{
	static const struct {
		bool on, disarmed, there;
		uint32_t programs;
		uint64_t off_until_ns;
		uint16_t state;
	} cases[] = {
		{ false, false, true, 9, 0, MSG_GUARD_IS_OFF },
		{ false, true, true, 9, 200, MSG_GUARD_IS_OFF },
		{ true, true, true, 0, 0, MSG_GUARD_IS_DISARMED },
		{ true, false, false, 0, 0, MSG_GUARD_IS_AWAITED },
		{ true, false, true, 0, 0, MSG_GUARD_IS_ABSENT },
		{ true, false, true, 0, 200, MSG_GUARD_IS_ABSENT },
		{ true, false, true, 9, 200, MSG_GUARD_IS_PAUSED },
		{ true, false, true, 9, 100, MSG_GUARD_IS_ARMED },
		{ true, false, true, 9, 0, MSG_GUARD_IS_ARMED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct khien_guard kernels = { .programs =
							     cases[i].programs,
						     .denied = 5 };
		struct msg_guarded guarded =
			guard_state(cases[i].there ? &kernels : NULL,
				    cases[i].on, cases[i].disarmed,
				    cases[i].off_until_ns, 100);
		assert_int_equal(guarded.state, cases[i].state);
		assert_int_equal(guarded.until_ns,
				 guarded.state == MSG_GUARD_IS_PAUSED ? 200 :
									0);
		assert_int_equal(guarded.denied, cases[i].there ? 5 : 0);
	}
}

static void
test_beats_while_it_is_on(void **state)
{
	(void)state;
	guard_beat(&supervise);
	assert_int_equal(heard().state, MSG_GUARD_IS_AWAITED);
	page->programs = 9;
	guard_map(&supervise);
	assert_int_equal(page->khiend, getpid());
	assert_true(loop_now_ns() - page->beat_ns < SECOND_NS);
	assert_int_equal(heard().state, MSG_GUARD_IS_ARMED);
	/* Nothing new is not told; what was refused is. */
	guard_beat(&supervise);
	assert_int_equal(heard().state, 0);
	page->denied = 3;
	guard_beat(&supervise);
	assert_int_equal(heard().denied, 3);
	/* Another engine knows nothing. */
	guard_forget_told(&supervise);
	guard_beat(&supervise);
	assert_int_equal(heard().state, MSG_GUARD_IS_ARMED);
	conf.guard = false;
	guard_beat(&supervise);
	assert_int_equal(page->beat_ns, 0);
	assert_int_equal(heard().state, MSG_GUARD_IS_OFF);
}

static void
test_disarmed_never_beats(void **state)
{
	(void)state;
	conf.guard_disarmed = true;
	page->programs = 9;
	guard_map(&supervise);
	assert_int_equal(page->beat_ns, 0);
	assert_int_equal(heard().state, MSG_GUARD_IS_DISARMED);
}

static void
test_off_for_a_while(void **state)
{
	(void)state;
	page->programs = 9;
	guard_map(&supervise);
	assert_int_equal(heard().state, MSG_GUARD_IS_ARMED);
	command(7, MSG_GUARD_OFF, 60);
	struct msg_guarded guarded = heard();
	assert_int_equal(guarded.id, 7);
	assert_int_equal(guarded.state, MSG_GUARD_IS_PAUSED);
	assert_int_equal(page->off_until_ns, guarded.until_ns);
	assert_true(page->off_until_ns > loop_now_ns() + 58 * SECOND_NS);
	assert_true(page->off_until_ns < loop_now_ns() + 61 * SECOND_NS);
	command(8, MSG_GUARD_TELL, 0);
	assert_int_equal(heard().state, MSG_GUARD_IS_PAUSED);
	command(9, MSG_GUARD_ON, 0);
	guarded = heard();
	assert_int_equal(guarded.id, 9);
	assert_int_equal(guarded.state, MSG_GUARD_IS_ARMED);
	assert_int_equal(page->off_until_ns, 0);
	/* Its time comes without a command. */
	command(10, MSG_GUARD_OFF, 60);
	assert_int_equal(heard().state, MSG_GUARD_IS_PAUSED);
	supervise.guard.off_until_ns = loop_now_ns();
	guard_beat(&supervise);
	assert_int_equal(heard().state, MSG_GUARD_IS_ARMED);
	assert_int_equal(page->off_until_ns, 0);
}

/* A pause outlives the programs: they are loaded anew when a key changes. */
static void
test_off_is_for_new_programs_too(void **state)
{
	(void)state;
	page->programs = 9;
	guard_map(&supervise);
	command(1, MSG_GUARD_OFF, 60);
	page->off_until_ns = 0;
	guard_map(&supervise);
	assert_true(page->off_until_ns > loop_now_ns());
}

static void
test_stop(void **state)
{
	(void)state;
	page->programs = 9;
	guard_map(&supervise);
	assert_int_equal(heard().state, MSG_GUARD_IS_ARMED);
	command(5, MSG_GUARD_STOP, 0);
	struct msg_guarded guarded = heard();
	assert_int_equal(guarded.id, 5);
	assert_int_equal(guarded.pid, getpid());
	assert_true(supervise.stopping && supervise.asked_to_stop);
	/* Whoever helps with the end is not refused either. */
	assert_int_equal(page->beat_ns, 0);
	assert_int_equal(page->off_until_ns, MSG_GUARD_ENDLESS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test_setup_teardown(test_beats_while_it_is_on,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_disarmed_never_beats,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_off_for_a_while, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_off_is_for_new_programs_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
