/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/cli/args.h"
#include "agent/lib/doc.h"
#include "agent/lib/str.h"

static const struct word {
	enum args_command command;
	const char *word;
	const char *key;    /* of its operand; NULL: it is our own affair */
	const char *name;   /* of its operand, for people; NULL: takes none */
	const char *option; /* that it alone takes: its key; NULL: none */
} words[] = {
	{ ARGS_QUARANTINE, "list", NULL, NULL, NULL },
	{ ARGS_QUARANTINE, "restore", "id", "ID", "to" },
	{ ARGS_QUARANTINE, "delete", "id", "ID", NULL },
	{ ARGS_QUARANTINE, "allowed", NULL, NULL, NULL },
	{ ARGS_QUARANTINE, "revoke", "sha256", "SHA256", NULL },
	{ ARGS_UPDATE, "status", NULL, NULL, NULL },
	{ ARGS_UPDATE, "check", NULL, NULL, NULL },
	{ ARGS_UPDATE, "now", NULL, NULL, NULL },
	{ ARGS_UPDATE, "import", NULL, "FILE", NULL },
	{ ARGS_GUARD, "status", NULL, NULL, NULL },
	{ ARGS_GUARD, "off", NULL, NULL, "for_s" },
	{ ARGS_GUARD, "on", NULL, NULL, NULL },
};

/* Options that only some of the words take. */
static const struct {
	const char *key, *name;
} special[] = {
	{ "to", "to" },
	{ "for_s", "for" },
};

static const struct word *
find_word(const struct args *args, const char *what)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].command == args->command &&
		    str_equal(what, words[i].word))
			return &words[i];
	return NULL;
}

__attribute__((format(printf, 3, 4))) static int
refuse(char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, size, format, args);
	va_end(args);
	return -EINVAL;
}

int
words_set(struct args *args, const char *operand, char *why, size_t why_size)
{
	const char *name = args_name(args->command);
	/* Only where it need not be written. */
	const char *what = args->operands_len ? args->operands[0] : "status";
	const struct word *word = find_word(args, what);

	if (!word)
		return refuse(why, why_size, "%s: %s is none of%s", name, what,
			      operand);
	if (!word->name && args->operands_len > 1)
		return refuse(why, why_size, "%s %s takes no more arguments",
			      name, what);
	if (word->name && args->operands_len == 1)
		return refuse(why, why_size, "%s %s needs %s", name, what,
			      word->name);
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (doc_get(doc_root(args->options), special[i].key) &&
		    (!word->option || !str_equal(word->option, special[i].key)))
			return refuse(why, why_size,
				      "%s %s takes no option --%s", name, what,
				      special[i].name);
	doc_set_text(args->options, "do", what);
	if (word->key)
		doc_set_text(args->options, word->key, args->operands[1]);
	return 0;
}
