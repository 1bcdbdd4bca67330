/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/fetch/sink.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "updater/http/transfer.h"

int
sink_open(struct sink *sink, int fd)
{
	struct stat stat;

	*sink = (struct sink){ .fd = fd };
	if (fstat(fd, &stat) < 0)
		return -errno;
	return S_ISREG(stat.st_mode) ? 0 : -EINVAL;
}

void
sink_close(struct sink *sink)
{
	file_closep(&sink->fd);
}

static int
add(void *arg, const void *bytes, size_t len)
{
	struct sink *sink = arg;
	const uint8_t *at = bytes;

	while (len) {
		ssize_t put = pwrite(sink->fd, at, len, (off_t)sink->size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		at += put;
		len -= (size_t)put;
		sink->size += (uint64_t)put;
	}
	return 0;
}

static int
restart(void *arg)
{
	struct sink *sink = arg;

	sink->size = 0;
	return ftruncate(sink->fd, 0) < 0 ? -errno : 0;
}

void
sink_use(struct sink *sink, struct transfer_sink *ret_sink)
{
	*ret_sink = (struct transfer_sink){ add, restart, sink };
}
