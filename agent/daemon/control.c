/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/daemon/act.h"
#include "agent/daemon/guardian.h"
#include "agent/daemon/order.h"
#include "agent/daemon/supervise.h"
#include "agent/daemon/update.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/procstat.h"
#include "agent/lib/str.h"

#define BEAT_MS 500
#define MS_PER_S 1000

/*
 * How many heartbeats in a row may be unanswered when the next is due: 2 s for
 * the gate and who opens for it, 10 s for others.  0: is not asked (the gate
 * watches scanners).
 */
static const uint32_t beats_max[ROLE_LEN] = {
	[ROLE_GATE] = 3,    [ROLE_MOUNTS] = 3, [ROLE_SENSOR] = 19,
	[ROLE_ENGINE] = 19, [ROLE_QUERY] = 19,
};

/* Of a processor, within which whoever wants to answer a heartbeat has. */
#define ANSWER_MS 500

static uint64_t
ran_ms(const struct procstat *stat)
{
	return stat->ran_ticks * MS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
}

/*
 * Whether it is silent because others have the processors, which another in its
 * place would not change.  Not so the gate: who waits for it must not.
 */
static bool
is_starved(const struct child *child)
{
	struct procstat stat;

	return child->role != ROLE_GATE &&
	       procstat_read(AT_FDCWD, (uint32_t)child->pid, &stat) == 0 &&
	       stat.state == 'R' && ran_ms(&stat) < child->ran_ms + ANSWER_MS;
}

static void
send_beat(struct supervise *supervise, struct child *child)
{
	struct procstat stat;

	/* It answers the first at once as a rule: then this is not asked. */
	if (child->missed == 1)
		child->ran_ms = procstat_read(AT_FDCWD, (uint32_t)child->pid,
					      &stat) == 0 ?
					ran_ms(&stat) :
					0;
	/* Not taken is not answered, and so is counted. */
	(void)child_write_beat(child, supervise->out);
}

/* The service manager hears of it too: this loop runs. */
static int
on_beat(void *arg)
{
	struct supervise *supervise = arg;

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		uint32_t max = beats_max[child->role];
		if (child->state != CHILD_UP || !max)
			continue;
		if (child->missed < max) {
			send_beat(supervise, child);
			continue;
		}
		if (is_starved(child))
			continue;
		supervise_tell(supervise, child, MSG_PEER_STUCK, loop_now_ns(),
			       "no heartbeat");
		child_kill(child, "no heartbeat");
	}
	supervise_flush(supervise);
	guard_beat(supervise);
	supervise_settle(supervise);
	notify_beat(&supervise->notify, child_now_ms());
	return 0;
}

/*
 * It does not even die: it hangs in the kernel, in somebody's file system.  We
 * stop without it, or go on with another.
 */
static void
give_up(struct supervise *supervise, struct child *child)
{
	log_error("khien-%s %u (process %d) cannot be killed, leaving it",
		  role_get(child->role)->name, child->index, child->pid);
	loop_remove(child->watch);
	child->watch = NULL;
	file_closep(&child->chan);
	supervise_settled(supervise, child->pid);
	child->pid = 0;
	child->state = CHILD_DOWN;
	if (child->wanted && !supervise->stopping)
		supervise_start(supervise, child);
}

static void
act(struct supervise *supervise, struct child *child)
{
	child->due_ms = 0;
	switch (child->state) {
	case CHILD_DOWN:
		if (child->wanted)
			supervise_start(supervise, child);
		break;
	case CHILD_STARTING:
		child_kill(child, "did not start in time");
		break;
	case CHILD_ENDING:
		if (!child->killed)
			child_kill(child, "did not end in time");
		else if (supervise->stopping || child->role == ROLE_MOUNTS)
			give_up(supervise, child);
		break;
	case CHILD_UP:
		break;
	}
}

static int
on_due(void *arg)
{
	struct supervise *supervise = arg;
	uint64_t now_ms = child_now_ms();

	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (child->due_ms && child->due_ms <= now_ms)
			act(supervise, child);
	}
	config_check(&supervise->config, now_ms);
	act_check(supervise, now_ms);
	guardian_check(supervise, now_ms);
	update_check(supervise, now_ms);
	prove_check(supervise, now_ms);
	pass_check(&supervise->pass, now_ms);
	supervise_settle(supervise);
	return 0;
}

static void
refuse(struct supervise *supervise, const char *why)
{
	char detail[CONFIG_WHY_MAX + 64];

	(void)snprintf(detail, sizeof(detail), "refused, the old one stays: %s",
		       why);
	log_error("configuration is %s", detail);
	supervise_tell(supervise, NULL, MSG_PEER_CONFIG, loop_now_ns(), detail);
}

