/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/when.h"
#include "agent/cli/where.h"
#include "agent/cli/words.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_guard.h"
#include "agent/lib/str.h"

#define SOCKET_DEFAULT "/run/khien/status.sock"
#define BIT(command) (1u << (command))
#define LISTS (BIT(ARGS_DETECTIONS) | BIT(ARGS_EVENTS))
#define ALL (BIT(ARGS_COMMANDS) - 1)
#define PIECE_MAX 256
/* All values of an option that may be repeated: --type a --type b,c. */
#define WORDS_MAX 1024

static const struct {
	const char *name, *operand;
	size_t least, most; /* operands */
	const char *about;
} commands[ARGS_COMMANDS] = {
	[ARGS_STATUS] = { "status", "", 0, 0,
			  "is the agent well, and what does it not see" },
	[ARGS_DETECTIONS] = { "detections", "", 0, 0, "what it has detected" },
	[ARGS_SHOW] = { "show", " ID", 1, 1,
			"everything about one detection or event" },
	[ARGS_EVENTS] = { "events", "", 0, 0, "what processes did" },
	[ARGS_TREE] = { "tree", " PID", 1, 1,
			"a process, its ancestors and its descendants" },
	[ARGS_QUERY] = { "query", " SQL", 1, 1,
			 "one SELECT on the store; see khien-events(7)" },
	[ARGS_SCAN] = { "scan", " PATH...", 1, SIZE_MAX,
			"scan files and folders now" },
	[ARGS_RULES] = { "rules", "", 0, 0, "the rules that are loaded" },
	[ARGS_DOCTOR] = { "doctor", "", 0, 0,
			  "check that everything works, and how to mend it" },
	[ARGS_RELOAD] = { "reload", "", 0, 0,
			  "read configuration and rules again (root)" },
	[ARGS_QUARANTINE] = { "quarantine",
			      " list|restore ID|delete ID|allowed|"
			      "revoke SHA256",
			      1, 2,
			      "what is in quarantine, and out again (root)" },
	[ARGS_UPDATE] = { "update", " status|check|now|import FILE", 1, 2,
			  "signed releases of rules (all but status: root)" },
	[ARGS_GUARD] = { "guard", " [status|on|off]", 0, 1,
			 "who may stop and change the agent (on, off: root)" },
	[ARGS_STOP] = { "stop", "", 0, 0,
			"stop the agent in order, guarded or not (root)" },
};

enum kind { FLAG, TEXT, NUMBER, WHEN, SPAN, SEVERITY, WORDS, PATH };

static const struct option {
	const char *name; /* without "--" */
	enum kind kind;
	const char *key; /* in the request; NULL: our own affair */
	const char *value;
	const char *about;
	unsigned int commands;
} options[] = {
	{ "socket", TEXT, NULL, "PATH",
	  "the agent's socket (" SOCKET_DEFAULT ")", ALL },
	{ "json", FLAG, NULL, NULL, "one JSON object a line, for programs",
	  ALL },
	{ "help", FLAG, NULL, NULL, "this", ALL },
	{ "version", FLAG, NULL, NULL, "say the version", ALL },
	{ "hot", FLAG, "hot", NULL, "what costs most", BIT(ARGS_STATUS) },
	{ "since", WHEN, "since_ns", "WHEN", "not before", LISTS },
	{ "until", WHEN, "until_ns", "WHEN", "not after", LISTS },
	{ "min-severity", SEVERITY, "min_severity", "LEVEL",
	  "informational, low, medium, high or critical",
	  BIT(ARGS_DETECTIONS) },
	{ "rule", TEXT, "rule", "NAME", "of this rule, by name or id",
	  BIT(ARGS_DETECTIONS) },
	{ "type", WORDS, "type", "TYPE",
	  "exec, connect, ... or process, file, network, privilege, agent",
	  BIT(ARGS_EVENTS) },
	{ "pid", NUMBER, "pid", "N", "of this process", BIT(ARGS_EVENTS) },
	{ "path", TEXT, "path", "PATH",
	  "of this file; below it if it ends in /; * and ? match",
	  BIT(ARGS_EVENTS) },
	{ "remote", TEXT, "remote", "ADDRESS[:PORT]",
	  "with this peer; 10.0.0.0/8 is all of them", BIT(ARGS_EVENTS) },
	{ "limit", NUMBER, "limit", "N", "at most the newest N", LISTS },
	{ "to", PATH, "to", "PATH", "restore there, not where it was",
	  BIT(ARGS_QUARANTINE) },
	{ "for", SPAN, "for_s", "TIME", "off for so long: 1s to 1h (10m)",
	  BIT(ARGS_GUARD) },
	{ "service", FLAG, NULL, NULL,
	  "unless guarded: how the service manager stops the agent",
	  BIT(ARGS_STOP) },
	{ "if-running", FLAG, NULL, NULL, "no agent is no error",
	  BIT(ARGS_STOP) },
	{ "follow", FLAG, "follow", NULL, "and what comes, until interrupted",
	  LISTS },
};

