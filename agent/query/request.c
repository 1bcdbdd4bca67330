/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

#define BIT(command) (1u << (command))
#define LISTS (BIT(REQUEST_DETECTIONS) | BIT(REQUEST_EVENTS))

static const struct {
	const char *name;
	enum request_command command;
} commands[] = {
	{ "detections", REQUEST_DETECTIONS }, { "show", REQUEST_SHOW },
	{ "events", REQUEST_EVENTS },	      { "tree", REQUEST_TREE },
	{ "query", REQUEST_QUERY },
};

static const struct {
	const char *name;
	unsigned int commands; /* that know it */
} options[] = {
	{ "since_ns", LISTS },
	{ "until_ns", LISTS },
	{ "limit", LISTS },
	{ "follow", LISTS },
	{ "min_severity", BIT(REQUEST_DETECTIONS) },
	{ "rule", BIT(REQUEST_DETECTIONS) },
	{ "type", BIT(REQUEST_EVENTS) },
	{ "path", BIT(REQUEST_EVENTS) },
	{ "remote", BIT(REQUEST_EVENTS) },
	{ "pid", BIT(REQUEST_EVENTS) | BIT(REQUEST_TREE) },
	{ "id", BIT(REQUEST_SHOW) },
	{ "sql", BIT(REQUEST_QUERY) },
};

/* What a check needs to say why not. */
struct check {
	struct request *request;
	const struct doc_value *line;
	const struct doc_value *options; /* NULL: it has none */
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int
refuse(const struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(check->why, check->why_size, format, args);
	va_end(args);
	return -EINVAL;
}

static int
parse_command(const struct check *check)
{
	const char *name = doc_text(check->line, "command");

	if (!name)
		return refuse(check, "the request names no command");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!str_equal(commands[i].name, name))
			continue;
		check->request->command = commands[i].command;
		return 0;
	}
	return refuse(check, "unknown command: %.64s", name);
}

static int
check_option(void *arg, const char *name, const struct doc_value *value)
{
	const struct check *check = arg;

	(void)value;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (str_equal(options[i].name, name) &&
		    options[i].commands & BIT(check->request->command))
			return 0;
	return refuse(check, "unknown option for this command: %.64s", name);
}

/* A whole number from low to high, which is left alone when it is not said. */
static int
parse_number(const struct check *check, const char *name, int64_t low,
	     int64_t high, int64_t *ret_number)
{
	int64_t number;

	if (!doc_get(check->options, name))
		return 0;
	int r = doc_number(check->options, name, &number);
	if (r < 0 || number < low || number > high)
		return refuse(check,
			      "option %s must be a whole number from %lld "
			      "to %lld",
			      name, (long long)low, (long long)high);
	*ret_number = number;
	return 0;
}

static int
parse_text(const struct check *check, const char *name, const char **ret_text)
{
	if (!doc_get(check->options, name))
		return 0;
	*ret_text = doc_text(check->options, name);
	if (!*ret_text)
		return refuse(check, "option %s must be text", name);
	if (!**ret_text)
		return refuse(check, "option %s must not be empty", name);
	return 0;
}

static int
refuse_type(const struct check *check, const char *word)
{
	char known[1024];

	types_words(known, sizeof(known));
	return refuse(check, "unknown event type: %.64s (known: %s)", word,
		      known);
}

/* Words separated by commas. */
static int
parse_types(const struct check *check)
{
	const char *text = NULL;
	char word[32];

	int r = parse_text(check, "type", &text);
	if (r < 0 || !text)
		return r;
	while (*text) {
		size_t len = strcspn(text, ",");
		(void)snprintf(word, sizeof(word), "%.*s",
			       len < sizeof(word) ? (int)len : 31, text);
		if (!types_add_word(&check->request->types, word))
			return refuse_type(check, word);
		text += len;
		text += *text == ',';
	}
	return 0;
}

static int
parse_remote(const struct check *check)
{
	const char *text = NULL;

	int r = parse_text(check, "remote", &text);
	if (r < 0 || !text)
		return r;
	check->request->by_remote = true;
	if (remote_find(&check->request->remote, text) < 0)
		return refuse(check,
			      "not an address: %.64s (10.0.0.1, 10.0.0.0/8, "
			      "10.0.0.1:443, 2001:db8::1, [2001:db8::1]:443, "
			      ":443)",
			      text);
	return 0;
}

