/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is parsed and written is parsed again and written the same; what is
 * built of any bytes can be parsed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The caller's; NULL: refused, and then it says why. */
static struct doc *
parse(const char *text, size_t len)
{
	struct doc *doc = NULL;
	char why[160] = "";

	int r = doc_parse(text, len, &doc, why, sizeof(why));
	if ((r < 0) != !doc || (r < 0) != !!why[0])
		abort();
	return doc;
}

/* Reads everything, also by the wrong type. */
static int
look(void *arg, const char *name, const struct doc_value *value)
{
	CLEANUP_FREE char *line = doc_line(value);
	size_t *seen = arg;

	if (!line || (doc_text(value, NULL) && doc_is_list(value, NULL)))
		abort();
	if (name)
		(void)doc_number_or(value, name, 0);
	for (size_t i = 0; i < doc_len(value, NULL); i++)
		if (!doc_item(value, NULL, i))
			abort();
	++*seen;
	return doc_each(value, NULL, look, arg);
}

static void
check_stable(const struct doc *doc)
{
	CLEANUP_FREE char *once = doc_write(doc);

	if (!once || strpbrk(once, "\n\r"))
		abort();
	CLEANUP(doc_freep) struct doc *again = parse(once, strlen(once));
	CLEANUP_FREE char *twice = doc_write(again);
	if (!twice || strcmp(once, twice) != 0)
		abort();
}

/* Each pair of lines is a path and a text to set there. */
static void
build(const uint8_t *bytes, size_t size)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	CLEANUP_FREE char *copy = strndup((const char *)bytes, size);
	char *rest = copy;
	unsigned int way = 0;

	if (!copy)
		abort();
	for (;;) {
		const char *path = strsep(&rest, "\n");
		const char *text = rest ? strsep(&rest, "\n") : NULL;
		if (!text)
			break;
		if (way++ % 4 == 0)
			doc_add_text(doc, path, text);
		else if (way % 4 == 1)
			(void)doc_set_json(doc, path, text, strlen(text));
		else
			doc_set_text(doc, path, text);
	}
	doc_set_bytes(doc, "bytes", (const char *)bytes, size);
	doc_set(doc, "args", doc_from_args(bytes, size));
	doc_set(doc, "words", doc_from_words(copy));
	check_stable(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP(doc_freep)
	struct doc *doc = parse((const char *)bytes, size);
	size_t seen = 0;

	if (doc) {
		CLEANUP(doc_freep) struct doc *copy = doc_copy(doc_root(doc));
		check_stable(doc);
		check_stable(copy);
		(void)look(&seen, NULL, doc_root(doc));
	}
	if (size)
		build(bytes, size);
	return 0;
}
