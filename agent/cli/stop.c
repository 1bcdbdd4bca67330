/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/cli/args.h"
#include "agent/cli/client.h"
#include "agent/cli/text.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define EXIT_NOT_DONE 1
#define EXIT_ERROR 2
#define LOCK "khiend.lock" /* beside the socket; see agent/daemon/place.c */
#define WHY_MAX 1024
/* What khiend promises to need at most, with all that it waits for. */
#define STOP_LIMIT_MS 30000
/* An agent that does not answer must not hold up the machine's end. */
#define ANSWER_LIMIT_S 5

/* khiend holds a lock as long as it lives: no socket says that so surely. */
static bool
is_running(const char *socket)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const char *slash = strrchr(socket, '/');
	CLEANUP_FREE char *path = NULL;

	if (asprintf(&path, "%.*s" LOCK, slash ? (int)(slash + 1 - socket) : 0,
		     socket) < 0)
		return true;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT;
	return fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

/* Its word says more than its exit code, which is 0 for "running" alone. */
static int
start_systemctl(int out, pid_t *ret_pid)
{
	static char name[] = "systemctl", word[] = "is-system-running";
	char *argv[] = { name, word, NULL };
	posix_spawn_file_actions_t actions;

	int r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!r)
		r = posix_spawnp(ret_pid, name, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Whether the service manager is stopping the whole system. */
static bool
is_shutdown(void)
{
	char word[32] = "";
	int ends[2] = { -1, -1 };
	pid_t pid = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	CLEANUP_FD int from = ends[0];
	CLEANUP_FD int to = ends[1];
	if (start_systemctl(to, &pid) < 0)
		return false;
	file_closep(&to);
	ssize_t len = read(from, word, sizeof(word) - 1);
	(void)waitpid(pid, NULL, 0);
	if (len > 0)
		word[strcspn(word, "\n")] = '\0';
	return str_equal(word, "stopping");
}

static int
open_process(uint32_t pid)
{
	return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

/* It is there no more: the process that fd is of has ended. */
static bool
has_ended(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&wait, 1, STOP_LIMIT_MS);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

/*
 * Asks once; prints what is answered.  *ret_fd: the process that ends now, or
 * -1.  Returns the exit code.
 */
static int
ask(const struct args *args, struct client *client, const char *command,
    const struct doc *options, bool quiet, char *ret_state, int *ret_fd)
{
	struct client_end end = { .exit = EXIT_ERROR };
	const char *line;
	int64_t pid;

	int r = client_ask(client, command, options);
	while (r >= 0) {
		CLEANUP(doc_freep) struct doc *doc = NULL;
		r = client_read(client, &line, &doc, &end);
		if (r == -EINTR) {
			r = 1;
			continue;
		}
		if (r <= 0)
			break;
		(void)snprintf(ret_state, WHY_MAX, "%s",
			       doc_text_or(doc_root(doc), "khien.guard.state",
					   ""));
		if (doc_number(doc_root(doc), "khien.stopping.pid", &pid) == 0)
			*ret_fd = open_process((uint32_t)pid);
		if (!quiet && args->json)
			text_printf("%s\n", line);
	}
	if (r < 0)
		text_error("stop: the agent does not answer: %s", strerror(-r));
	else if (*end.error)
		text_error("stop: %s", end.error);
	return r < 0 ? EXIT_ERROR : end.exit;
}

static int
connect_and_ask(const struct args *args, const char *socket,
		const char *command, const struct doc *options, bool quiet,
		char *ret_state, int *ret_fd)
{
	CLEANUP(client_freep) struct client *client = NULL;
	char why[WHY_MAX];

	int r = client_open(socket, &client, why, sizeof(why));
	if (r < 0) {
		text_error("%s", why);
		return EXIT_ERROR;
	}
	return ask(args, client, command, options, quiet, ret_state, ret_fd);
}

/* The service manager stops its unit. */
static int
stop_service(const struct args *args, const char *socket)
{
	CLEANUP(doc_freep) struct doc *tell = doc_new();
	CLEANUP(doc_freep) struct doc *options = doc_new();
	char state[WHY_MAX] = "";
	int fd = -1;

	doc_set_text(tell, "do", "status");
	int code =
		connect_and_ask(args, socket, "guard", tell, true, state, &fd);
	if (code || !str_equal(state, "armed"))
		return code;
	doc_set_bool(options, "service", true);
	doc_set_bool(options, "shutdown", is_shutdown());
	return connect_and_ask(args, socket, "stop", options, false, state,
			       &fd);
}

static int
stop_agent(const struct args *args, const char *socket)
{
	char state[WHY_MAX] = "";
	CLEANUP_FD int fd = -1;

	int code = connect_and_ask(args, socket, "stop", args->options, false,
				   state, &fd);
	if (code)
		return code;
	if (fd >= 0 && !has_ended(fd)) {
		text_error("stop: the agent has not ended within %d s",
			   STOP_LIMIT_MS / 1000);
		return EXIT_NOT_DONE;
	}
	if (!args->json)
		text_printf("the agent has stopped\n");
	return EXIT_SUCCESS;
}

int
stop_run(const struct args *args, const char *socket)
{
	if ((args->service || args->if_running) && !is_running(socket))
		return EXIT_SUCCESS;
	(void)alarm(ANSWER_LIMIT_S +
		    (args->service ? 0 : STOP_LIMIT_MS / 1000));
	return args->service ? stop_service(args, socket) :
			       stop_agent(args, socket);
}

void
stop_print_guard(const struct doc_value *doc)
{
	text_put(doc_text_or(doc, "khien.guard.text", "not heard of"));
	text_printf("\n");
}
