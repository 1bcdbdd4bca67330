/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "updater/tuf/reason.h"

#define NAME "khien-scan"
#define INSTALLED "/usr/libexec/khien/" NAME
#define ARGS_MAX 1024
#define PIECE 65536
#define CANNOT_EXECUTE 127

/* One output while it comes. */
struct stream {
	int fd;
	char *text; /* owned */
	size_t len;
};

void
run_done(struct run_result *result)
{
	free(result->out);
	free(result->said);
	*result = (struct run_result){ 0 };
}

static void
find_program(char dst[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", dst, PATH_MAX - sizeof(NAME));
	char *slash = len > 0 ? memrchr(dst, '/', (size_t)len) : NULL;

	if (slash) {
		memcpy(slash + 1, NAME, sizeof(NAME));
		if (access(dst, X_OK) == 0)
			return;
	}
	memcpy(dst, INSTALLED, sizeof(INSTALLED));
}

static int
add(struct stream *stream)
{
	char *text = realloc(stream->text, stream->len + PIECE + 1);

	if (!text)
		return -ENOMEM;
	stream->text = text;
	ssize_t got = read(stream->fd, text + stream->len, PIECE);
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	stream->len += (size_t)got;
	text[stream->len] = '\0';
	if (got == 0)
		file_closep(&stream->fd);
	return stream->len > RUN_OUTPUT_MAX ? -E2BIG : 0;
}

/* Until both have ended. */
static int
read_both(struct stream streams[2])
{
	while (streams[0].fd >= 0 || streams[1].fd >= 0) {
		struct pollfd polls[2] = {
			{ .fd = streams[0].fd, .events = POLLIN },
			{ .fd = streams[1].fd, .events = POLLIN }
		};
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return -errno;
		for (size_t i = 0; i < 2; i++) {
			int r = streams[i].fd >= 0 && polls[i].revents ?
					add(&streams[i]) :
					0;
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static void
execute(const char *program, const char *const *args, int out, int said)
{
	const char *argv[ARGS_MAX + 2] = { NAME };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 1] = args[i];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
		_exit(CANNOT_EXECUTE);
	(void)execv(program, (char *const *)(uintptr_t)argv);
	_exit(CANNOT_EXECUTE);
}

static int64_t
milliseconds(const struct timeval *time)
{
	return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static int
collect(pid_t pid, struct stream streams[2], struct run_result *ret_result)
{
	struct rusage usage = { 0 };
	int status;

	int r = read_both(streams);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return -errno;
	if (r < 0)
		return r;
	ret_result->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	ret_result->cpu_ms =
		milliseconds(&usage.ru_utime) + milliseconds(&usage.ru_stime);
	ret_result->out = TAKE(streams[0].text);
	ret_result->said = TAKE(streams[1].text);
	return 0;
}

static int
run(const char *program, const char *const *args, struct run_result *ret_result)
{
	int out[2], said[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	CLEANUP_FD int out_write = out[1];
	struct stream streams[2] = { { .fd = out[0] }, { .fd = -1 } };
	int r = pipe2(said, O_CLOEXEC) < 0 ? -errno : 0;
	if (r == 0) {
		CLEANUP_FD int said_write = said[1];
		streams[1].fd = said[0];
		pid_t pid = fork();
		if (pid == 0)
			execute(program, args, out_write, said_write);
		file_closep(&out_write);
		file_closep(&said_write);
		r = pid < 0 ? -errno : collect(pid, streams, ret_result);
	}
	for (size_t i = 0; i < 2; i++) {
		file_closep(&streams[i].fd);
		free(streams[i].text);
	}
	return r;
}

int
run_scan(const char *const *args, struct run_result *ret_result,
	 struct reason *why)
{
	char program[PATH_MAX];

	*ret_result = (struct run_result){ 0 };
	find_program(program);
	int r = run(program, args, ret_result);
	if (r == 0 && ret_result->code == CANNOT_EXECUTE)
		r = -ENOENT;
	if (r < 0)
		return reason_set(
			why, r,
			"%.300s cannot be run: %s: it must lie beside "
			"khien-repo, or be installed",
			program, strerror(-r));
	return 0;
}