void
control_reload(struct supervise *supervise)
{
	if (supervise->stopping)
		return;
	if (supervise->config.pid) {
		supervise->again = true;
		return;
	}
	struct supervise_leave leave;
	supervise_open_leave(supervise, &leave);
	int r = config_start(&supervise->config, supervise->folder,
			     supervise->path, leave.read);
	supervise_use_leave(supervise, &leave,
			    r < 0 ? 0 : supervise->config.pid);
	notify_reloading(&supervise->notify);
	if (r < 0) {
		refuse(supervise, strerror(-r));
		order_reloaded(supervise);
	}
}

/* These were used up at the start; users are not looked up a second time. */
static const char *
keep_fixed(const struct conf *old, struct conf *conf)
{
	if (!str_equal(old->state_dir, conf->state_dir))
		return "[agent] state_dir changes only with a restart";
	if (!str_equal(old->run_dir, conf->run_dir))
		return "[agent] run_dir changes only with a restart";
	if (!str_equal(old->group, conf->group))
		return "[agent] group changes only with a restart";
	memcpy(conf->role_uid, old->role_uid, sizeof(conf->role_uid));
	memcpy(conf->role_gid, old->role_gid, sizeof(conf->role_gid));
	conf->group_gid = old->group_gid;
	return NULL;
}

/* Scanners read rules at their start only: they are replaced, others told. */
static void
apply(struct supervise *supervise)
{
	supervise_want(supervise);
	for (size_t i = 0; i < SUPERVISE_CHILDREN; i++) {
		struct child *child = &supervise->children[i];
		if (child->role == ROLE_SCAN) {
			child->stale = child->pid != 0;
			if (child->wanted && child->state == CHILD_DOWN &&
			    !child->due_ms)
				supervise_start(supervise, child);
			continue;
		}
		if (child_is_there(child) &&
		    child_write_conf(child, supervise->out, supervise->conf) ==
			    -EAGAIN)
			child_kill(child, "does not read its channel");
	}
	guardian_reload(supervise);
	guard_beat(supervise);
	log_info("configuration was read again");
	supervise_tell(supervise, NULL, MSG_PEER_CONFIG, loop_now_ns(),
		       "accepted");
}

void
control_read(struct supervise *supervise, int status)
{
	struct conf *conf CLEANUP_FREE = malloc(sizeof(*conf));
	char reason[CONFIG_WHY_MAX];
	const char *why = reason;

	if (!conf) {
		config_done(&supervise->config);
		refuse(supervise, strerror(ENOMEM));
		order_reloaded(supervise);
		return;
	}
	if (config_take(&supervise->config, status, conf, reason) == 0)
		why = keep_fixed(supervise->conf, conf);
	if (supervise->stopping)
		return;
	if (why) {
		refuse(supervise, why);
	} else {
		*supervise->conf = *conf;
		apply(supervise);
	}
	order_reloaded(supervise);
	if (supervise->again) {
		supervise->again = false;
		control_reload(supervise);
	}
}

static void
on_signal_number(struct supervise *supervise, uint32_t number)
{
	switch (number) {
	case SIGCHLD:
		supervise_reap(supervise);
		break;
	case SIGHUP:
		control_reload(supervise);
		break;
	default:
		order_stop(supervise);
	}
}

static int
on_signal(void *arg, int fd, uint32_t events)
{
	struct supervise *supervise = arg;
	struct signalfd_siginfo entry;

	(void)events;
	if (read(fd, &entry, sizeof(entry)) == (ssize_t)sizeof(entry))
		on_signal_number(supervise, entry.ssi_signo);
	supervise_settle(supervise);
	return 0;
}

int
control_open(struct supervise *supervise)
{
	sigset_t set;
	int r = notify_open(&supervise->notify);

	if (r < 0)
		log_warning("service manager cannot be told how we are: %s",
			    strerror(-r));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	supervise->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervise->signals < 0)
		return -errno;
	supervise->timer =
		loop_add_timer(supervise->loop, 0, on_due, supervise);
	if (!supervise->timer ||
	    !loop_add_timer(supervise->loop, BEAT_MS, on_beat, supervise) ||
	    !loop_add_fd(supervise->loop, supervise->signals, EPOLLIN,
			 on_signal, supervise))
		return -errno;
	return 0;
}

void
control_close(struct supervise *supervise)
{
	file_closep(&supervise->signals);
	notify_close(&supervise->notify);
}
