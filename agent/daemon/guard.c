/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/daemon/order.h"
#include "agent/daemon/supervise.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "kernel/khien_abi.h"

#define NS_PER_S 1000000000ULL

struct msg_guarded
guard_state(const struct khien_guard *page, bool on, bool disarmed,
	    uint64_t off_until_ns, uint64_t now_ns)
{
	struct msg_guarded guarded = { .state = MSG_GUARD_IS_ARMED,
				       .pid = (uint32_t)getpid() };

	if (page) {
		guarded.programs =
			__atomic_load_n(&page->programs, __ATOMIC_RELAXED);
		guarded.denied =
			__atomic_load_n(&page->denied, __ATOMIC_RELAXED);
	}
	if (!on)
		guarded.state = MSG_GUARD_IS_OFF;
	else if (disarmed)
		guarded.state = MSG_GUARD_IS_DISARMED;
	else if (!page)
		guarded.state = MSG_GUARD_IS_AWAITED;
	else if (!guarded.programs)
		guarded.state = MSG_GUARD_IS_ABSENT;
	else if (off_until_ns > now_ns)
		guarded.state = MSG_GUARD_IS_PAUSED;
	if (guarded.state == MSG_GUARD_IS_PAUSED)
		guarded.until_ns = off_until_ns;
	return guarded;
}

static struct msg_guarded
now(const struct supervise *supervise)
{
	const struct guard *guard = &supervise->guard;

	return guard_state(guard->page, supervise->conf->guard,
			   supervise->conf->guard_disarmed, guard->off_until_ns,
			   loop_now_ns());
}

static int
tell(struct supervise *supervise, const struct msg_guarded *guarded)
{
	struct child *engine = supervise_find(supervise, ROLE_ENGINE, 0);
	struct buf buf;

	if (engine->state != CHILD_UP)
		return -ENOTCONN;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_GUARDED);
	msg_guard_put_state(&buf, guarded);
	return child_write(engine, &buf, -1);
}

/* In this order nobody is refused anything by half of it. */
static void
write_page(const struct supervise *supervise)
{
	struct khien_guard *page = supervise->guard.page;
	bool armed = supervise->conf->guard &&
		     !supervise->conf->guard_disarmed && !supervise->stopping;

	if (!page)
		return;
	__atomic_store_n(&page->khiend, (uint32_t)getpid(), __ATOMIC_RELAXED);
	__atomic_store_n(&page->off_until_ns, supervise->guard.off_until_ns,
			 __ATOMIC_SEQ_CST);
	__atomic_store_n(&page->beat_ns, armed ? loop_now_ns() : 0,
			 __ATOMIC_SEQ_CST);
}

static void
unmap(struct guard *guard)
{
	if (!guard->page)
		return;
	__atomic_store_n(&guard->page->beat_ns, 0, __ATOMIC_SEQ_CST);
	(void)munmap(guard->page, (size_t)sysconf(_SC_PAGESIZE));
	guard->page = NULL;
}

void
guard_map(struct supervise *supervise)
{
	struct guard *guard = &supervise->guard;
	int fd = keep_find(&supervise->keeps[ROLE_SENSOR], GUARD_MAP);
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	unmap(guard);
	void *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		log_error("page of the guard: %m, the agent is not guarded");
		return;
	}
	guard->page = page;
	guard_beat(supervise);
}

/*
 * The service manager has stopped all units and executes what ends the rest: if
 * it left us over, nothing must hold up the machine.  Nobody but process 1
 * itself sets that name.
 */
static bool
is_machines_end(void)
{
	static const char name[] = "systemd-shutdow\n"; /* as the kernel cuts */
	char text[sizeof(name)];
	size_t len;

	return file_read(AT_FDCWD, "/proc/1/comm", text, sizeof(text), &len) ==
		       0 &&
	       strcmp(text, name) == 0;
}

void
guard_beat(struct supervise *supervise)
{
	struct guard *guard = &supervise->guard;
	struct msg_guarded guarded;

	if (guard->told.state == MSG_GUARD_IS_ARMED && is_machines_end())
		guard->off_until_ns = MSG_GUARD_ENDLESS;
	if (guard->off_until_ns && guard->off_until_ns <= loop_now_ns())
		guard->off_until_ns = 0;
	write_page(supervise);
	guarded = now(supervise);
	if (guarded.state == guard->told.state &&
	    guarded.programs == guard->told.programs &&
	    guarded.until_ns == guard->told.until_ns &&
	    guarded.denied == guard->told.denied)
		return;
	if (tell(supervise, &guarded) == 0)
		guard->told = guarded;
}

void
guard_forget_told(struct supervise *supervise)
{
	supervise->guard.told = (struct msg_guarded){ 0 };
}

static void
obey(struct supervise *supervise, const struct msg_guard *message)
{
	struct guard *guard = &supervise->guard;

	switch (message->what) {
	case MSG_GUARD_OFF:
		guard->off_until_ns = loop_now_ns() + message->for_s * NS_PER_S;
		log_info("guard is turned off for %u s by a command",
			 message->for_s);
		break;
	case MSG_GUARD_ON:
		guard->off_until_ns = 0;
		log_info("guard is turned on by a command");
		break;
	case MSG_GUARD_STOP:
		guard->off_until_ns = MSG_GUARD_ENDLESS;
		log_info("a command stops the agent");
		break;
	case MSG_GUARD_ALONE:
		/* It would log each word of ours as that of a stranger. */
		notify_close(&supervise->notify);
		log_warning("service manager gives its unit up, going on "
			    "without");
		break;
	default:
		break;
	}
	write_page(supervise);
}

int
guard_take(struct supervise *supervise, struct buf *buf)
{
	struct msg_guard message;

	if (msg_guard_get(buf, &message) < 0)
		return -EBADMSG;
	obey(supervise, &message);
	struct msg_guarded guarded = now(supervise);
	guarded.id = message.id;
	/* An engine that does not read asks anew, or its client does. */
	if (tell(supervise, &guarded) == 0)
		supervise->guard.told = guarded;
	if (message.what == MSG_GUARD_STOP) {
		supervise->asked_to_stop = true;
		order_stop(supervise);
	}
	return 0;
}

void
guard_done(struct supervise *supervise)
{
	unmap(&supervise->guard);
}
