/* SPDX-License-Identifier: GPL-2.0-or-later; all that knows libyara */
#include "agent/scan/yara.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yara.h>

#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/scan/meta.h"
#include "agent/scan/rules.h"
#include "agent/scan/source.h"

/* Files that compile alone but not together are dropped one a round. */
#define ROUNDS_MAX 8
/* "FOLDER/PATH" */
#define NAMESPACE_MAX (RULES_PATH_MAX + 48) /* its folder before it */

struct yara {
	YR_RULES *rules;
	YR_SCANNER *scanner;
	struct msg_match *matches; /* one for each rule, in libyara's order */
	char **texts;		   /* one for each rule: what matches[] needs */
	struct msg_about *abouts;  /* the same; NULL: nobody asked */
	size_t len;
	uint32_t *found; /* of the scan under way; borrowed */
	size_t found_len;
	char error[256];
};

/* A compilation under way. */
struct build {
	struct rules *rules;
	struct source *source; /* the file that is being compiled */
	YR_COMPILER *compiler;
};

_Static_assert(SOURCE_DEPTH_MAX == YR_MAX_INCLUDE_DEPTH + 1,
	       "as many files within files as libyara reads");

static void
destroy_compiler(YR_COMPILER **compiler)
{
	if (*compiler)
		yr_compiler_destroy(*compiler);
	*compiler = NULL;
}

static void
close_streamp(FILE **stream)
{
	if (*stream)
		(void)fclose(*stream);
	*stream = NULL;
}

static int
to_errno(int error)
{
	switch (error) {
	case ERROR_SUCCESS:
		return 0;
	case ERROR_INSUFFICIENT_MEMORY:
		return -ENOMEM;
	case ERROR_SCAN_TIMEOUT:
		return -ETIMEDOUT;
	default:
		return -EINVAL;
	}
}

const char *
yara_version(void)
{
	return YR_VERSION;
}

/* libyara counts only the files that are included. */
static int
depth_of(const struct build *build)
{
	return build->compiler->file_name_stack_ptr + 1;
}

/* `from` is as it was written, which does not say where it lies. */
static const char *
on_include(const char *name, const char *from, const char *namespace, void *arg)
{
	struct build *build = arg;

	(void)from;
	(void)namespace;
	return source_include(build->source, depth_of(build), name);
}

static void
on_message(int level, const char *file, int line, const YR_RULE *rule,
	   const char *message, void *arg)
{
	struct build *build = arg;

	(void)file;
	if (level == YARA_ERROR_LEVEL_ERROR)
		source_complain(build->source, depth_of(build), line,
				rule ? rule->identifier : NULL, message);
}

/* Nothing more may be added to a compiler after it returned -EINVAL. */
static int
add_file(struct build *build, struct rules_file *file)
{
	char namespace[NAMESPACE_MAX];

	source_begin(build->source, file);
	(void)snprintf(namespace, sizeof(namespace), "%u/%s%s", file->folder,
		       rules_name(build->rules, file->folder), file->path);
	if (source_is_text(build->source) &&
	    yr_compiler_add_string(build->compiler, file->text, namespace) == 0)
		return 0;
	return -EINVAL;
}

static int
begin_compiler(struct build *build)
{
	int r = to_errno(yr_compiler_create(&build->compiler));

	if (r < 0)
		return r;
	yr_compiler_set_callback(build->compiler, on_message, build);
	yr_compiler_set_include_callback(build->compiler, on_include, NULL,
					 build);
	return 0;
}

/* -EINVAL: the source file does not compile; without one, all of them. */
static int
compile_together(struct build *build, YR_RULES **ret_rules)
{
	int r = begin_compiler(build);

	for (size_t i = 0; r == 0 && i < build->rules->len; i++)
		if (rules_is_wanted(&build->rules->files[i]))
			r = add_file(build, &build->rules->files[i]);
	if (r == 0) {
		source_end(build->source);
		r = to_errno(yr_compiler_get_rules(build->compiler, ret_rules));
	}
	destroy_compiler(&build->compiler);
	return r;
}

static int
compile_each(struct build *build)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < build->rules->len; i++) {
		struct rules_file *file = &build->rules->files[i];
		if (!rules_is_wanted(file))
			continue;
		r = begin_compiler(build);
		if (r < 0)
			return r;
		r = add_file(build, file);
		if (r == -EINVAL)
			r = source_refuse(build->source);
		destroy_compiler(&build->compiler);
	}
	return r;
}

/*
 * All files at once when they compile, which is usual.  A compiler is of no
 * use after an error: so each file is then tried alone, and what is left once
 * more together.
 */
