/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/query/job.h"

#define STORE_FILE "store.db"

struct worker {
	struct worker_pool *pool;
	pid_t pid; /* 0: a free place */
	int pidfd;
	int client; /* for a last word, should the worker not get to it */
	uint32_t uid;
	struct loop_watch *watch;
};

struct worker_pool {
	struct loop *loop;
	struct worker workers[WORKER_MAX];
};

struct worker_pool *
worker_new(struct loop *loop)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));

	if (pool)
		pool->loop = loop;
	return pool;
}

/* Clears a place; the process has ended or never was. */
static void
clear(struct worker *worker)
{
	loop_remove(worker->watch);
	worker->watch = NULL;
	file_closep(&worker->pidfd);
	file_closep(&worker->client);
	worker->pid = 0;
}

void
worker_free(struct worker_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < WORKER_MAX; i++)
		if (pool->workers[i].pid)
			clear(&pool->workers[i]);
	free(pool);
}

/* One line that says why there is no answer; the client may not take it. */
static void
tell(int client, const char *why)
{
	char line[256];
	int len = snprintf(line, sizeof(line),
			   "{\"khien\":{\"end\":{\"exit\":2,\"error\":\"%s\","
			   "\"truncated\":false,\"rows\":0}}}\n",
			   why);

	(void)send(client, line, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/*
 * A worker that died has not sent its end line.  In the middle of a line this
 * one spoils it: then the client knows as well that something is amiss.
 */
static void
tell_death(const struct worker *worker, int signal_number)
{
	char why[64];

	log_warning("answer to uid %u ended by signal %d", worker->uid,
		    signal_number);
	(void)snprintf(why, sizeof(why), "the answer ended by signal %d",
		       signal_number);
	tell(worker->client, signal_number == SIGALRM ?
				     "stopped at the time limit, in the "
				     "middle of a step" :
				     why);
}

static int
on_end(void *arg, int fd, uint32_t events)
{
	struct worker *worker = arg;
	int status = 0;

	(void)fd;
	(void)events;
	if (waitpid(worker->pid, &status, WNOHANG) == 0)
		return 0;
	if (WIFSIGNALED(status))
		tell_death(worker, WTERMSIG(status));
	clear(worker);
	return 0;
}

static void
limit(void)
{
	const struct rlimit core = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &core);
#ifndef KHIEN_SAN
	const struct rlimit memory = { WORKER_MEMORY_MAX, WORKER_MEMORY_MAX };
	if (setrlimit(RLIMIT_AS, &memory) < 0)
		_exit(1);
#endif
}

/* In the new process: it keeps standard error and the client, nothing else. */
__attribute__((noreturn)) static void
work(int client, pid_t parent, const char *request)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	if (client > 3)
		(void)close_range(3, (unsigned int)client - 1, 0);
	(void)close_range((unsigned int)client + 1, ~0U, 0);
	limit();
	(void)job_run(client, STORE_FILE, JOB_TIME_MS, request);
	_exit(0);
}

/* A free place for this user; NULL when there is none. */
static struct worker *
find_place(struct worker_pool *pool, uint32_t uid)
{
	struct worker *place = NULL;
	size_t users = 0;

	for (size_t i = 0; i < WORKER_MAX; i++) {
		struct worker *worker = &pool->workers[i];
		if (!worker->pid)
			place = worker;
		else if (worker->uid)
			users++;
	}
	return uid && users >= WORKER_USERS_MAX ? NULL : place;
}

static int
start(struct worker_pool *pool, struct worker *worker, int client,
      const char *request)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		work(client, parent, request);
	worker->pool = pool;
	worker->pid = pid;
	worker->client = fcntl(client, F_DUPFD_CLOEXEC, 0);
	worker->pidfd = pidfd_open(pid, 0);
	if (worker->pidfd >= 0)
		worker->watch = loop_add_fd(pool->loop, worker->pidfd, EPOLLIN,
					    on_end, worker);
	if (worker->watch)
		return 0;
	/* Without a watch its end would not be seen. */
	int saved = errno;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	clear(worker);
	return -saved;
}

int
worker_start(struct worker_pool *pool, int client, uint32_t uid,
	     const char *request)
{
	struct worker *worker = find_place(pool, uid);

	if (!worker) {
		tell(client, "busy: too many questions at one time, ask again");
		return -EBUSY;
	}
	worker->uid = uid;
	int r = start(pool, worker, client, request);
	if (r < 0)
		tell(client, "the agent cannot start another answer now");
	return r;
}
