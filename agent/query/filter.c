/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "agent/query/record.h"
#include "agent/query/remote.h"
#include "agent/query/request.h"
#include "agent/query/store.h"
#include "agent/query/types.h"

#define COLUMNS_MAX 3
/* One for each option, and two more for each spelling of a path. */
#define PARAMS_MAX 16
#define TEXTS_MAX 4

struct filter {
	char sql[FILTER_SQL_MAX];
	size_t sql_len;
	struct store_cell params[PARAMS_MAX + FILTER_ROOM];
	size_t len;
	char *texts[TEXTS_MAX]; /* owned; params borrow from them */
	size_t texts_len;
};

static const struct {
	enum event_family types; /* EVENT_OF_NONE: are no events */
	const char *time, *oldest, *newest;
	const char *paths[COLUMNS_MAX];
} families[RECORD_FAMILIES] = {
	[RECORD_PROCESS] = { EVENT_OF_PROCESS,
			     "t.time_ns",
			     "t.time_ns",
			     "t.time_ns",
			     { "t.executable", "t.invoked", "t.script" } },
	[RECORD_FILE] = { EVENT_OF_FILE,
			  "t.time_ns",
			  "t.time_ns",
			  "t.time_ns",
			  { "t.path", "t.target" } },
	[RECORD_NETWORK] = { EVENT_OF_NETWORK,
			     "t.time_ns",
			     "t.time_ns",
			     "t.time_ns",
			     { NULL } },
	[RECORD_PRIVILEGE] = { EVENT_OF_PRIVILEGE,
			       "t.time_ns",
			       "t.time_ns",
			       "t.time_ns",
			       { "t.path" } },
	[RECORD_AGENT] = { EVENT_OF_AGENT,
			   "t.time_ns",
			   "t.time_ns",
			   "t.time_ns",
			   { NULL } },
	/* A detection that was folded counts from its first to its last. */
	[RECORD_DETECTION] = { EVENT_OF_NONE,
			       "t.last_ns",
			       "t.first_ns",
			       "t.last_ns",
			       { "t.path" } },
};

const char *
filter_time_column(unsigned int family)
{
	return families[family].time;
}

/* The condition always fits: see FILTER_SQL_MAX and the callers. */
__attribute__((format(printf, 2, 3))) static void
append(struct filter *filter, const char *format, ...)
{
	size_t left = sizeof(filter->sql) - filter->sql_len;
	va_list args;

	va_start(args, format);
	int len = vsnprintf(filter->sql + filter->sql_len, left, format, args);
	va_end(args);
	if (len > 0 && (size_t)len < left)
		filter->sql_len += (size_t)len;
}

static int
add_param(struct filter *filter, struct store_cell cell)
{
	filter->params[filter->len++] = cell;
	return (int)filter->len;
}

static int
param_number(struct filter *filter, int64_t number)
{
	return add_param(filter, STORE_NUMBER_CELL(number));
}

static int
param_text(struct filter *filter, const char *text)
{
	return add_param(filter, STORE_TEXT_CELL(text));
}

/* The types that were asked for; false when none is of this family. */
static bool
add_types(struct filter *filter, unsigned int family, const struct types *types)
{
	const char *before = " AND t.type IN (";
	bool any = false;

	if (types_is_empty(types))
		return true;
	for (uint16_t type = 1; type < EVENT_TYPES; type++) {
		if (!types_has(types, type) ||
		    event_family(type) != families[family].types)
			continue;
		append(filter, "%s'%s'", before, event_type_name(type));
		before = ",";
		any = true;
	}
	append(filter, ")");
	return any;
}

/* The other end: false when rows of this family have none. */
static bool
add_remote(struct filter *filter, unsigned int family,
	   const struct remote *remote)
{
	if (family != RECORD_NETWORK)
		return false;
	if (remote->address[0]) {
		append(filter, " AND t.remote = ?%d",
		       param_text(filter, remote->address));
	} else if (remote->first[0]) {
		append(filter, " AND t.remote_key BETWEEN ?%d",
		       param_text(filter, remote->first));
		append(filter, " AND ?%d", param_text(filter, remote->last));
	}
	if (remote->port)
		append(filter, " AND t.remote_port = ?%d",
		       param_number(filter, remote->port));
	return true;
}

