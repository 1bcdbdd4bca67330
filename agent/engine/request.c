/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
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
	return 0;
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
