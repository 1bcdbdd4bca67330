/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/str.h"
#include "agent/scan/include.h"
#include "agent/scan/rules.h"

/* libyara's words for an include directive that source_include() refuses. */
#define MISSING "callback failed to provide include resource: "

struct source {
	const struct rules *rules;
	struct rules_file *file;
	char *error;
	/* By depth, as paths under the file's folder. */
	char paths[SOURCE_DEPTH_MAX][RULES_PATH_MAX];
};

static bool
is_text(const struct rules_file *file)
{
	return !memchr(file->text, '\0', file->len);
}

struct source *
source_new(const struct rules *rules)
{
	struct source *source = calloc(1, sizeof(*source));

	if (source)
		source->rules = rules;
	return source;
}

void
source_free(struct source *source)
{
	if (!source)
		return;
	free(source->error);
	free(source);
}

void
source_freep(struct source **source)
{
	source_free(*source);
}

void
source_begin(struct source *source, struct rules_file *file)
{
	free(source->error);
	source->error = NULL;
	source->file = file;
	(void)str_copy(source->paths[0], RULES_PATH_MAX, file->path);
}

struct rules_file *
source_file(const struct source *source)
{
	return source->file;
}

void
source_end(struct source *source)
{
	source->file = NULL;
}

const char *
source_include(struct source *source, int depth, const char *name)
{
	if (depth < 1)
		return NULL;
	if (depth >= SOURCE_DEPTH_MAX)
		return "";
	char *path = source->paths[depth];
	if (include_path(path, RULES_PATH_MAX, source->paths[depth - 1], name,
			 strlen(name)) < 0)
		return NULL;
	const struct rules_file *file =
		rules_find(source->rules, source->file->folder, path);
	return file && is_text(file) ? file->text : NULL;
}

/* The line that byte number `len` is in. */
static int
line_of(const struct rules_file *file, size_t len)
{
	int line = 1;

	for (size_t i = 0; i < len; i++)
		line += file->text[i] == '\n';
	return line;
}

/* At the end of a file libyara no longer knows where it was. */
static int
last_line(const struct rules_file *file)
{
	return line_of(file, file->len > 0 ? file->len - 1 : 0);
}

void
source_complain(struct source *source, int depth, int line, const char *rule,
		const char *message)
{
	const struct rules_file *file = source->file;
	const char *path = file->path;
	bool missing = str_starts(message, MISSING);

	if (source->error)
		return;
	if (depth > 1 && depth <= SOURCE_DEPTH_MAX) {
		path = source->paths[depth - 1];
		file = rules_find(source->rules, file->folder, path);
	}
	if (line < 1 && file)
		line = last_line(file);
	if (asprintf(&source->error, "%s%s:%d: %s%s%s%s%s",
		     source->rules->prefixes[source->file->folder], path, line,
		     rule ? "rule " : "", rule ? rule : "", rule ? ": " : "",
		     missing ? "not among the rule files: " : "",
		     missing ? message + sizeof(MISSING) - 1 : message) < 0)
		source->error = NULL;
}

bool
source_is_text(struct source *source)
{
	const struct rules_file *file = source->file;

	if (is_text(file))
		return true;
	source_complain(source, 1, line_of(file, strlen(file->text)), NULL,
			"a byte that is NUL");
	return false;
}

int
source_refuse(struct source *source)
{
	const char *error = source->error;

	return rules_refuse(source->file, error ? error : "does not compile");
}

#ifdef KHIEN_SAN
/*
 * libyara loses the text of an included file that does not compile: a few
 * bytes once, at start.  LeakSanitizer asks for this function by name.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libyara.so\n";
}
#endif
