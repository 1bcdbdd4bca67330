/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khienctl: asks the agent and prints what it says.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/args.h"
#include "agent/cli/client.h"
#include "agent/cli/hot.h"
#include "agent/cli/print.h"
#include "agent/cli/scan.h"
#include "agent/cli/screen.h"
#include "agent/cli/stop.h"
#include "agent/cli/table.h"
#include "agent/cli/text.h"
#include "agent/cli/update.h"
#include "agent/cli/when.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define EXIT_FOUND 1
#define EXIT_ERROR 2
#define CONTROL_SOCKET "control.sock"
#define WHY_MAX 1024

static volatile sig_atomic_t interrupted;
static const struct client *volatile followed; /* NULL: none */

/* Whoever is about to wait for the next line must not wait for ever. */
static void
on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
	if (followed)
		client_leave(followed);
}

/* Interrupting what follows is its proper end; else it is death as usual. */
static void
catch_interrupt(const struct client *client)
{
	struct sigaction action = { .sa_handler = on_interrupt };

	followed = client;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static int
fail_read(int error)
{
	if (error == -EPIPE)
		text_error("the agent broke off its answer: what is above "
			   "is not all");
	else if (error == -EBADMSG)
		text_error("the agent's answer is not understood: khienctl "
			   "and the agent may differ in version");
	else
		text_error("cannot read the agent's answer: %s",
			   strerror(-error));
	return EXIT_ERROR;
}

/* How one object of each command is printed for people. */
static void
print_object(const struct args *args, const struct doc_value *doc)
{
	switch (args->command) {
	case ARGS_STATUS:
		if (doc_get(doc, "khien.hot"))
			hot_print(doc);
		else
			screen_status(doc);
		return;
	case ARGS_DETECTIONS:
		print_detection(doc);
		return;
	case ARGS_EVENTS:
		print_event(doc);
		return;
	case ARGS_TREE:
		print_process(doc);
		return;
	case ARGS_RULES:
		print_rule(doc);
		return;
	case ARGS_DOCTOR:
		screen_check(doc);
		return;
	case ARGS_GUARD:
		stop_print_guard(doc);
		return;
	case ARGS_QUARANTINE:
		if (str_equal(doc_text_or(doc_root(args->options), "do", ""),
			      "allowed"))
			print_allowed(doc);
		else
			print_kept(doc);
		return;
	default:
		print_all(doc);
	}
}

static bool
lists_quarantine(const struct args *args)
{
	const char *what = doc_text_or(doc_root(args->options), "do", "");

	return str_equal(what, "list") || str_equal(what, "allowed");
}

/* What is said after the last object. */
static int
finish(const struct args *args, const struct client_end *end, uint64_t rows)
{
	if (end->error[0])
		text_error("%s: %s", args_name(args->command), end->error);
	else if (end->truncated && !args->limited)
		text_error("only the newest %llu are shown: --limit shows "
			   "more, --since others",
			   (unsigned long long)rows);
	if (!rows && !end->error[0] && !args->json &&
	    (args->command == ARGS_DETECTIONS || args->command == ARGS_EVENTS ||
	     args->command == ARGS_QUERY || lists_quarantine(args)))
		text_printf("nothing found\n");
	if (args->command == ARGS_RELOAD && !end->exit && !args->json)
		text_printf("configuration and rules are being read again: "
			    "see khienctl events --type config\n");
	return end->error[0] && !end->exit ? EXIT_ERROR : end->exit;
}

/* Prints objects until the end line.  Returns the exit code. */
static int
print_answer(const struct args *args, struct client *client,
	     struct table *table)
{
	struct client_end end = { 0 };
	const char *line;
	uint64_t rows = 0;

	for (;;) {
		CLEANUP(doc_freep) struct doc *doc = NULL;
		int r = client_read(client, &line, &doc, &end);
		if (r == -EINTR && !interrupted)
			continue;
		if (interrupted)
			return EXIT_SUCCESS;
		if (r < 0)
			return fail_read(r);
		if (r == 0)
			return finish(args, &end, rows);
		rows++;
		if (args->json)
			text_printf("%s\n", line);
		else if (args->command == ARGS_QUERY)
			(void)table_add(table, TAKE(doc));
		else
			print_object(args, doc_root(doc));
		if (args->follow)
			(void)fflush(stdout);
	}
}

static int
ask(const struct args *args, struct client *client)
{
	struct table table = { 0 };

	int r = client_ask(client, args_name(args->command), args->options);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET) {
		text_error("cannot ask the agent: %s", strerror(-r));
		return EXIT_ERROR;
	}
	if (args->follow)
		catch_interrupt(client);
	int code = print_answer(args, client, &table);
	followed = NULL;
	table_print(&table);
	table_done(&table);
	return code;
}

