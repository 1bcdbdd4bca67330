/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The canonical form of a document is one: it can be read again, and its own
 * canonical form is itself.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/tuf/canonical.h"
#include "updater/tuf/pattern.h"
#include "updater/tuf/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The caller's; NULL: refused. */
static uint8_t *
canonical(const void *bytes, size_t size, size_t *ret_len)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	struct reason why = { "" };
	char said[200];
	uint8_t *form = NULL;

	if (doc_parse(bytes, size, &doc, said, sizeof(said)) < 0)
		return NULL;
	int r = canonical_write(doc_root(doc), &form, ret_len, &why);
	if ((r < 0) != !form || (r < 0) != !!why.text[0])
		abort();
	return form;
}

/* A line and another: whatever they are, it ends. */
static void
match(const uint8_t *bytes, size_t size)
{
	CLEANUP_FREE char *text = strndup((const char *)bytes, size);
	char *rest = text;

	if (!text)
		abort();
	const char *pattern = strsep(&rest, "\n");
	if (rest)
		(void)pattern_matches(pattern, rest);
	if (!strpbrk(pattern, "*?[") && !pattern_matches(pattern, pattern))
		abort();
}

/*
 * Control characters stand in the canonical form as they are, which no JSON
 * reader takes: only forms without them are read again.
 */
static int
has_control(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < ' ')
			return 1;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t len = 0, again_len = 0;
	CLEANUP_FREE uint8_t *form = canonical(bytes, size, &len);

	match(bytes, size);
	if (!form || has_control(form, len))
		return 0;
	CLEANUP_FREE uint8_t *again = canonical(form, len, &again_len);
	if (!again || again_len != len || memcmp(form, again, len) != 0)
		abort();
	return 0;
}
