/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/worker.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"
#include "agent/scan/release.h"
#include "agent/scan/roster.h"
#include "agent/scan/rules.h"
#include "agent/scan/scanner.h"
#include "agent/scan/yara.h"

/* How long an engine that does not keep up is left alone. */
#define RETRY_MS 20

enum { BASE, LOCAL, FOLDERS };

struct worker {
	struct peer peer;
	struct rules rules;
	struct yara *yara;
	struct scanner *scanner;
	struct roster roster;
	struct loop_watch *retry;
	int folders[FOLDERS]; /* 0, or -errno why it was not read */
	uint64_t release;     /* instead of the base folder; 0: none */
	int broken;	      /* 0, or -errno why there is none */
	struct msg_verdict verdict;
};

/* One that is there and of no use leaves the base folder in force. */
static void
read_release(struct worker *worker)
{
	CLEANUP_FD int update = peer_take_kept(&worker->peer, "update");
	uint64_t number = 0;

	if (update < 0)
		return;
	int r = release_current(update, &number);
	if (r == -ENOENT)
		return;
	if (r == 0)
		r = release_add(&worker->rules, update, number);
	if (r == 0) {
		worker->release = number;
		return;
	}
	worker->broken = r;
	errno = -r;
	log_error("release %llu of rules: %m, going on with %s",
		  (unsigned long long)number, worker->peer.conf->rules_dir);
}

/* A folder that is missing or refused leaves the others in force. */
static void
read_folders(struct worker *worker)
{
	const char *const paths[FOLDERS] = {
		[BASE] = worker->peer.conf->rules_dir,
		[LOCAL] = worker->peer.conf->local_dir,
	};

	read_release(worker);
	for (size_t i = worker->release ? LOCAL : BASE; i < FOLDERS; i++) {
		int r = rules_add_folder(&worker->rules, paths[i]);
		worker->folders[i] = r;
		if (r == 0 || (i == LOCAL && r == -ENOENT))
			continue;
		errno = -r;
		log_error("rules in %s: %m, going on without", paths[i]);
	}
}

static int
compile(struct worker *worker)
{
	const struct conf *conf = worker->peer.conf;
	struct scanner_limits limits = { .max_size = conf->max_size,
					 .timeout_ms = conf->timeout_ms };
	int r = yara_new(&worker->rules, &worker->yara);

	if (r == 0)
		r = scanner_new(worker->yara, &limits, &worker->scanner);
	if (r < 0)
		return r;
	for (size_t i = 0; i < worker->rules.len; i++)
		if (rules_is_failure(&worker->rules.files[i]))
			log_warning("rule file %s, leaving it out",
				    worker->rules.files[i].error);
	rules_drop_texts(&worker->rules);
	/* Compiling takes several times what is kept. */
	(void)malloc_trim(0);
	return 0;
}

static void
put_text(struct worker *worker, struct buf *buf, const char *name,
	 const char *value)
{
	char key[64];

	(void)snprintf(key, sizeof(key), "scan.%u.%s", worker->peer.index,
		       name);
	msg_put_pair(buf, key, value);
}

static void
put_folder(struct worker *worker, struct buf *buf, const char *name, size_t i)
{
	const char *value = "read";

	if (i == BASE && worker->release)
		value = "replaced by a release";
	else if (worker->folders[i] == -ENOENT)
		value = "absent";
	else if (worker->folders[i] < 0)
		value = strerror(-worker->folders[i]);
	put_text(worker, buf, name, value);
}

static void
put_number(struct worker *worker, struct buf *buf, const char *name,
	   uint64_t number)
{
	char key[64];

	(void)snprintf(key, sizeof(key), "scan.%u.%s", worker->peer.index,
		       name);
	msg_put_pair_number(buf, key, number);
}

static int
send_status(struct worker *worker)
{
	struct buf buf;

	peer_begin(&worker->peer, &buf, MSG_STATUS);
	put_number(worker, &buf, "rules", yara_rules_len(worker->yara));
	put_number(worker, &buf, "failed", worker->roster.failures);
	put_number(worker, &buf, "release", worker->release);
	if (worker->broken)
		put_text(worker, &buf, "release_error",
			 strerror(-worker->broken));
	put_folder(worker, &buf, "dir", BASE);
	put_folder(worker, &buf, "local_dir", LOCAL);
	put_text(worker, &buf, "yara", yara_version());
	return peer_write(&worker->peer, &buf, ROLE_ENGINE, 0, -1);
}

