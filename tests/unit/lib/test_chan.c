/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/msg.h"

static uint8_t out[MSG_MAX];
static uint8_t in[MSG_MAX];

struct pair {
	int a, b;
};

static int
setup(void **state)
{
	static struct pair pair;

	*state = &pair;
	return chan_pair(&pair.a, &pair.b);
}

static int
teardown(void **state)
{
	struct pair *pair = *state;

	(void)close(pair->a);
	(void)close(pair->b);
	return 0;
}

static size_t
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

static void
send_fds(int chan, const int *fds, size_t len)
{
	struct iovec vec = { .iov_base = out, .iov_len = 1 };
	char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct msghdr head = { .msg_iov = &vec,
			       .msg_iovlen = 1,
			       .msg_control = control,
			       .msg_controllen =
				       CMSG_SPACE(len * sizeof(int)) };
	struct cmsghdr *entry = CMSG_FIRSTHDR(&head);

	entry->cmsg_level = SOL_SOCKET;
	entry->cmsg_type = SCM_RIGHTS;
	entry->cmsg_len = CMSG_LEN(len * sizeof(int));
	memcpy(CMSG_DATA(entry), fds, len * sizeof(int));
	assert_int_equal(sendmsg(chan, &head, 0), 1);
}

static void
test_message_and_descriptor(void **state)
{
	struct pair *pair = *state;
	struct buf buf;
	size_t len;
	int fd;

	buf_init_write(&buf, out, sizeof(out));
	buf_put_text(&buf, "hello");
	assert_int_equal(chan_write(pair->a, &buf, -1), 0);
	assert_int_equal(chan_write(pair->a, &buf, pair->a), 0);

	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd), 0);
	assert_int_equal(len, buf.at);
	assert_memory_equal(in, out, len);
	assert_int_equal(fd, -1);
	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd), 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	(void)close(fd);
	/* Sending did not give it away. */
	assert_true(fcntl(pair->a, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd),
			 -EAGAIN);
}

static void
test_four_of_the_largest_fit(void **state)
{
	struct pair *pair = *state;
	struct buf buf;
	size_t len;
	int fd, sent = 0;

	buf_init_write(&buf, out, sizeof(out));
	buf.at = sizeof(out);
	while (chan_write(pair->a, &buf, -1) == 0)
		sent++;
	assert_true(sent >= 4 || geteuid() != 0);
	assert_int_equal(chan_write(pair->a, &buf, -1), -EAGAIN);
	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd), 0);
	assert_int_equal(len, MSG_MAX);
}

static void
test_other_side_is_gone(void **state)
{
	struct pair *pair = *state;
	struct buf buf;
	size_t len;
	int fd;

	buf_init_write(&buf, out, sizeof(out));
	buf_put_u8(&buf, 1);
	assert_int_equal(chan_write(pair->a, &buf, -1), 0);
	(void)close(pair->a);
	pair->a = -1;
	/* What it still said is read first. */
	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd), 0);
	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd), -EPIPE);
	assert_int_equal(chan_write(pair->b, &buf, -1), -EPIPE);
}

static void
test_too_large_is_refused(void **state)
{
	struct pair *pair = *state;
	struct buf buf;
	size_t len, before = count_fds();
	int fd = -2;

	buf_init_write(&buf, out, sizeof(out));
	buf_put_u64(&buf, 1);
	assert_int_equal(chan_write(pair->a, &buf, pair->a), 0);
	assert_int_equal(chan_read(pair->b, in, 7, &len, &fd), -EBADMSG);
	assert_int_equal(count_fds(), before);
}

static void
test_two_descriptors_are_refused(void **state)
{
	struct pair *pair = *state;
	const int fds[] = { 0, 1, 2, pair->a, pair->b };
	size_t len, before = count_fds();
	int fd;

	send_fds(pair->a, fds, 5);
	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd),
			 -EBADMSG);
	assert_int_equal(count_fds(), before);
	send_fds(pair->a, fds, 1);
	assert_int_equal(chan_read(pair->b, in, sizeof(in), &len, &fd), 0);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_message_and_descriptor,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_four_of_the_largest_fit,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_side_is_gone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_too_large_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_two_descriptors_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