/* The doctor's first check is ours: nobody else can say that it fails. */
static void
print_reached(const struct args *args, const char *why)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	doc_set_text(doc, "khien.doctor.check", "socket");
	doc_set_bool(doc, "khien.doctor.ok", !*why);
	doc_set_text(doc, "khien.doctor.text",
		     *why ? why : "the agent listens");
	CLEANUP_FREE char *line = doc_write(doc);
	if (args->json && line)
		text_printf("%s\n", line);
	else
		screen_check(doc_root(doc));
}

/* The socket for changes lies beside the one for questions. */
static char *
control_path(const char *socket)
{
	const char *slash = strrchr(socket, '/');
	char *path = NULL;

	if (asprintf(&path, "%.*s%s", slash ? (int)(slash + 1 - socket) : 0,
		     socket, CONTROL_SOCKET) < 0)
		return NULL;
	return path;
}

/* What changes something is for root. */
static bool
needs_control(const struct args *args)
{
	if (args->command == ARGS_UPDATE)
		return !str_equal(args->operands[0], "status");
	if (args->command == ARGS_GUARD)
		return args->operands_len &&
		       !str_equal(args->operands[0], "status");
	return args->command == ARGS_RELOAD ||
	       args->command == ARGS_QUARANTINE || args->command == ARGS_STOP;
}

static int
run(const struct args *args)
{
	CLEANUP(client_freep) struct client *client = NULL;
	CLEANUP_FREE char *control = NULL;
	const char *socket = args->socket;
	char why[WHY_MAX] = "";

	if (needs_control(args)) {
		control = control_path(socket);
		socket = control ? control : socket;
	}
	if (args->command == ARGS_STOP)
		return stop_run(args, socket);
	int r = client_open(socket, &client, why, sizeof(why));
	if (args->command == ARGS_DOCTOR) {
		print_reached(args, why);
		if (r < 0)
			return EXIT_FOUND;
	}
	if (r < 0) {
		text_error("%s", why);
		return EXIT_ERROR;
	}
	if (args->command == ARGS_SCAN)
		return scan_run(client, args->operands, args->operands_len,
				args->json);
	if (args->command == ARGS_UPDATE)
		return update_run(args, client);
	return ask(args, client);
}

static void
print_piece(const char *piece)
{
	text_printf("%s", piece);
}

int
main(int argc, char **argv)
{
	CLEANUP(args_done) struct args args;
	char why[WHY_MAX];
	int code = EXIT_SUCCESS;

	/* Whoever closes the pipe has read enough: no message, as usual. */
	(void)signal(SIGPIPE, SIG_DFL);
	int r = args_parse(&args, argc, argv, when_now_ns(), why, sizeof(why));
	if (r < 0) {
		text_error("%s", why);
		text_error("try: khienctl --help");
		return EXIT_ERROR;
	}
	if (args.help)
		args_help(args.command, print_piece);
	else if (args.version)
		text_printf("khienctl " KHIEN_VERSION "\n");
	else
		code = run(&args);
	return text_finish() < 0 ? EXIT_ERROR : code;
}
