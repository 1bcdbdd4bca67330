/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connects to a listener of its own: connect v4|v6|mapped
 * [call|later|uring|refused|unreachable].
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/triggers/loopback.h"

/* Without waiting in connect(2) itself. */
static void
connect_later(int fd, const struct loopback *end)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		err(2, "fcntl");
	if (connect(fd, &end->any, end->len) < 0 && errno != EINPROGRESS)
		err(2, "connect");
	if (poll(&wait, 1, 5000) != 1 || !(wait.revents & POLLOUT))
		errx(2, "not connected");
}

static void *
map_ring(int ring, off_t offset, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, ring, offset);

	if (at == MAP_FAILED)
		err(2, "io_uring");
	return at;
}

/* One request, and the answer to it. */
static void
connect_by_ring(int fd, const struct loopback *end)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		err(2, "io_uring_setup");
	uint8_t *sent = map_ring(ring, IORING_OFF_SQ_RING,
				 params.sq_off.array +
					 params.sq_entries * sizeof(uint32_t));
	uint8_t *answered = map_ring(
		ring, IORING_OFF_CQ_RING,
		params.cq_off.cqes +
			params.cq_entries * sizeof(struct io_uring_cqe));
	struct io_uring_sqe *request =
		map_ring(ring, IORING_OFF_SQES,
			 params.sq_entries * sizeof(struct io_uring_sqe));
	*request = (struct io_uring_sqe){
		.opcode = IORING_OP_CONNECT,
		.fd = fd,
		.addr = (uintptr_t)&end->any,
		.off = end->len,
	};
	*(uint32_t *)(void *)(sent + params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(void *)(sent + params.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		err(2, "io_uring_enter");
	const struct io_uring_cqe *answer =
		(const void *)(answered + params.cq_off.cqes);
	if (answer->res < 0)
		errx(2, "connect by io_uring: %s", strerror(-answer->res));
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "call";

	loopback_raise();
	struct loopback end = loopback_make(argc > 1 ? argv[1] : "v4", 0);
	int listener = loopback_listen(&end);
	int fd = loopback_socket(&end, SOCK_STREAM);
	if (strcmp(how, "refused") == 0) {
		(void)close(listener);
		if (connect(fd, &end.any, end.len) == 0)
			errx(2, "connected to nobody");
	} else if (strcmp(how, "unreachable") == 0) {
		/* To a broadcast address there are no connections. */
		end.v4.sin_addr.s_addr = htonl(INADDR_BROADCAST);
		if (connect(fd, &end.any, end.len) == 0)
			errx(2, "connected to everybody");
	} else if (strcmp(how, "later") == 0) {
		connect_later(fd, &end);
	} else if (strcmp(how, "uring") == 0) {
		connect_by_ring(fd, &end);
	} else if (connect(fd, &end.any, end.len) < 0) {
		err(2, "connect");
	}
	struct loopback own = loopback_own(fd);
	(void)printf("{\"type\":\"connect\",\"pid\":%d", getpid());
	loopback_print("", &end);
	loopback_print("own_", &own);
	(void)printf("}\n");
	return 0;
}
