/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_guard.h"
#include "agent/lib/str.h"

#define WHY_PARSER 160

static const struct {
	const char *word;
	enum request_command command;
	bool needs_root;
} commands[] = {
	{ "status", REQUEST_STATUS, false },
	{ "rules", REQUEST_RULES, false },
	{ "doctor", REQUEST_DOCTOR, false },
	{ "scan", REQUEST_SCAN, false },
	{ "reload", REQUEST_RELOAD, true },
	{ "quarantine", REQUEST_QUARANTINE, true },
	{ "update", REQUEST_UPDATE, false },
	{ "guard", REQUEST_GUARD, false },
	{ "stop", REQUEST_STOP, true },
	{ "detections", REQUEST_QUERY, false },
	{ "show", REQUEST_QUERY, false },
	{ "events", REQUEST_QUERY, false },
	{ "tree", REQUEST_QUERY, false },
	{ "query", REQUEST_QUERY, false },
};

static int
read_object(const char *text, size_t len, const char *what,
	    struct doc **ret_doc, char *ret_why)
{
	char parser[WHY_PARSER];

	int r = doc_parse(text, len, ret_doc, parser, sizeof(parser));
	if (r == -ENOMEM)
		(void)snprintf(ret_why, REQUEST_WHY_SIZE, "out of memory");
	else if (r < 0)
		(void)snprintf(ret_why, REQUEST_WHY_SIZE,
			       "%s is not a JSON object: %s", what, parser);
	return r;
}

static int
check_version(const struct doc_value *line, char *ret_why)
{
	int64_t version;

	if (doc_number(line, "version", &version) < 0) {
		(void)snprintf(ret_why, REQUEST_WHY_SIZE,
			       "the request has no \"version\" number");
		return -EINVAL;
	}
	if (version == REQUEST_VERSION)
		return 0;
	(void)snprintf(ret_why, REQUEST_WHY_SIZE,
		       "protocol version %lld is not supported, this agent"
		       " speaks %d",
		       (long long)version, REQUEST_VERSION);
	return -EPROTO;
}

static int
find_command(const char *word, struct request *request, char *ret_why)
{
	size_t len = sizeof(commands) / sizeof(commands[0]);

	(void)snprintf(request->word, sizeof(request->word), "%s", word);
	for (size_t i = 0; i < len; i++) {
		if (!str_equal(word, commands[i].word))
			continue;
		request->command = commands[i].command;
		request->needs_root = commands[i].needs_root;
		return 0;
	}
	(void)snprintf(ret_why, REQUEST_WHY_SIZE,
		       "the command \"%s\" is not known", request->word);
	return -EINVAL;
}

int
request_read(const char *text, size_t len, struct request *ret_request,
	     char *ret_why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;

	*ret_request = (struct request){ 0 };
	int r = read_object(text, len, "the request", &doc, ret_why);
	const struct doc_value *line = doc_root(doc);
	if (r == 0)
		r = check_version(line, ret_why);
	if (r < 0)
		return r;
	const char *word = doc_text(line, "command");
	if (!word) {
		(void)snprintf(ret_why, REQUEST_WHY_SIZE,
			       "the request has no \"command\" text");
		return -EINVAL;
	}
	r = find_command(word, ret_request, ret_why);
	if (r < 0)
		return r;
	if (doc_get(line, "options") && !doc_is_object(line, "options")) {
		(void)snprintf(ret_why, REQUEST_WHY_SIZE,
			       "\"options\" is not an object");
		return -EINVAL;
	}
	ret_request->hot = doc_true(line, "options.hot");
	return 0;
}

static const char *const words[] = {
	[REQUEST_LIST] = "list",     [REQUEST_RESTORE] = "restore",
	[REQUEST_DELETE] = "delete", [REQUEST_ALLOWED] = "allowed",
	[REQUEST_REVOKE] = "revoke",
};

/* 0: it is none of them. */
static enum request_do
find_do(const char *word)
{
	for (size_t i = REQUEST_LIST; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_equal(words[i], word))
			return i;
	return 0;
}

/* Returns 0, -ENOENT: it is absent, -EINVAL: it is not a text. */
static int
get_option(const struct doc_value *line, const char *path,
	   const char **ret_text)
{
	if (!doc_get(line, path))
		return -ENOENT;
	const char *text = doc_text(line, path);
	if (!text)
		return -EINVAL;
	*ret_text = text;
	return 0;
}

/* Hexadecimal digits that fill dst: there when they are wanted, only then. */
static bool
get_digits(const struct doc_value *line, const char *path, bool wants,
	   char *dst, size_t size)
{
	const char *text = "";

	int r = get_option(line, path, &text);
	if (r == -ENOENT)
		return !wants;
	return r == 0 && wants && strlen(text) == size - 1 &&
	       strspn(text, "0123456789abcdef") == size - 1 &&
	       str_copy(dst, size, text) == 0;
}

/* Returns NULL, or what is wrong with them. */
static const char *
check_quarantine(const struct doc_value *line,
		 struct request_quarantine *request)
{
	const char *word = "";
	const char *to = "";

