/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/chan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

/* Descriptors the kernel may deliver at once: SCM_MAX_FD of linux/scm.h. */
#define FDS_MAX 253

int
chan_pair(int *ret_a, int *ret_b)
{
	int ends[2];
	int size = 4 * MSG_MAX;
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	if (socketpair(AF_UNIX, type, 0, ends) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		/* Only root may pass net.core.wmem_max; tests need not. */
		if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			       sizeof(size)) < 0)
			(void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size,
					 sizeof(size));
	}
	*ret_a = ends[0];
	*ret_b = ends[1];
	return 0;
}

int
chan_write(int chan, const struct buf *buf, int fd)
{
	struct iovec vec = { .iov_base = buf->bytes, .iov_len = buf->at };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr head = { .msg_iov = &vec, .msg_iovlen = 1 };

	if (fd >= 0) {
		head.msg_control = control.bytes;
		head.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *entry = CMSG_FIRSTHDR(&head);
		entry->cmsg_level = SOL_SOCKET;
		entry->cmsg_type = SCM_RIGHTS;
		entry->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(entry), &fd, sizeof(fd));
	}
	for (;;) {
		if (sendmsg(chan, &head, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/*
 * Takes the descriptors out of the control data: the first into *ret_fd, all
 * others closed.  Returns how many there were.
 */
static size_t
take_fds(struct msghdr *head, int *ret_fd)
{
	size_t count = 0;

	*ret_fd = -1;
	for (struct cmsghdr *entry = CMSG_FIRSTHDR(head); entry;
	     entry = CMSG_NXTHDR(head, entry)) {
		if (entry->cmsg_level != SOL_SOCKET ||
		    entry->cmsg_type != SCM_RIGHTS)
			continue;
		size_t len = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < len; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(entry) + i * sizeof(fd),
			       sizeof(fd));
			if (count++ == 0)
				*ret_fd = fd;
			else
				(void)close(fd);
		}
	}
	return count;
}

int
chan_read(int chan, void *bytes, size_t size, size_t *ret_len, int *ret_fd)
{
	struct iovec vec = { .iov_base = bytes, .iov_len = size };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct msghdr head = { .msg_iov = &vec,
			       .msg_iovlen = 1,
			       .msg_control = control.bytes,
			       .msg_controllen = sizeof(control.bytes) };
	ssize_t len;

	do
		len = recvmsg(chan, &head, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	CLEANUP_FD int fd = -1;
	size_t count = take_fds(&head, &fd);
	if (len == 0)
		return -EPIPE;
	if (count > 1 || (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return -EBADMSG;
	*ret_len = (size_t)len;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
