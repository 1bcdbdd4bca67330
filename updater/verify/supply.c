/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/supply.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "updater/client/client.h"
#include "updater/client/mirror.h"
#include "updater/tuf/reason.h"

/* Where a file is written to. */
struct copy {
	int fd;
	uint64_t size;
};

static int
add(void *arg, const void *bytes, size_t len)
{
	struct copy *copy = arg;

	copy->size += len;
	return file_write_all(copy->fd, bytes, len);
}

static int
restart(void *arg)
{
	struct copy *copy = arg;

	copy->size = 0;
	return ftruncate(copy->fd, 0) < 0 || lseek(copy->fd, 0, SEEK_SET) < 0 ?
		       -errno :
		       0;
}

static int
answer(int chan, uint8_t *bytes, const struct msg_fetched *fetched)
{
	struct buf buf;

	msg_begin(&buf, bytes, MSG_MAX, MSG_FETCHED);
	msg_update_put_fetched(&buf, fetched);
	int r = msg_end(&buf);
	return r < 0 ? r : chan_write(chan, &buf, -1);
}

static int
serve(int chan, uint8_t *bytes, const struct client_mirror *mirror,
      const struct msg_fetch *fetch, int fd)
{
	struct copy copy = { .fd = fd };
	const struct client_sink sink = { add, restart, &copy };
	struct reason why = { "" };
	struct msg_fetched fetched = { .id = fetch->id,
				       .mirror = "",
				       .reason = why.text };
	int r = fetch->from ?
			-ENXIO :
			mirror->get(mirror->arg,
				    fetch->what == MSG_FETCH_TARGET ?
					    CLIENT_TARGET :
					    CLIENT_METADATA,
				    fetch->path, fetch->size_max, &sink, &why);

	if (r < 0 && !why.text[0])
		(void)reason_set(&why, r, "%s", strerror(-r));
	if (r < 0)
		fetched.error = (uint32_t)-r;
	else
		why.text[0] = '\0';
	fetched.size = r < 0 ? 0 : copy.size;
	return answer(chan, bytes, &fetched);
}

/* Returns 0, -EAGAIN, -EPIPE at the end, or -errno. */
static int
one(int chan, uint8_t *bytes, const struct client_mirror *mirror)
{
	CLEANUP_FD int fd = -1;
	struct msg_fetch fetch = { 0 };
	struct buf buf;
	uint16_t type;
	size_t len;

	int r = chan_read(chan, bytes, MSG_MAX, &len, &fd);
	if (r == 0)
		r = msg_open(&buf, bytes, len, &type);
	if (r == 0 && (type != MSG_FETCH || fd < 0))
		r = -EBADMSG;
	if (r == 0)
		r = msg_update_get_fetch(&buf, &fetch);
	return r < 0 ? r : serve(chan, bytes, mirror, &fetch, fd);
}

int
supply_run(int chan, const char *folder)
{
	CLEANUP(mirror_closep) struct mirror *mirror = NULL;
	CLEANUP_FREE uint8_t *bytes = malloc(MSG_MAX);
	struct client_mirror use;

	if (!bytes)
		return -ENOMEM;
	int r = mirror_open(AT_FDCWD, folder, &mirror);
	if (r < 0)
		return r;
	mirror_use(mirror, &use);
	do {
		struct pollfd wait = { .fd = chan, .events = POLLIN };
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return -errno;
		r = one(chan, bytes, &use);
	} while (r == 0 || r == -EAGAIN);
	return r == -EPIPE ? 0 : r;
}
