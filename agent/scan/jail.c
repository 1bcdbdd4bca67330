/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/scan/scanner.h"
#include "agent/scan/serve.h"

/* As the gate: a scanner that has not answered by then is stuck. */
#define GRACE_MS 2000
/* Large rule sets take a while; a set that takes longer is of no use. */
#define COMPILE_MS 300000

/* The child's. */
#define CHAN_FD 3

static char why[128];

/* Collects the child, dead or about to be. */
static const char *
collect(struct jail *jail)
{
	int status = 0;

	file_closep(&jail->chan);
	while (waitpid(jail->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why),
			       "the scanner was killed by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(why, sizeof(why),
			       "the scanner ended with status %d",
			       WEXITSTATUS(status));
	return why;
}

/* -EPIPE: the child is gone; -ETIMEDOUT. */
static int
read_message(struct jail *jail, uint64_t deadline_ns, struct buf *buf,
	     uint16_t *ret_type)
{
	for (;;) {
		CLEANUP_FD int fd = -1;
		struct pollfd wait = { .fd = jail->chan, .events = POLLIN };
		uint64_t now_ns = loop_now_ns();
		size_t len;
		int r = chan_read(jail->chan, jail->bytes, MSG_MAX, &len, &fd);
		if (r == 0)
			return msg_open(buf, jail->bytes, len, ret_type);
		if (r != -EAGAIN)
			return r;
		if (now_ns >= deadline_ns)
			return -ETIMEDOUT;
		int left_ms = (int)((deadline_ns - now_ns) / 1000000) + 1;
		if (poll(&wait, 1, left_ms) < 0 && errno != EINTR)
			return -errno;
	}
}

/* A child that does not answer as it should is of no further use. */
static int
give_up(struct jail *jail, int error, const char *late, const char **ret_why)
{
	if (error != -EPIPE)
		(void)kill(jail->pid, SIGKILL);
	*ret_why = collect(jail);
	if (error == -ETIMEDOUT)
		*ret_why = late;
	return -ECHILD;
}

static int
read_rules(struct jail *jail)
{
	uint64_t deadline_ns = loop_now_ns() + COMPILE_MS * 1000000ULL;
	struct msg_rule rule = { .last = false };

	while (!rule.last) {
		struct buf buf;
		uint16_t type;
		int r = read_message(jail, deadline_ns, &buf, &type);
		if (r == 0 && type != MSG_RULE)
			r = -EBADMSG;
		if (r == 0)
			r = msg_get_rule(&buf, &rule);
		if (r < 0)
			return r;
		if (!jail->told)
			jail->on_rule(jail->arg, &rule);
	}
	jail->told = true;
	return 0;
}

/*
 * The child keeps the channel and standard error: neither the caller's input
 * and output nor whatever else the caller left open.
 */
static int
let_go(int chan)
{
	/* Out of the way of what it is to become, and of the others. */
	int high = fcntl(chan, F_DUPFD, CHAN_FD + 1);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (high < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	if (dup2(high, CHAN_FD) < 0 || close_range(CHAN_FD + 1, ~0U, 0) < 0)
		return -errno;
	return 0;
}

__attribute__((noreturn)) static void
run_child(struct jail *jail, int chan)
{
	int r = let_go(chan);

	if (r == 0)
		r = serve_run(CHAN_FD, jail->rules, jail->limits);
	_exit(r < 0 ? 2 : 0);
}

int
jail_start(struct jail *jail, const char **ret_why)
{
	CLEANUP_FD int ours = -1;
	CLEANUP_FD int theirs = -1;

	if (!jail->bytes)
		jail->bytes = malloc(MSG_MAX);
	if (!jail->bytes)
		return -ENOMEM;
	int r = chan_pair(&ours, &theirs);
	if (r < 0)
		return r;
	/* Else the child would write what is waiting there once more. */
	(void)fflush(stdout);
	jail->pid = fork();
	if (jail->pid < 0)
		return -errno;
	if (jail->pid == 0)
		run_child(jail, theirs);
	jail->chan = TAKE_FD(ours);
	file_closep(&theirs);
	r = read_rules(jail);
	if (r < 0)
		return give_up(jail, r, "the rules take too long to compile",
			       ret_why);
	return 0;
}

static int
send_question(struct jail *jail, int fd)
{
	struct msg_scan question = { .cause = MSG_CAUSE_ASKED };
	struct buf buf;

	msg_begin(&buf, jail->bytes, MSG_MAX, MSG_SCAN);
	msg_put_scan(&buf, &question);
	int r = msg_end(&buf);
	return r < 0 ? r : chan_write(jail->chan, &buf, fd);
}

static int
read_verdicts(struct jail *jail)
{
	uint64_t limit_ms = (uint64_t)jail->limits->timeout_ms + GRACE_MS;
	uint64_t deadline_ns = loop_now_ns() + limit_ms * 1000000;
	struct msg_verdict verdict = { .flags = SERVE_MORE };

	while (verdict.flags & SERVE_MORE) {
		struct buf buf;
		uint16_t type;
		int r = read_message(jail, deadline_ns, &buf, &type);
		if (r == 0 && type != MSG_VERDICT)
			r = -EBADMSG;
		if (r == 0)
			r = msg_get_verdict(&buf, &verdict);
		if (r < 0)
			return r;
		jail->on_verdict(jail->arg, &verdict);
	}
	return 0;
}

int
jail_ask(struct jail *jail, int fd, const char **ret_why)
{
	int r = jail->chan < 0 ? jail_start(jail, ret_why) : 0;

	if (r < 0)
		return r;
	r = send_question(jail, fd);
	if (r == 0)
		r = read_verdicts(jail);
	if (r < 0)
		return give_up(jail, r,
			       "the scanner took too long, and was "
			       "killed",
			       ret_why);
	return 0;
}

void
jail_stop(struct jail *jail)
{
	if (jail->chan >= 0)
		(void)collect(jail);
	free(jail->bytes);
	jail->bytes = NULL;
}
