/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/paper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/date.h"
#include "updater/tuf/reason.h"

void
paper_free(struct paper *paper)
{
	if (!paper)
		return;
	metadata_free(paper->metadata);
	free(paper->bytes);
	free(paper);
}

void
paper_freep(struct paper **paper)
{
	paper_free(*paper);
	*paper = NULL;
}

/* Takes bytes. */
static int
hold(struct paper *paper, uint8_t *bytes, size_t len, struct reason *why)
{
	struct metadata *metadata;

	int r = metadata_parse(bytes, len, duty_type(paper->id), &metadata,
			       why);
	if (r < 0) {
		free(bytes);
		return r;
	}
	metadata_free(paper->metadata);
	free(paper->bytes);
	paper->metadata = metadata;
	paper->bytes = bytes;
	paper->len = len;
	return 0;
}

int
paper_parse(enum duty_id id, const void *bytes, size_t len,
	    struct paper **ret_paper, struct reason *why)
{
	CLEANUP(paper_freep) struct paper *paper = calloc(1, sizeof(*paper));
	uint8_t *copy = malloc(len + 1);

	if (!paper || !copy) {
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, bytes, len);
	paper->id = id;
	int r = hold(paper, copy, len, why);
	if (r == 0)
		*ret_paper = TAKE(paper);
	return r;
}

/* Takes both.  The text ends with a line's end, for people who look at it. */
static int
write(struct paper *paper, struct doc *body, struct doc *sigs,
      struct reason *why)
{
	CLEANUP(doc_freep) struct doc *whole = doc_new();

	doc_set(whole, "signatures", sigs);
	doc_set(whole, "signed", body);
	CLEANUP_FREE char *text = doc_write(whole);
	size_t len = text ? strlen(text) : 0;
	char *line = text ? realloc(text, len + 2) : NULL;
	if (!line)
		return -ENOMEM;
	(void)TAKE(text);
	line[len++] = '\n';
	return hold(paper, (uint8_t *)line, len, why);
}

int
paper_new(enum duty_id id, struct doc *body, struct paper **ret_paper,
	  struct reason *why)
{
	CLEANUP(paper_freep) struct paper *paper = calloc(1, sizeof(*paper));

	if (!paper) {
		doc_free(body);
		return -ENOMEM;
	}
	paper->id = id;
	int r = write(paper, body, doc_new_list(), why);
	if (r == 0)
		*ret_paper = TAKE(paper);
	return r;
}

static void
add_sig(struct doc *sigs, const char *keyid, const char *sig)
{
	struct doc *one = doc_new();

	doc_set_text(one, "keyid", keyid);
	doc_set_text(one, "sig", sig);
	doc_add(sigs, NULL, one);
}

int
paper_add(struct paper *paper, const char *keyid, const char *sig,
	  struct reason *why)
{
	const struct doc_value *old = paper->metadata->sigs;
	struct doc *sigs = doc_new_list();

	for (size_t i = 0; i < doc_len(old, NULL); i++) {
		const struct doc_value *one = doc_item(old, NULL, i);
		if (!str_equal(doc_text_or(one, "keyid", ""), keyid))
			doc_add(sigs, NULL, doc_copy(one));
	}
	add_sig(sigs, keyid, sig);
	return write(paper, doc_copy(paper->metadata->body), sigs, why);
}

int64_t
paper_issued_s(const struct paper *paper)
{
	const char *text = doc_text(paper->metadata->body, "x-khien-issued");
	int64_t issued_s;

	return text && date_parse(text, &issued_s) == 0 ? issued_s : 0;
}