/* A copy of text that lives as long as the filter; NULL: no memory. */
static char *
keep(struct filter *filter, const char *text)
{
	char *copy = strdup(text);

	if (copy)
		filter->texts[filter->texts_len++] = copy;
	return copy;
}

/* Replaces each "\xNN" by its byte, but for NUL. */
static void
unescape(char *text)
{
	char *dst = text;

	while (*text) {
		char digits[3] = { 0 };
		if (text[0] == '\\' && text[1] == 'x' &&
		    isxdigit((unsigned char)text[2]) &&
		    isxdigit((unsigned char)text[3]))
			memcpy(digits, text + 2, 2);
		unsigned long byte = strtoul(digits, NULL, 16);
		*dst++ = byte ? (char)byte : *text;
		text += byte ? 4 : 1;
	}
	*dst = '\0';
}

/* One spelling of a path, in the family's columns. */
static int
add_path(struct filter *filter, const char *const *columns, const char *path)
{
	size_t len = strlen(path);
	bool pattern = strpbrk(path, "*?") != NULL;
	int number = param_text(filter, path);
	int after = 0;

	if (!len)
		return 0;
	if (!pattern && path[len - 1] == '/') {
		/* Compared as bytes: '0' is what follows '/'. */
		char *text = keep(filter, path);
		if (!text)
			return -ENOMEM;
		text[len - 1] = '0';
		after = param_text(filter, text);
	}
	for (size_t i = 0; i < COLUMNS_MAX && columns[i]; i++) {
		append(filter, " OR %s = ?%d", columns[i], number);
		if (pattern)
			append(filter, " OR %s GLOB ?%d", columns[i], number);
		if (after)
			append(filter, " OR (%s > ?%d AND %s < ?%d)",
			       columns[i], number, columns[i], after);
	}
	return 0;
}

static int
add_paths(struct filter *filter, unsigned int family, const char *path)
{
	const char *const *columns = families[family].paths;

	if (!columns[0])
		return 0;
	append(filter, " AND (0");
	int r = add_path(filter, columns, path);
	if (r == 0 && strstr(path, "\\x")) {
		char *bytes = keep(filter, path);
		if (!bytes)
			return -ENOMEM;
		unescape(bytes);
		r = add_path(filter, columns, bytes);
	}
	append(filter, ")");
	return r < 0 ? r : 1;
}

static void
add_rule(struct filter *filter, const char *rule)
{
	int number = param_text(filter, rule);

	append(filter, " AND (t.rule = ?%d OR t.rule_id = ?%d", number, number);
	if (strpbrk(rule, "*?"))
		append(filter, " OR t.rule GLOB ?%d", number);
	append(filter, ")");
}

static int
make(struct filter *filter, unsigned int family, const struct request *request)
{
	append(filter, "1");
	if (request->since_ns)
		append(filter, " AND %s >= ?%d", families[family].newest,
		       param_number(filter, request->since_ns));
	if (request->until_ns)
		append(filter, " AND %s <= ?%d", families[family].oldest,
		       param_number(filter, request->until_ns));
	if (request->pid >= 0)
		append(filter, " AND t.pid = ?%d",
		       param_number(filter, request->pid));
	if (request->min_severity)
		append(filter, " AND t.severity >= ?%d",
		       param_number(filter, request->min_severity));
	if (request->rule)
		add_rule(filter, request->rule);
	if (!add_types(filter, family, &request->types))
		return 0;
	if (request->by_remote && !add_remote(filter, family, &request->remote))
		return 0;
	return request->path ? add_paths(filter, family, request->path) : 1;
}

int
filter_new(unsigned int family, const struct request *request,
	   struct filter **ret_filter)
{
	CLEANUP(filter_freep)
	struct filter *filter = calloc(1, sizeof(*filter));

	*ret_filter = NULL;
	if (!filter)
		return -ENOMEM;
	int r = make(filter, family, request);
	if (r >= 0)
		*ret_filter = TAKE(filter);
	return r;
}

void
filter_free(struct filter *filter)
{
	if (!filter)
		return;
	while (filter->texts_len)
		free(filter->texts[--filter->texts_len]);
	free(filter);
}

void
filter_freep(struct filter **filter)
{
	filter_free(*filter);
	*filter = NULL;
}

const char *
filter_sql(const struct filter *filter)
{
	return filter->sql;
}

struct store_cell *
filter_params(struct filter *filter, size_t *ret_len)
{
	*ret_len = filter->len;
	return filter->params;
}