#define OPTIONS_LEN (sizeof(options) / sizeof(options[0]))

/* The line while it is read: an option may stand before its command. */
struct reading {
	struct args *args;
	int64_t now_ns;
	const struct option *seen[64];
	size_t seen_len;
	char words[WORDS_MAX];
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int
refuse(const struct reading *reading, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reading->why, reading->why_size, format, args);
	va_end(args);
	return -EINVAL;
}

const char *
args_name(enum args_command command)
{
	return command < ARGS_COMMANDS ? commands[command].name : NULL;
}

static int
find_command(const struct reading *reading, const char *name)
{
	char known[PIECE_MAX] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < ARGS_COMMANDS; i++) {
		if (str_equal(commands[i].name, name)) {
			reading->args->command = i;
			return 0;
		}
		len += (size_t)snprintf(known + len, sizeof(known) - len,
					"%s%s", i ? ", " : "",
					commands[i].name);
	}
	return refuse(reading, "unknown command: %s (this version knows %s)",
		      name, known);
}

static const struct option *
find_option(const char *name, size_t len)
{
	for (size_t i = 0; i < OPTIONS_LEN; i++)
		if (strlen(options[i].name) == len &&
		    strncmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static int
add_words(struct reading *reading, const struct option *option,
	  const char *value)
{
	size_t len = strlen(reading->words);
	int added = snprintf(reading->words + len, WORDS_MAX - len, "%s%s",
			     len ? "," : "", value);

	if (added < 0 || (size_t)added >= WORDS_MAX - len)
		return refuse(reading, "option --%s: too many", option->name);
	doc_set_text(reading->args->options, option->key, reading->words);
	return 0;
}

static int
set_number(const struct reading *reading, const struct option *option,
	   const char *value)
{
	bool limit = str_equal(option->name, "limit");
	uint64_t number;

	if (str_number(value, INT64_MAX, &number) < 0 || (limit && !number))
		return refuse(reading, "option --%s: not a whole number%s: %s",
			      option->name, limit ? " from 1" : "", value);
	reading->args->limited |= limit;
	doc_set_number(reading->args->options, option->key, (int64_t)number);
	return 0;
}

static int
set_when(const struct reading *reading, const struct option *option,
	 const char *value)
{
	int64_t ns;

	if (when_parse(value, reading->now_ns, &ns) < 0)
		return refuse(reading,
			      "option --%s: not a time: %s (30s, 5m, 2h, 3d, "
			      "now, 2025-01-31T08:15:00Z)",
			      option->name, value);
	doc_set_number(reading->args->options, option->key, ns);
	return 0;
}

static int
set_span(const struct reading *reading, const struct option *option,
	 const char *value)
{
	int64_t seconds;

	if (when_span(value, &seconds) < 0 || seconds < 1 ||
	    seconds > MSG_GUARD_FOR_MAX_S)
		return refuse(reading,
			      "option --%s: not a time from 1s to 1h: %s",
			      option->name, value);
	doc_set_number(reading->args->options, option->key, seconds);
	return 0;
}

static int
set_path(const struct reading *reading, const struct option *option,
	 const char *value)
{
	CLEANUP_FREE char *path = NULL;

	int r = where_find(value, &path);
	if (r == -EILSEQ)
		return refuse(reading, "option --%s: not UTF-8", option->name);
	if (r == -EINVAL)
		return refuse(reading, "option --%s: empty", option->name);
	if (r < 0)
		return refuse(reading, "option --%s: %s", option->name,
			      strerror(-r));
	doc_set_text(reading->args->options, option->key, path);
	return 0;
}

static int
set_flag(const struct reading *reading, const struct option *option)
{
	struct args *args = reading->args;

	if (str_equal(option->name, "json"))
		args->json = true;
	else if (str_equal(option->name, "help"))
		args->help = true;
	else if (str_equal(option->name, "version"))
		args->version = true;
	else if (str_equal(option->name, "follow"))
		args->follow = true;
	else if (str_equal(option->name, "service"))
		args->service = true;
	else if (str_equal(option->name, "if-running"))
		args->if_running = true;
	if (option->key)
		doc_set_bool(args->options, option->key, true);
	return 0;
}

static int
set_option(struct reading *reading, const struct option *option,
	   const char *value)
{
	struct args *args = reading->args;

	switch (option->kind) {
	case FLAG:
		return set_flag(reading, option);
	case NUMBER:
		return set_number(reading, option, value);
	case WHEN:
		return set_when(reading, option, value);
	case SPAN:
		return set_span(reading, option, value);
	case WORDS:
		return add_words(reading, option, value);
	case SEVERITY:
		if (!msg_severity_find(value))
			return refuse(reading,
				      "option --%s: not a severity: %s (%s)",
				      option->name, value, option->about);
		break;
	case PATH:
		return set_path(reading, option, value);
	case TEXT:
		if (!*value)
			return refuse(reading, "option --%s: empty",
				      option->name);
		break;
	}
	if (option->key)
		doc_set_text(args->options, option->key, value);
	else
		args->socket = value;
	return 0;
}

/* argv[*at] is "--name", "--name=value" or, with the next one, a pair. */
static int
parse_option(struct reading *reading, int argc, char **argv, int *at)
{
	const char *text = argv[*at] + 2;
	size_t len = strcspn(text, "=");
	const char *value = text[len] ? text + len + 1 : NULL;
	const struct option *option = find_option(text, len);

	if (!option || argv[*at][1] != '-')
		return refuse(reading, "unknown option: %s", argv[*at]);
	if (option->kind == FLAG && value)
		return refuse(reading, "option --%s takes no value",
			      option->name);
	if (option->kind != FLAG && !value) {
		if (*at + 1 == argc)
			return refuse(reading, "option --%s needs a value: %s",
				      option->name, option->value);
		value = argv[++*at];
	}
	if (reading->seen_len ==
	    sizeof(reading->seen) / sizeof(reading->seen[0]))
		return refuse(reading, "too many options");
	reading->seen[reading->seen_len++] = option;
	return set_option(reading, option, value ? value : "");
}

static int
parse_all(struct reading *reading, int argc, char **argv)
{
	struct args *args = reading->args;
	bool options_end = false;

	for (int i = 1; i < argc; i++) {
		int r = 0;
		if (!options_end && str_equal(argv[i], "--"))
			options_end = true;
		else if (!options_end && argv[i][0] == '-' && argv[i][1])
			r = parse_option(reading, argc, argv, &i);
		else if (args->command == ARGS_COMMANDS)
			r = find_command(reading, argv[i]);
		else
			args->operands[args->operands_len++] = argv[i];
		if (r < 0)
			return r;
	}
	return 0;
}

/* Operands that are part of the request. */
static int
set_operands(const struct reading *reading)
{
	struct args *args = reading->args;
	const char *operand = args->operands[0];
	uint64_t pid;

	switch (args->command) {
	case ARGS_SHOW:
		doc_set_text(args->options, "id", operand);
		return 0;
	case ARGS_QUERY:
		doc_set_text(args->options, "sql", operand);
		return 0;
	case ARGS_TREE:
		if (str_number(operand, INT32_MAX, &pid) < 0)
			return refuse(reading, "not a process number: %s",
				      operand);
		doc_set_number(args->options, "pid", (int64_t)pid);
		return 0;
	case ARGS_QUARANTINE:
	case ARGS_UPDATE:
	case ARGS_GUARD:
		return words_set(args, commands[args->command].operand,
				 reading->why, reading->why_size);
	default:
		return 0;
	}
}

static int
check(const struct reading *reading)
{
	const struct args *args = reading->args;

	if (args->help || args->version)
		return 0;
	if (args->command == ARGS_COMMANDS)
		return refuse(reading, "no command given");
	const char *name = commands[args->command].name;
	for (size_t i = 0; i < reading->seen_len; i++)
		if (!(reading->seen[i]->commands & BIT(args->command)))
			return refuse(reading, "%s takes no option --%s", name,
				      reading->seen[i]->name);
	if (args->operands_len < commands[args->command].least)
		return refuse(reading, "%s needs%s", name,
			      commands[args->command].operand);
	if (args->operands_len > commands[args->command].most)
		return refuse(reading, "%s: one argument too many: %s", name,
			      args->operands[commands[args->command].most]);
	if (args->follow && doc_get(doc_root(args->options), "until_ns"))
		return refuse(reading,
			      "options --follow and --until exclude each "
			      "other");
	return set_operands(reading);
}

int
args_parse(struct args *args, int argc, char **argv, int64_t now_ns, char *why,
	   size_t why_size)
{
	struct reading reading = {
		.args = args, .now_ns = now_ns, .why = why, .why_size = why_size
	};

	*args = (struct args){ .socket = SOCKET_DEFAULT,
			       .command = ARGS_COMMANDS };
	(void)snprintf(why, why_size, "out of memory");
	args->options = doc_new();
	args->operands = calloc((size_t)argc + 1, sizeof(*args->operands));
	if (!args->options || !args->operands)
		return -ENOMEM;
	int r = parse_all(&reading, argc, argv);
	if (r == 0)
		r = check(&reading);
	return r == 0 && !doc_root(args->options) ? -ENOMEM : r;
}

void
args_done(struct args *args)
{
	doc_free(args->options);
	free(args->operands);
	args->options = NULL;
	args->operands = NULL;
}

void
args_help(enum args_command command, void (*fn)(const char *piece))
{
	char piece[PIECE_MAX];
	char name[64];

	fn("usage: khienctl [--socket PATH] [--json] ");
	fn(command == ARGS_COMMANDS ? "COMMAND" : commands[command].name);
	fn(command == ARGS_COMMANDS ? "" : commands[command].operand);
	fn(" [OPTION...]\n\n");
	for (unsigned int i = 0; i < ARGS_COMMANDS; i++) {
		if (command != ARGS_COMMANDS && command != i)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s", commands[i].name,
			       commands[i].operand);
		(void)snprintf(piece, sizeof(piece), "  %-22s %s\n", name,
			       commands[i].about);
		fn(piece);
	}
	fn("\noptions:\n");
	for (size_t i = 0; i < OPTIONS_LEN; i++) {
		if (command != ARGS_COMMANDS &&
		    !(options[i].commands & BIT(command)))
			continue;
		(void)snprintf(name, sizeof(name), "--%s%s%s", options[i].name,
			       options[i].value ? " " : "",
			       options[i].value ? options[i].value : "");
		(void)snprintf(piece, sizeof(piece), "  %-22s %s\n", name,
			       options[i].about);
		fn(piece);
	}
	fn("\nSee khienctl(1).\n");
}