	(void)get_option(line, "options.do", &word);
	enum request_do what = request->what = find_do(word);
	if (!what)
		return "\"do\" must be list, restore, delete, allowed or"
		       " revoke";
	if (!get_digits(line, "options.id",
			what == REQUEST_RESTORE || what == REQUEST_DELETE,
			request->id, sizeof(request->id)))
		return "\"id\" must be the 32 digits that the list tells, and"
		       " is for restore and delete";
	if (!get_digits(line, "options.sha256", what == REQUEST_REVOKE,
			request->sha256, sizeof(request->sha256)))
		return "\"sha256\" must be 64 hexadecimal digits, and is for"
		       " revoke";
	int r = get_option(line, "options.to", &to);
	if (r == -EINVAL ||
	    (r == 0 && (what != REQUEST_RESTORE || to[0] != '/')) ||
	    str_copy(request->to, sizeof(request->to), to) < 0)
		return "\"to\" must be an absolute path, and is for restore";
	return NULL;
}

int
request_read_quarantine(const char *text, size_t len,
			struct request_quarantine *ret_request, char *ret_why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;

	*ret_request = (struct request_quarantine){ 0 };
	int r = read_object(text, len, "the request", &doc, ret_why);
	if (r < 0)
		return r;
	const char *wrong = check_quarantine(doc_root(doc), ret_request);
	if (!wrong)
		return 0;
	(void)snprintf(ret_why, REQUEST_WHY_SIZE, "quarantine: %s", wrong);
	return -EINVAL;
}

int
request_read_update(const char *text, size_t len, enum request_update *ret_what,
		    char *ret_why)
{
	static const char *const verbs[] = {
		[REQUEST_UPDATE_STATUS] = "status",
		[REQUEST_UPDATE_CHECK] = "check",
		[REQUEST_UPDATE_NOW] = "now",
		[REQUEST_UPDATE_IMPORT] = "import",
	};
	CLEANUP(doc_freep) struct doc *doc = NULL;
	const char *word = "";

	int r = read_object(text, len, "the request", &doc, ret_why);
	if (r < 0)
		return r;
	(void)get_option(doc_root(doc), "options.do", &word);
	for (size_t i = REQUEST_UPDATE_STATUS; i <= REQUEST_UPDATE_IMPORT; i++)
		if (str_equal(verbs[i], word)) {
			*ret_what = i;
			return 0;
		}
	(void)snprintf(ret_why, REQUEST_WHY_SIZE,
		       "update: \"do\" must be status, check, now or import");
	return -EINVAL;
}

/* Returns NULL, or what is wrong with them. */
static const char *
check_guard(const struct doc_value *line, struct request_guard *guard)
{
	static const char *const verbs[] = {
		[REQUEST_GUARD_TELL] = "status",
		[REQUEST_GUARD_OFF] = "off",
		[REQUEST_GUARD_ON] = "on",
	};
	int64_t for_s = MSG_GUARD_FOR_S;
	const char *word = "";

	(void)get_option(line, "options.do", &word);
	for (size_t i = REQUEST_GUARD_TELL; i <= REQUEST_GUARD_ON; i++)
		if (str_equal(verbs[i], word))
			guard->what = i;
	if (!guard->what)
		return "guard: \"do\" must be status, off or on";
	bool off = guard->what == REQUEST_GUARD_OFF;
	bool given = doc_get(line, "options.for_s") != NULL;
	if (given && (!off || doc_number(line, "options.for_s", &for_s) < 0 ||
		      for_s < 1 || for_s > MSG_GUARD_FOR_MAX_S))
		return "guard: \"for_s\" must be 1 to 3600 seconds, and is for"
		       " off";
	guard->for_s = off ? (uint32_t)for_s : 0;
	return NULL;
}

int
request_read_guard(const char *text, size_t len, const struct request *request,
		   struct request_guard *ret_guard, char *ret_why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	const char *wrong = NULL;

	*ret_guard = (struct request_guard){ 0 };
	int r = read_object(text, len, "the request", &doc, ret_why);
	if (r < 0)
		return r;
	const struct doc_value *line = doc_root(doc);
	if (request->command == REQUEST_STOP) {
		ret_guard->what = REQUEST_GUARD_STOP;
		ret_guard->service = doc_true(line, "options.service");
		ret_guard->shutdown = doc_true(line, "options.shutdown");
	} else {
		wrong = check_guard(line, ret_guard);
	}
	if (!wrong)
		return 0;
	(void)snprintf(ret_why, REQUEST_WHY_SIZE, "%s", wrong);
	return -EINVAL;
}

int
request_read_scan(const char *text, size_t len, int64_t *ret_tag,
		  char **ret_path, char *ret_why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	int64_t tag;

	int r = read_object(text, len, "a line of the scan", &doc, ret_why);
	if (r < 0)
		return r;
	const char *path = doc_text(doc_root(doc), "path");
	if (doc_number(doc_root(doc), "tag", &tag) < 0 || !path ||
	    strlen(path) > REQUEST_PATH_MAX) {
		(void)snprintf(ret_why, REQUEST_WHY_SIZE,
			       "a line of the scan needs \"tag\", a number,"
			       " and \"path\", a text of at most %d bytes",
			       REQUEST_PATH_MAX);
		return -EINVAL;
	}
	char *copy = strdup(path);
	if (!copy) {
		(void)snprintf(ret_why, REQUEST_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	*ret_tag = tag;
	*ret_path = copy;
	return 0;
}
