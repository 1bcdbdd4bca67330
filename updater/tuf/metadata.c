/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/metadata.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/canonical.h"
#include "updater/tuf/date.h"
#include "updater/tuf/reason.h"

#define DIGITS "0123456789"
#define WHY_SIZE 200
#define ISSUED "x-khien-issued"

static const char *const names[] = {
	[METADATA_ROOT] = "root",
	[METADATA_TIMESTAMP] = "timestamp",
	[METADATA_SNAPSHOT] = "snapshot",
	[METADATA_TARGETS] = "targets",
};

const char *
metadata_name(enum metadata_type type)
{
	return names[type];
}

void
metadata_free(struct metadata *metadata)
{
	if (!metadata)
		return;
	doc_free(metadata->doc);
	free(metadata->canonical);
	free(metadata);
}

void
metadata_freep(struct metadata **metadata)
{
	metadata_free(*metadata);
	*metadata = NULL;
}

/* "1.0", "1.0.34": the number before the first dot decides. */
static int
check_spec(const char *text, struct reason *why)
{
	size_t dots = 0;

	if (!text)
		return reason_set(why, -EBADMSG, "has no spec_version");
	for (const char *at = text; *at; at++) {
		size_t len = strspn(at, DIGITS);
		if (!len || (at[len] && at[len] != '.'))
			return reason_set(why, -EPROTONOSUPPORT,
					  "has spec_version %.32s", text);
		at += len;
		if (!*at)
			break;
		dots++;
	}
	if (dots < 1 || dots > 2 || !str_starts(text, "1.") ||
	    text[strlen(text) - 1] == '.')
		return reason_set(why, -EPROTONOSUPPORT,
				  "has spec_version %.32s, not 1", text);
	return 0;
}

/* Ours, so other repositories need not say it. */
static int
check_issued(struct metadata *metadata, struct reason *why)
{
	const struct doc_value *issued = doc_member(metadata->body, ISSUED);
	const char *text = doc_text(issued, NULL);

	if (!issued)
		return 0;
	if (!text || date_parse(text, &metadata->issued_s) < 0 ||
	    metadata->issued_s < 1 || metadata->issued_s > metadata->expires_s)
		return reason_set(why, -EBADMSG,
				  "has a malformed %s, or one that is later "
				  "than its end",
				  ISSUED);
	return 0;
}

static int
check_common(struct metadata *metadata, enum metadata_type type,
	     struct reason *why)
{
	const struct doc_value *body = metadata->body;
	const char *name = doc_text(body, "_type");
	const char *expires = doc_text(body, "expires");

	if (!name || !str_equal(name, names[type]))
		return reason_set(why, -EBADMSG, "has type %.32s, not %s",
				  name ? name : "none", names[type]);
	int r = check_spec(doc_text(body, "spec_version"), why);
	if (r < 0)
		return r;
	if (doc_number(body, "version", &metadata->version) < 0 ||
	    metadata->version < 1 || metadata->version > METADATA_VERSION_MAX)
		return reason_set(why, -EBADMSG, "has no version from 1 up");
	if (!expires || date_parse(expires, &metadata->expires_s) < 0)
		return reason_set(why, -EBADMSG,
				  "has no date at which it expires");
	return check_issued(metadata, why);
}

static const char *
sig_id(const struct metadata *metadata, size_t at)
{
	return doc_text(doc_item(metadata->sigs, NULL, at), "keyid");
}

static int
check_sigs(const struct metadata *metadata, struct reason *why)
{
	size_t len = doc_len(metadata->sigs, NULL);

	if (!doc_is_list(metadata->sigs, NULL) || len > METADATA_SIGNATURES_MAX)
		return reason_set(why, -EBADMSG,
				  "has no list of up to %d signatures",
				  METADATA_SIGNATURES_MAX);
	for (size_t i = 0; i < len; i++) {
		const char *id = sig_id(metadata, i);
		if (!id || !doc_text(doc_item(metadata->sigs, NULL, i), "sig"))
			return reason_set(why, -EBADMSG,
					  "has a malformed signature");
		for (size_t j = 0; j < i; j++)
			if (str_equal(sig_id(metadata, j), id))
				return reason_set(why, -EBADMSG,
						  "has two signatures by "
						  "%.64s",
						  id);
	}
	return 0;
}

int
metadata_parse(const void *bytes, size_t len, enum metadata_type type,
	       struct metadata **ret_metadata, struct reason *why)
{
	CLEANUP(metadata_freep)
	struct metadata *metadata = calloc(1, sizeof(*metadata));
	char said[WHY_SIZE] = "";

	if (!metadata)
		return -ENOMEM;
	int r = doc_parse(bytes, len, &metadata->doc, said, sizeof(said));
	if (r == -EINVAL)
		return reason_set(why, -EBADMSG, "is not JSON: %s", said);
	if (r < 0)
		return r;
	metadata->body = doc_get(doc_root(metadata->doc), "signed");
	metadata->sigs = doc_get(doc_root(metadata->doc), "signatures");
	if (!doc_is_object(metadata->body, NULL))
		return reason_set(why, -EBADMSG, "has no object \"signed\"");
	r = check_sigs(metadata, why);
	if (r == 0)
		r = check_common(metadata, type, why);
	if (r == 0)
		r = canonical_write(metadata->body, &metadata->canonical,
				    &metadata->canonical_len, why);
	if (r == 0)
		*ret_metadata = TAKE(metadata);
	return r;
}

const char *
metadata_sig(const struct metadata *metadata, const char *keyid)
{
	for (size_t i = 0; i < doc_len(metadata->sigs, NULL); i++)
		if (str_equal(sig_id(metadata, i), keyid))
			return doc_text(doc_item(metadata->sigs, NULL, i),
					"sig");
	return NULL;
}
