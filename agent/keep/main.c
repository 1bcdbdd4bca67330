/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-keep: one request from khiend, then the end.  It ends processes that
 * run a bad file, takes the file into quarantine, lists what is there, gives
 * it back, deletes it.  khiend sets the time limit; MSG_BEAT says that a long
 * work goes on.  With the index 1 it is the guardian of processes that are
 * held, and stays: see guard.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/keep/crypt.h"
#include "agent/keep/end.h"
#include "agent/keep/give.h"
#include "agent/keep/guard.h"
#include "agent/keep/list.h"
#include "agent/keep/scope.h"
#include "agent/keep/take.h"
#include "agent/keep/vault.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define ERROR_MAX 512
#define KEEP_GUARD "1" /* argv[1]: see agent/daemon/guardian.c */
/* khiend hangs up when it has passed the answer on. */
#define HANG_UP_MS 2000

static struct peer peer;
static struct vault vault = { .folder = -1 };
static int state = -1; /* state_dir */
static struct end end; /* too large for the stack */
static struct take taking;
static struct give giving;
static char error[ERROR_MAX];

/* Adds to what is told; `r` says more when it is below 0. */
static void
note(const char *what, int r)
{
	size_t len = strlen(error);
	const char *colon = len ? "; " : "";

	if (r < 0)
		(void)snprintf(error + len, sizeof(error) - len, "%s%s: %s",
			       colon, what, strerror(-r));
	else
		(void)snprintf(error + len, sizeof(error) - len, "%s%s", colon,
			       what);
}

static void
on_step(void)
{
	struct buf buf;

	peer_begin(&peer, &buf, MSG_BEAT);
	msg_put_number(&buf, loop_now_ns());
	(void)peer_write_parent(&peer, &buf, -1);
}

static int
open_vault(bool make)
{
	int r = vault_open(&vault, state, make);

	if (r == 0)
		vault_tidy(&vault);
	return r;
}

/* Returns true when nobody runs it any more. */
static bool
end_processes(const struct msg_act *act, struct msg_acted *acted)
{
	static struct scope scope;
	uint32_t before = acted->killed;

	int r = scope_open(&scope, peer.conf->scope_cgroup);
	if (r < 0) {
		note("scope_cgroup cannot be used, nothing is killed", r);
		return false;
	}
	end.device = act->device;
	end.inode = act->inode;
	end.mapped = act->actions & MSG_ACT_KILL_MAPPED;
	end.khiend = (uint32_t)getppid();
	end.scope = &scope;
	r = end_all(&end);
	acted->killed = before + end.killed;
	if (r < 0)
		note("processes that run it are left", r);
	return r == 0;
}

static bool
quarantine(const struct msg_act *act, int fd, struct msg_acted *acted)
{
	int r = open_vault(true);

	if (r < 0) {
		note(vault.why, r);
		return false;
	}
	taking = (struct take){ .fd = fd,
				.device = act->device,
				.inode = act->inode,
				.sha256 = act->sha256,
				.path = act->path,
				.rule = act->rule,
				.pid = act->pid,
				.on_step = on_step };
	r = take_file(&vault, &taking);
	if (r < 0) {
		note(taking.why, r);
		return false;
	}
	acted->entry = taking.id;
	acted->left = taking.left;
	return true;
}

/* Once more after the file is gone: it may have been started meanwhile. */
static void
act_on_file(const struct msg_act *act, int fd, struct msg_acted *acted)
{
	const uint32_t kills = MSG_ACT_KILL | MSG_ACT_KILL_MAPPED;
	struct stat st;
	bool ended = false;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != act->device ||
	    st.st_ino != act->inode) {
		note("the file is not the one that was judged", 0);
		return;
	}
	if (act->actions & kills)
		ended = end_processes(act, acted);
	if ((act->actions & MSG_ACT_QUARANTINE) && quarantine(act, fd, acted)) {
		acted->done |= MSG_ACT_QUARANTINE;
		if (ended)
			ended = end_processes(act, acted);
	}
	if (ended)
		acted->done |= act->actions & kills;
}

static void
restore(const struct msg_act *act, struct msg_acted *acted)
{
	int r = open_vault(false);

	if (r < 0) {
		note(vault.why, r);
		return;
	}
	giving = (struct give){
		.id = act->entry, .to = act->path, .on_step = on_step, .fd = -1
	};
	r = give_file(&vault, &giving);
	acted->path = giving.path;
	if (r < 0) {
		note(giving.why, r);
		return;
	}
	acted->sha256 = giving.sum;
	acted->rule = giving.rule;
	acted->device = giving.device;
	acted->inode = giving.inode;
	acted->left = giving.missing;
}

static void delete (const struct msg_act *act)
{
	int r = open_vault(false);

	if (r == 0)
		r = vault_remove(&vault, act->entry);
	if (r < 0)
		note(vault.why, r);
}

