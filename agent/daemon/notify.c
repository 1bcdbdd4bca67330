/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/notify.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define BEATS 3 /* in the time after which the manager gives us up */
#define US_PER_MS 1000

static_assert(sizeof(struct sockaddr_un) <= NOTIFY_ADDRESS_MAX,
	      "the address of a socket fits");

static int
set_address(struct notify *notify, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	if (name[0] != '/' && name[0] != '@')
		return -EAFNOSUPPORT;
	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, name, len);
	/* An abstract name begins with NUL and does not end with one. */
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	else
		len++;
	notify->address_size = offsetof(struct sockaddr_un, sun_path) + len;
	memcpy(notify->address, &address, notify->address_size);
	return 0;
}

/* Another process may be meant, when a shell between us passed it on. */
static void
set_watchdog(struct notify *notify)
{
	const char *limit = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t limit_us, number;

	if (!limit || str_number(limit, UINT64_MAX, &limit_us) < 0)
		return;
	if (pid && (str_number(pid, INT32_MAX, &number) < 0 ||
		    number != (uint64_t)getpid()))
		return;
	notify->beat_ms = limit_us / US_PER_MS / BEATS;
}

int
notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*notify = (struct notify){ .fd = -1 };
	if (!name)
		return 0;
	int r = set_address(notify, name);
	if (r < 0)
		return r;
	notify->fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0)
		return -errno;
	set_watchdog(notify);
	return 0;
}

void
notify_close(struct notify *notify)
{
	file_closep(&notify->fd);
}

/* Returns 0 or -errno; a manager that is gone is -ECONNREFUSED or -ENOENT. */
static int
say(const struct notify *notify, const char *text)
{
	ssize_t len = sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
			     (const struct sockaddr *)notify->address,
			     (socklen_t)notify->address_size);

	return len < 0 ? -errno : 0;
}

/* What is newer replaces what was not taken: it is how we are now. */
static void
tell(struct notify *notify, const char *text)
{
	if (notify->fd < 0)
		return;
	if (str_copy(notify->text, sizeof(notify->text), text) == 0 &&
	    say(notify, notify->text) == 0)
		notify->text[0] = '\0';
}

void
notify_ready(struct notify *notify, const char *status)
{
	char text[NOTIFY_TEXT_MAX];

	notify->said = true;
	(void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	tell(notify, text);
}

/* The time tells the manager that this is the answer to its own signal. */
void
notify_reloading(struct notify *notify)
{
	char text[NOTIFY_TEXT_MAX];
	struct timespec now;

	/* Not ready for the first time, and the manager would think so. */
	if (!notify->said)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text),
		       "RELOADING=1\nMONOTONIC_USEC=%" PRIu64
		       "\nSTATUS=reads its configuration again",
		       (uint64_t)now.tv_sec * 1000000 +
			       (uint64_t)now.tv_nsec / 1000);
	tell(notify, text);
}

void
notify_stopping(struct notify *notify)
{
	tell(notify, "STOPPING=1\nSTATUS=stops");
}

void
notify_beat(struct notify *notify, uint64_t now_ms)
{
	if (notify->fd < 0)
		return;
	if (notify->text[0] && say(notify, notify->text) == 0)
		notify->text[0] = '\0';
	if (!notify->beat_ms || now_ms < notify->next_ms)
		return;
	if (say(notify, "WATCHDOG=1") == 0)
		notify->next_ms = now_ms + notify->beat_ms;
}