static int
parse_severity(const struct check *check)
{
	const char *word = NULL;

	int r = parse_text(check, "min_severity", &word);
	if (r < 0 || !word)
		return r;
	check->request->min_severity = msg_severity_find(word);
	if (!check->request->min_severity)
		return refuse(check,
			      "unknown severity: %.64s (known: informational, "
			      "low, medium, high, critical)",
			      word);
	return 0;
}

static int
parse_limit(const struct check *check)
{
	struct request *request = check->request;
	int64_t limit = 0;

	if (doc_get(check->options, "follow") &&
	    !doc_is_bool(check->options, "follow"))
		return refuse(check, "option follow must be true or false");
	request->follow = doc_true(check->options, "follow");
	int r = parse_number(check, "limit", 1, INT64_MAX, &limit);
	if (r < 0)
		return r;
	if (!limit && (request->since_ns || request->until_ns))
		limit = REQUEST_ROWS_SINCE;
	else if (!limit)
		limit = request->follow ? REQUEST_ROWS_FOLLOW : REQUEST_ROWS;
	if (limit > REQUEST_ROWS_MAX)
		limit = REQUEST_ROWS_MAX;
	request->limit = (uint64_t)limit;
	return 0;
}

/* What a command cannot do without. */
static int
check_needed(const struct check *check)
{
	const struct request *request = check->request;

	if (request->command == REQUEST_SHOW && !request->id)
		return refuse(check, "show needs an id");
	if (request->command == REQUEST_QUERY && !request->sql)
		return refuse(check, "query needs a statement");
	if (request->command == REQUEST_TREE && request->pid < 0)
		return refuse(check, "tree needs a pid");
	if (request->follow && request->until_ns)
		return refuse(check, "follow and until exclude each other");
	return 0;
}

static int
parse_options(struct check *check)
{
	struct request *request = check->request;

	check->options = doc_get(check->line, "options");
	if (check->options && !doc_is_object(check->options, NULL))
		return refuse(check, "options must be an object");
	int r = doc_each(check->options, NULL, check_option, check);
	if (r == 0)
		r = parse_number(check, "since_ns", 0, INT64_MAX,
				 &request->since_ns);
	if (r == 0)
		r = parse_number(check, "until_ns", 0, INT64_MAX,
				 &request->until_ns);
	if (r == 0)
		r = parse_number(check, "pid", 0, INT32_MAX, &request->pid);
	if (r == 0)
		r = parse_text(check, "path", &request->path);
	if (r == 0)
		r = parse_text(check, "rule", &request->rule);
	if (r == 0)
		r = parse_text(check, "id", &request->id);
	if (r == 0)
		r = parse_text(check, "sql", &request->sql);
	if (r == 0)
		r = parse_types(check);
	if (r == 0)
		r = parse_remote(check);
	if (r == 0)
		r = parse_severity(check);
	if (r == 0)
		r = parse_limit(check);
	return r == 0 ? check_needed(check) : r;
}

int
request_parse(struct request *request, const char *text, char *why,
	      size_t why_size)
{
	struct check check = { .request = request,
			       .why = why,
			       .why_size = why_size };
	int64_t version = 0;
	char parser[160];

	*request = (struct request){ .pid = -1 };
	(void)snprintf(why, why_size, "out of memory");
	int r = doc_parse(text, strlen(text), &request->doc, parser,
			  sizeof(parser));
	if (r == -EINVAL)
		return refuse(&check, "not a JSON object: %s", parser);
	if (r < 0)
		return r;
	check.line = doc_root(request->doc);
	if (doc_number(check.line, "version", &version) < 0)
		return refuse(&check, "the request names no version");
	if (version != REQUEST_VERSION)
		return refuse(&check,
			      "protocol version %lld is not supported, this "
			      "agent speaks %d",
			      (long long)version, REQUEST_VERSION);
	r = parse_command(&check);
	return r < 0 ? r : parse_options(&check);
}

void
request_done(struct request *request)
{
	doc_free(request->doc);
	*request = (struct request){ .pid = -1 };
}
