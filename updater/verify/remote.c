/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/remote.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "updater/client/client.h"
#include "updater/tuf/reason.h"

#define PIECE 65536
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* linux/memfd.h, from Linux 6.3 on */
#endif
#define MS_NS 1000000

struct remote {
	struct remote_how how;
	struct remote_told told;
	uint64_t number; /* of the last question */
	uint64_t end_ms;
	uint32_t from;	/* the mirror to begin with */
	uint32_t index; /* that answered last */
	bool answered;	/* since `from` was set */
	bool broken;
	uint8_t message[MSG_MAX];
};

static uint64_t
now_ms(void)
{
	return loop_now_ns() / MS_NS;
}

struct remote *
remote_new(const struct remote_how *how)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return NULL;
	remote->how = *how;
	remote->end_ms = now_ms() + how->total_ms;
	return remote;
}

void
remote_free(struct remote *remote)
{
	free(remote);
}

void
remote_freep(struct remote **remote)
{
	remote_free(*remote);
	*remote = NULL;
}

void
remote_told(const struct remote *remote, struct remote_told *ret_told)
{
	*ret_told = remote->told;
}

bool
remote_skip(struct remote *remote)
{
	if (!remote->answered || remote->broken || remote->index < remote->from)
		return false;
	remote->from = remote->index + 1;
	remote->answered = false;
	return true;
}

/* Nothing more is believed of whoever is at the other end. */
static int
give_up(struct remote *remote, int r, const char *what, struct reason *why)
{
	remote->broken = true;
	return reason_set(why, r, "khien-fetch %s", what);
}

static int
send(struct remote *remote, enum client_what what, const char *path,
     size_t size_max, int fd, struct reason *why)
{
	const struct msg_fetch fetch = {
		.id = ++remote->number,
		.what = what == CLIENT_TARGET ? MSG_FETCH_TARGET :
						MSG_FETCH_METADATA,
		.path = path,
		.size_max = size_max ? size_max : 1,
		.from = remote->from,
	};
	struct buf buf;

	if (strlen(path) > MSG_UPDATE_PATH_MAX)
		return reason_set(why, -EIO, "has too long a name");
	msg_begin(&buf, remote->message, sizeof(remote->message), MSG_FETCH);
	msg_update_put_fetch(&buf, &fetch);
	int r = msg_end(&buf);
	if (r == 0)
		r = chan_write(remote->how.chan, &buf, fd);
	if (r < 0)
		return give_up(remote, -EIO, "is not there", why);
	remote->told.requests++;
	return 0;
}

/* Returns 0 when there is something to be read; -errno. */
static int
wait_for(struct remote *remote, uint64_t due_ms, struct reason *why)
{
	struct pollfd wait[] = {
		{ .fd = remote->how.chan, .events = POLLIN },
		{ .fd = remote->how.parent },
	};

	for (;;) {
		uint64_t at_ms = now_ms();
		if (at_ms >= due_ms)
			return give_up(remote, -ETIMEDOUT,
				       "did not answer in time", why);
		uint64_t left_ms = due_ms - at_ms;
		if (left_ms > REMOTE_STEP_MS)
			left_ms = REMOTE_STEP_MS;
		int got = poll(wait, 2, (int)left_ms);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0 && wait[1].revents)
			return give_up(remote, -ECANCELED,
				       "is not asked: khiend ended", why);
		if (got > 0 && wait[0].revents)
			return 0;
		if (remote->how.on_step)
			remote->how.on_step(remote->how.arg);
	}
}

/* The texts of *ret_fetched lie in the remote's message. */
static int
read_answer(struct remote *remote, struct msg_fetched *ret_fetched,
	    struct reason *why)
{
	CLEANUP_FD int fd = -1;
	struct buf buf;
	uint16_t type;
	size_t len;

	int r = chan_read(remote->how.chan, remote->message,
			  sizeof(remote->message), &len, &fd);
	if (r == -EAGAIN)
		return r;
	if (r == -EPIPE)
		return give_up(remote, -EIO, "ended before it answered", why);
	if (r == 0)
		r = msg_open(&buf, remote->message, len, &type);
	if (r == 0 && (type != MSG_FETCHED || fd >= 0))
		r = -EBADMSG;
	if (r == 0)
		r = msg_update_get_fetched(&buf, ret_fetched);
	if (r < 0 || ret_fetched->id != remote->number)
		return give_up(remote, -EIO, "answered what was not asked",
			       why);
	return 0;
}

static int
await(struct remote *remote, size_t size_max, struct msg_fetched *ret_fetched,
      struct reason *why)
{
	uint64_t due_ms = now_ms() + remote->how.answer_ms +
			  size_max / REMOTE_BYTES_PER_S * 1000;

	if (due_ms > remote->end_ms)
		due_ms = remote->end_ms;
	for (;;) {
		int r = wait_for(remote, due_ms, why);
		if (r == 0)
			r = read_answer(remote, ret_fetched, why);
		if (r != -EAGAIN)
			return r;
	}
}

/* What it says of an error is text from a stranger, and only that. */
static int
refusal(const struct msg_fetched *fetched, struct reason *why)
{
	int r = fetched->error == ENOENT || fetched->error == EFBIG ||
				fetched->error == ETIMEDOUT ?
			-(int)fetched->error :
			-EIO;

	if (!fetched->reason[0])
		return reason_set(why, r, "%s", strerror(-r));
	return reason_set(why, r, "%.400s", fetched->reason);
}

/* Each byte once. */
static int
pour(int fd, uint64_t size, const struct client_sink *sink, struct reason *why)
{
	CLEANUP_FREE uint8_t *piece = malloc(PIECE);
	uint64_t at = 0;

	if (!piece)
		return -ENOMEM;
	while (at < size) {
		size_t want = size - at < PIECE ? (size_t)(size - at) : PIECE;
		ssize_t len = pread(fd, piece, want, (off_t)at);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return reason_set(why, -EIO,
					  "khien-fetch wrote less than it "
					  "says");
		int r = sink->add(sink->arg, piece, (size_t)len);
		if (r < 0)
			return r;
		at += (uint64_t)len;
	}
	return 0;
}

/* Never to be executed, where the kernel can say so: some insist on it. */
static int
make_file(void)
{
	int fd = memfd_create("fetched", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("fetched", MFD_CLOEXEC);
	return fd;
}

static int
get(void *arg, enum client_what what, const char *path, size_t size_max,
    const struct client_sink *sink, struct reason *why)
{
	struct remote *remote = arg;
	struct msg_fetched fetched = { 0 };

	if (remote->broken)
		return reason_set(why, -EIO, "khien-fetch failed before");
	CLEANUP_FD int fd = make_file();
	if (fd < 0)
		return -errno;
	int r = send(remote, what, path, size_max, fd, why);
	if (r == 0)
		r = await(remote, size_max, &fetched, why);
	if (r < 0)
		return r;
	remote->answered = true;
	remote->index = fetched.index;
	if (fetched.date_s)
		remote->told.date_s = (int64_t)fetched.date_s;
	/* None is left: what was wrong with the last one stands. */
	if (fetched.error == ENXIO)
		return reason_set(why, -ENXIO, "no other mirror is left");
	if (fetched.error)
		return refusal(&fetched, why);
	if (fetched.size > size_max)
		return reason_set(why, -EFBIG, "is longer than %zu bytes",
				  size_max);
	remote->told.bytes += fetched.size;
	return pour(fd, fetched.size, sink, why);
}

void
remote_use(struct remote *remote, struct client_mirror *ret_mirror)
{
	*ret_mirror = (struct client_mirror){ get, remote };
}
