/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/args.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/procstat.h"

#define QUESTION_SIZE 12 /* pid, start_ns */
#define END_MS 50	 /* a child that is killed is gone long before */
#define ANSWER_MAX (EVENT_ARGS_MAX + 1)

/* The leader's start in clock ticks, or 0. */
static uint64_t
start_ticks(int proc, uint32_t pid)
{
	struct procstat stat;

	return procstat_read(proc, pid, &stat) == 0 ? stat.start_ticks : 0;
}

static size_t
read_cmdline(int proc, uint32_t pid, uint8_t *dst, size_t size)
{
	char path[32];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%u/cmdline", pid);
	CLEANUP_FD int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && len < size) {
		ssize_t n = read(fd, dst + len, size - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

/* The child's side: a question, an answer, until the link is closed. */
static void
answer_all(int link, int proc)
{
	static uint8_t answer[ANSWER_MAX];
	uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	uint8_t question[QUESTION_SIZE];

	while (recv(link, question, sizeof(question), 0) == QUESTION_SIZE) {
		struct buf buf;
		buf_init_read(&buf, question, sizeof(question));
		uint32_t pid = buf_get_u32(&buf);
		uint64_t ticks = buf_get_u64(&buf) / tick_ns;
		size_t len = read_cmdline(proc, pid, answer, sizeof(answer));
		/* Afterwards: then it was the same one all the time. */
		if (start_ticks(proc, pid) != ticks)
			len = 0;
		if (send(link, answer, len, MSG_NOSIGNAL) < 0)
			return;
	}
}

/* It may stay for as long as what it looks at: it holds nothing but the link,
   as khiend must see when the sensor's own descriptors close. */
_Noreturn static void
run_child(int link, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(link, 0) < 0 ||
	    close_range(1, ~0u, 0) < 0)
		_exit(1);
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc >= 0)
		answer_all(0, proc);
	_exit(0);
}

static int
start(struct args *args)
{
	pid_t parent = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid_t child = fork();
	int r = child < 0 ? -errno : 0;
	if (child == 0)
		run_child(pair[1], parent);
	(void)close(pair[1]);
	args->link = pair[0];
	args->child = child;
	if (r < 0)
		file_closep(&args->link);
	return r;
}

/* One that cannot be killed now stays a zombie until the sensor ends. */
static void
end(struct args *args, bool late)
{
	if (args->child < 0)
		return;
	file_closep(&args->link);
	if (late)
		(void)kill(args->child, SIGKILL);
	struct pollfd wait = {
		.fd = (int)syscall(SYS_pidfd_open, args->child, 0),
		.events = POLLIN,
	};
	(void)poll(&wait, 1, END_MS);
	(void)waitpid(args->child, NULL, WNOHANG);
	file_closep(&wait.fd);
	args->child = -1;
}

void
args_init(struct args *args)
{
	*args = (struct args){ .child = -1,
			       .link = -1,
			       .left_ms = ARGS_ALL_MS };
}

void
args_done(struct args *args)
{
	end(args, false);
}

/* Whether an answer came in time; takes the waiting off what is left. */
static bool
await(struct args *args)
{
	struct pollfd wait = { .fd = args->link, .events = POLLIN };
	uint32_t limit_ms =
		args->left_ms < ARGS_ONE_MS ? args->left_ms : ARGS_ONE_MS;
	uint64_t begin_ns = loop_now_ns();
	uint64_t end_ns = begin_ns + limit_ms * 1000000ull;

	for (;;) {
		uint64_t now_ns = loop_now_ns();
		if (now_ns >= end_ns)
			break;
		uint64_t rest_ns = end_ns - now_ns + 999999;
		int r = poll(&wait, 1, (int)(rest_ns / 1000000));
		if (r > 0)
			return true;
		if (r < 0 && errno != EINTR)
			break;
	}
	args->left_ms -= limit_ms;
	return false;
}

static int
ask(struct args *args, uint32_t pid, uint64_t start_ns)
{
	uint8_t question[QUESTION_SIZE];
	struct buf buf;

	if (args->child < 0) {
		int r = start(args);
		if (r < 0)
			return r;
	}
	buf_init_write(&buf, question, sizeof(question));
	buf_put_u32(&buf, pid);
	buf_put_u64(&buf, start_ns);
	if (send(args->link, question, sizeof(question), MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

size_t
args_read(struct args *args, uint32_t pid, uint64_t start_ns, uint8_t *dst,
	  size_t size)
{
	if (args->left_ms == 0 || ask(args, pid, start_ns) < 0)
		return 0;
	if (!await(args)) {
		args->late++;
		end(args, true);
		return 0;
	}
	ssize_t len = recv(args->link, dst, size, 0);
	return len > 0 ? (size_t)len : 0;
}