/* As much as the engine takes; the rest when the timer comes. */
static int
tell_engine(void *arg)
{
	struct worker *worker = arg;
	struct roster *roster = &worker->roster;
	int r = 0;

	while (r == 0 && !roster_is_done(roster)) {
		struct buf buf;
		peer_begin(&worker->peer, &buf, MSG_RULE);
		roster_put(roster, &buf);
		r = peer_write(&worker->peer, &buf, ROLE_ENGINE, 0, -1);
		if (r == 0)
			roster_step(roster);
	}
	if (r == 0)
		r = send_status(worker);
	if (r == -EAGAIN)
		return loop_set_timer(worker->retry, RETRY_MS, 0);
	/* An engine that is gone is told everything when it is back. */
	return r == -EPIPE || r == -ENOTCONN ? 0 : r;
}

static int
on_link(void *arg, const struct peer_link *link)
{
	struct worker *worker = arg;

	if (link->role != ROLE_ENGINE)
		return 0;
	roster_begin(&worker->roster, &worker->rules, worker->yara);
	return tell_engine(worker);
}

static int
on_config(void *arg, const struct conf *conf)
{
	struct worker *worker = arg;
	struct scanner_limits limits = { .max_size = conf->max_size,
					 .timeout_ms = conf->timeout_ms };

	scanner_set_limits(worker->scanner, &limits);
	return 0;
}

/*
 * Waits for a gate that is too slow: there is nothing else to do.  A gate
 * that is stuck is killed by khiend, which ends the wait.
 */
static int
answer(struct worker *worker, uint16_t role, uint16_t index)
{
	for (;;) {
		const struct peer_link *link =
			peer_find(&worker->peer, role, index);
		if (!link)
			return 0;
		struct pollfd wait = { .fd = link->fd, .events = POLLOUT };
		struct buf buf;
		peer_begin(&worker->peer, &buf, MSG_VERDICT);
		msg_put_verdict(&buf, &worker->verdict);
		int r = peer_write(&worker->peer, &buf, role, index, -1);
		if (r == -EPIPE)
			return 0;
		if (r != -EAGAIN)
			return r;
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
}

static int
scan(struct worker *worker, const struct peer_link *link,
     const struct msg_scan *question, int fd)
{
	struct msg_verdict *verdict = &worker->verdict;
	struct scanner_result result;

	scanner_scan(worker->scanner, fd, question->cause == MSG_CAUSE_ASKED,
		     &result);
	*verdict = (struct msg_verdict){ .tag = question->tag,
					 .cause = question->cause,
					 .path = "" };
	size_t told = scanner_tell(worker->scanner, &result, 0, verdict);
	if (told < result.len && !result.error[0])
		(void)snprintf(result.error, sizeof(result.error),
			       "%zu more rules matched", result.len - told);
	return answer(worker, link->role, link->index);
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	struct worker *worker = arg;
	CLEANUP_FD int owned = fd;
	struct msg_scan question;

	if (type != MSG_SCAN || link->role != ROLE_GATE ||
	    msg_get_scan(buf, &question) < 0 || owned < 0)
		return -EBADMSG;
	return scan(worker, link, &question, owned);
}

/*
 * We are to be replaced.  What the gate has given us is answered, and what it
 * would give us now it keeps: a question that is lost with its scanner looks as
 * if the file had ended it.
 */
static int
on_end(void *arg)
{
	struct worker *worker = arg;
	struct peer *peer = &worker->peer;
	struct peer_link *gate = peer_find(peer, ROLE_GATE, 0);
	int r = gate ? peer_finish(peer, gate) : 0;

	loop_stop(peer->loop);
	return r;
}

static int
run(struct worker *worker)
{
	struct peer *peer = &worker->peer;

	read_folders(worker);
	int r = scanner_init(rules_contain(&worker->rules, "\"magic\""));
	if (r == 0)
		r = peer_seal(peer, -1);
	if (r == 0)
		r = compile(worker);
	if (r < 0)
		return r;
	peer->arg = worker;
	peer->on_link = on_link;
	peer->on_message = on_message;
	peer->on_config = on_config;
	peer->on_end = on_end;
	worker->retry = loop_add_timer(peer->loop, 0, tell_engine, worker);
	if (!worker->retry)
		return -errno;
	return peer_run(peer);
}

int
worker_run(int argc, char **argv)
{
	struct worker *worker CLEANUP_FREE = calloc(1, sizeof(*worker));

	if (!worker)
		return EXIT_FAILURE;
	int r = peer_start(&worker->peer, ROLE_SCAN, argc, argv);
	if (r == -EBADF)
		log_error("not started by khiend: see khien-scan --help");
	else if (r == 0)
		r = run(worker);
	if (r < 0 && r != -EBADF) {
		errno = -r;
		log_error("scanner: %m, ending");
	}
	scanner_free(worker->scanner);
	yara_free(worker->yara);
	rules_done(&worker->rules);
	peer_done(&worker->peer);
	return r < 0 ? 2 : EXIT_SUCCESS;
}