/* No folder yet is an empty list. */
static void
list(const struct msg_act *act, struct msg_acted *acted, struct buf *buf)
{
	int r = open_vault(false);

	if (r == 0)
		r = list_put(&vault, buf, act->after_ns, act->entry,
			     &acted->len, &acted->more);
	else if (r == -ENOENT)
		r = 0;
	if (r < 0)
		note(*vault.why ? vault.why : "the list cannot be made", r);
}

static void
run(const struct msg_act *act, int fd, struct msg_acted *acted)
{
	switch (act->kind) {
	case MSG_ACT_FILE:
		act_on_file(act, fd, acted);
		break;
	case MSG_ACT_RESTORE:
		restore(act, acted);
		break;
	case MSG_ACT_DELETE:
		delete (act);
		break;
	}
}

/* The entries of a list stand behind their head, which is written last. */
static int
answer(const struct msg_act *act, int fd)
{
	static uint8_t entries[MSG_MAX - 16 * 1024];
	struct msg_acted acted = { .id = act->id,
				   .kind = act->kind,
				   .device = act->device,
				   .inode = act->inode,
				   .entry = act->entry,
				   .sha256 = act->sha256,
				   .path = act->path,
				   .error = error };
	struct buf list_buf;
	struct buf buf;

	buf_init_write(&list_buf, entries, sizeof(entries));
	if (act->kind == MSG_ACT_LIST)
		list(act, &acted, &list_buf);
	else
		run(act, fd, &acted);
	peer_begin(&peer, &buf, MSG_ACTED);
	(void)msg_put_acted(&buf, &acted);
	if (buf.size - buf.at < list_buf.at)
		return -EMSGSIZE;
	memcpy(buf.bytes + buf.at, entries, list_buf.at);
	buf.at += list_buf.at;
	return peer_write_parent(&peer, &buf, -1);
}

/*
 * What was restored stays open for writing until khiend has told the engine
 * of it: the close is what has it scanned.
 */
static void
wait_for_khiend(void)
{
	struct pollfd hang_up = { .fd = PEER_FD, .events = POLLIN };

	(void)poll(&hang_up, 1, HANG_UP_MS);
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	CLEANUP_FD int file = fd;
	struct msg_act act;

	(void)arg;
	if (link->role != ROLE_DAEMON || type != MSG_ACT ||
	    msg_get_act(buf, &act) < 0)
		return -EBADMSG;
	int r = answer(&act, file);
	if (r < 0)
		return r;
	wait_for_khiend();
	loop_stop(peer.loop);
	return 0;
}

static int
on_guard_message(void *arg, const struct peer_link *link, uint16_t type,
		 struct buf *buf, int fd)
{
	CLEANUP_FD int file = fd;
	struct guard *guard = arg;
	struct msg_judged judged;
	struct msg_held held;

	if (link->role != ROLE_DAEMON)
		return -EBADMSG;
	if (type == MSG_HELD && msg_get_held(buf, &held) == 0) {
		guard_take(guard, &held);
		return 0;
	}
	if (type == MSG_JUDGED && msg_get_judged(buf, &judged) == 0) {
		guard_judged(guard, &judged);
		return 0;
	}
	return -EBADMSG;
}

static int
on_guard_end(void *arg)
{
	guard_release(arg);
	loop_stop(peer.loop);
	return 0;
}

static int
run_guard(int argc, char **argv)
{
	struct guard *guard = NULL;

	int r = peer_start(&peer, ROLE_GUARD, argc, argv);
	if (r == 0)
		guard = guard_new(&peer);
	if (r == 0 && !guard)
		r = -ENOMEM;
	if (r == 0)
		r = peer_seal(&peer, -1);
	if (r == 0)
		r = guard_start(guard);
	if (r == 0) {
		peer.arg = guard;
		peer.on_message = on_guard_message;
		peer.on_end = on_guard_end;
		r = peer_run(&peer);
	}
	if (r < 0)
		log_error("guardian ends: %s", strerror(-r));
	/* By our own fault, too. */
	if (guard)
		guard_release(guard);
	guard_free(guard);
	peer_done(&peer);
	return r < 0 ? 1 : 0;
}

int
main(int argc, char **argv)
{
	log_init("khien-keep");
	(void)umask(077);
	if (argc == 2 && str_equal(argv[1], KEEP_GUARD))
		return run_guard(argc, argv);
	int r = peer_start(&peer, ROLE_KEEP, argc, argv);
	if (r == -EBADF) {
		log_error("this program is started by khiend");
		return 2;
	}
	if (r == 0)
		r = crypt_init();
	state = r == 0 ? peer_take_kept(&peer, "state") : -1;
	if (r == 0 && state < 0)
		r = -EBADF;
	if (r == 0)
		r = peer_seal(&peer, -1);
	if (r == 0) {
		peer.on_message = on_message;
		r = peer_run(&peer);
	}
	if (r < 0)
		log_error("ending: %s", strerror(-r));
	vault_done(&vault);
	file_closep(&giving.fd);
	file_closep(&state);
	peer_done(&peer);
	return r < 0 ? 1 : 0;
}