static int
compile(struct build *build, YR_RULES **ret_rules)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		int r = compile_together(build, ret_rules);
		if (r != -EINVAL || !source_file(build->source))
			return r;
		r = source_refuse(build->source);
		if (r == 0 && round == 0)
			r = compile_each(build);
		if (r < 0)
			return r;
	}
	return -EINVAL;
}

static int
read_rule(const YR_RULE *rule, struct msg_match *match, struct msg_about *about,
	  char **ret_text)
{
	const YR_META *entry;
	struct meta meta;

	meta_init(&meta);
	yr_rule_metas_foreach(rule, entry) if (entry->type == META_TYPE_STRING)
		meta_add(&meta, entry->identifier, entry->string);
	/* The number of the folder stands before it, see add_file(). */
	*match = (struct msg_match){
		.rule = rule->identifier,
		.ruleset = strchr(rule->ns->name, '/') + 1,
	};
	*ret_text = meta_copy(&meta, match, about);
	return *ret_text ? 0 : -ENOMEM;
}

static int
read_rules(struct yara *yara, bool about)
{
	const YR_RULE *rule;
	size_t len = 0;

	yr_rules_foreach(yara->rules, rule) len++;
	yara->matches = calloc(len + 1, sizeof(*yara->matches));
	yara->texts = calloc(len + 1, sizeof(*yara->texts));
	if (about)
		yara->abouts = calloc(len + 1, sizeof(*yara->abouts));
	if (!yara->matches || !yara->texts || (about && !yara->abouts))
		return -ENOMEM;
	yr_rules_foreach(yara->rules, rule)
	{
		size_t i = yara->len++;
		int r = read_rule(rule, &yara->matches[i],
				  about ? &yara->abouts[i] : NULL,
				  &yara->texts[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * libyara compiles into buffers of a mebibyte and more each.  What it writes
 * out and reads back takes as much as the rules need.
 */
static int
compact(YR_RULES **rules)
{
	CLEANUP(close_streamp) FILE *file = NULL;
	char *bytes CLEANUP_FREE = NULL;
	YR_STREAM stream = { 0 };
	size_t size;

	file = open_memstream(&bytes, &size);
	if (!file)
		return -ENOMEM;
	stream.user_data = file;
	stream.write = (YR_STREAM_WRITE_FUNC)fwrite;
	int r = to_errno(yr_rules_save_stream(*rules, &stream));
	if (r < 0 || fflush(file) == EOF)
		return r < 0 ? r : -ENOMEM;
	(void)yr_rules_destroy(*rules);
	*rules = NULL;
	close_streamp(&file);
	file = fmemopen(bytes, size, "r");
	if (!file)
		return -ENOMEM;
	stream.user_data = file;
	stream.read = (YR_STREAM_READ_FUNC)fread;
	return to_errno(yr_rules_load_stream(&stream, rules));
}

/* libyara's own marks are set aside: see content.h for who catches SIGBUS. */
static int
begin_scanner(struct yara *yara)
{
	int r = to_errno(yr_scanner_create(yara->rules, &yara->scanner));

	if (r < 0)
		return r;
	yr_scanner_set_flags(yara->scanner, SCAN_FLAGS_REPORT_RULES_MATCHING |
						    SCAN_FLAGS_NO_TRYCATCH);
	return 0;
}

int
yara_new(struct rules *rules, struct yara **ret_yara)
{
	CLEANUP(yara_freep) struct yara *yara = calloc(1, sizeof(*yara));
	CLEANUP(source_freep) struct source *source = source_new(rules);
	struct build build = { .rules = rules, .source = source };

	if (!yara || !source)
		return -ENOMEM;
	int r = compile(&build, &yara->rules);
	if (r == 0)
		r = compact(&yara->rules);
	if (r == 0)
		r = read_rules(yara, rules->about);
	if (r == 0)
		r = begin_scanner(yara);
	if (r != 0)
		return r;
	*ret_yara = TAKE(yara);
	return 0;
}

void
yara_free(struct yara *yara)
{
	if (!yara)
		return;
	if (yara->scanner)
		yr_scanner_destroy(yara->scanner);
	if (yara->rules)
		(void)yr_rules_destroy(yara->rules);
	for (size_t i = 0; i < yara->len; i++)
		free(yara->texts[i]);
	free(yara->matches);
	free(yara->abouts);
	free(yara->texts);
	free(yara);
}

void
yara_freep(struct yara **yara)
{
	yara_free(*yara);
}

size_t
yara_rules_len(const struct yara *yara)
{
	return yara->len;
}

const struct msg_match *
yara_rule(const struct yara *yara, size_t i)
{
	return &yara->matches[i];
}

const struct msg_about *
yara_about(const struct yara *yara, size_t i)
{
	return yara->abouts ? &yara->abouts[i] : NULL;
}

/* Where libyara is in the blocks of one file. */
struct cursor {
	const struct yara_block *blocks;
	size_t len, at;
	uint64_t file_size;
	YR_MEMORY_BLOCK block;
};

static const uint8_t *
fetch(YR_MEMORY_BLOCK *block)
{
	return block->context;
}

static YR_MEMORY_BLOCK *
next_block(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
	struct cursor *cursor = iterator->context;

	if (cursor->at == cursor->len)
		return NULL;
	const struct yara_block *block = &cursor->blocks[cursor->at++];
	cursor->block = (YR_MEMORY_BLOCK){
		.size = block->size,
		.base = block->at,
		.context = (void *)(uintptr_t)block->bytes,
		.fetch_data = fetch,
	};
	return &cursor->block;
}

static YR_MEMORY_BLOCK *
first_block(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
	struct cursor *cursor = iterator->context;

	cursor->at = 0;
	return next_block(iterator);
}

static uint64_t
get_file_size(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
	const struct cursor *cursor = iterator->context;

	return cursor->file_size;
}

/* A string with too many matches is only no longer looked for: as yara(1). */
static int
on_scan(YR_SCAN_CONTEXT *context, int message, void *what, void *arg)
{
	struct yara *yara = arg;

	if (message == CALLBACK_MSG_RULE_MATCHING) {
		const YR_RULE *rule = what;
		yara->found[yara->found_len++] =
			(uint32_t)(rule - context->rules->rules_table);
	}
	return CALLBACK_CONTINUE;
}

static const char *
in_words(int error)
{
	switch (error) {
	case ERROR_INSUFFICIENT_MEMORY:
		return "not enough memory";
	case ERROR_EXEC_STACK_OVERFLOW:
		return "condition needs too deep a stack";
	case ERROR_TOO_MANY_RE_FIBERS:
		return "regular expression needs too many states";
	default:
		return "libyara gave up";
	}
}

static void
note_error(struct yara *yara, int error)
{
	const YR_RULE *rule = yr_scanner_last_error_rule(yara->scanner);

	(void)snprintf(yara->error, sizeof(yara->error),
		       "%s (libyara error %d)%s%s", in_words(error), error,
		       rule ? " in rule " : "", rule ? rule->identifier : "");
}

int
yara_scan(struct yara *yara, const struct yara_block *blocks, size_t len,
	  uint64_t file_size, uint64_t timeout_ns, uint32_t *matches,
	  size_t *ret_len)
{
	YR_SCANNER *scanner = yara->scanner;
	struct cursor cursor = { .blocks = blocks,
				 .len = len,
				 .file_size = file_size };
	YR_MEMORY_BLOCK_ITERATOR iterator = { .context = &cursor,
					      .first = first_block,
					      .next = next_block,
					      .file_size = get_file_size };

	/* Kept from the file before, if nobody forgets them. */
	scanner->entry_point = YR_UNDEFINED;
	scanner->last_error_string = NULL;
	/* yr_scanner_set_timeout() knows only whole seconds. */
	scanner->timeout = timeout_ns;
	yr_scanner_set_callback(scanner, on_scan, yara);
	yara->found = matches;
	yara->found_len = 0;
	int error = yr_scanner_scan_mem_blocks(scanner, &iterator);
	if (error != ERROR_SUCCESS) {
		note_error(yara, error);
		return to_errno(error);
	}
	*ret_len = yara->found_len;
	return 0;
}

const char *
yara_error(const struct yara *yara)
{
	return yara->error;
}

/*
 * libmagic's data is opened by the first rule that asks for it.  Where libyara
 * was built without, the rules will say so.
 */
static void
open_magic(void)
{
	char text[] = "import \"magic\" "
		      "rule open { condition: magic.type() == \"\" }";
	char empty[] = "";
	struct rules_file file = { .path = empty,
				   .text = text,
				   .len = sizeof(text) - 1,
				   .listed = true };
	struct rules rules = { .files = &file,
			       .len = 1,
			       .prefixes = { empty } };
	struct yara_block block = { .bytes = (uint8_t *)text, .size = 1 };
	CLEANUP(yara_freep) struct yara *yara = NULL;
	uint32_t match;
	size_t len;

	if (yara_new(&rules, &yara) == 0)
		(void)yara_scan(yara, &block, 1, 1, 0, &match, &len);
	free(file.error);
}

int
yara_init(bool magic)
{
	int r = to_errno(yr_initialize());

	/* What matched is not kept: only where, and how long it is. */
	if (r == 0)
		r = to_errno(yr_set_configuration_uint32(
			YR_CONFIG_MAX_MATCH_DATA, 0));
	if (r == 0 && magic)
		open_magic();
	return r;
}
