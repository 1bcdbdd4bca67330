/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uring-open FILE [PROGRAM ARGUMENT...]: opens FILE through io_uring, as
 * descriptor 0, and executes PROGRAM with that, or FILE itself.  Ends with 77
 * when this machine has no io_uring, with 1 when FILE cannot be opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4
#define NO_URING 77

static void *
map(int ring, size_t size, uint64_t at)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, ring, (off_t)at);
}

/* Returns the descriptor or -errno of opening. */
static int
submit(int ring, const struct io_uring_params *params, const char *path)
{
	struct io_uring_sqe *entry =
		map(ring, params->sq_entries * sizeof(*entry), IORING_OFF_SQES);
	size_t size =
		params->sq_off.array + params->sq_entries * sizeof(uint32_t);
	uint8_t *asked = map(ring, size, IORING_OFF_SQ_RING);
	size = params->cq_off.cqes +
	       params->cq_entries * sizeof(struct io_uring_cqe);
	uint8_t *done = map(ring, size, IORING_OFF_CQ_RING);

	if (entry == MAP_FAILED || asked == MAP_FAILED || done == MAP_FAILED)
		_exit(NO_URING);
	*entry = (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)path,
		.open_flags = O_RDONLY,
	};
	*(uint32_t *)(void *)(asked + params->sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(void *)(asked + params->sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		_exit(NO_URING);
	const struct io_uring_cqe *result =
		(const void *)(done + params->cq_off.cqes);
	return result->res;
}

int
main(int argc, char **argv)
{
	struct io_uring_params params = { 0 };
	char *environment[] = { NULL };

	if (argc < 2)
		return 2;
	int ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
	if (ring < 0)
		return NO_URING;
	int fd = submit(ring, &params, argv[1]);
	if (fd < 0)
		return 1;
	(void)close(ring);
	if (argc == 2) {
		(void)syscall(SYS_execveat, fd, "", argv + 1, environment,
			      AT_EMPTY_PATH);
	} else if (dup2(fd, STDIN_FILENO) == STDIN_FILENO) {
		(void)execve(argv[2], argv + 2, environment);
	}
	return 1;
}
