/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One metadata file: what all four kinds have in common, and the bytes that
 * are signed.  Nothing in it may be believed before verify_count() was asked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct doc;
struct doc_value;
struct reason;

enum metadata_type {
	METADATA_ROOT,
	METADATA_TIMESTAMP,
	METADATA_SNAPSHOT,
	METADATA_TARGETS,
	METADATA_TYPES,
};

/* Beyond this, other readers of JSON are no longer exact. */
#define METADATA_VERSION_MAX (INT64_C(1) << 53)
#define METADATA_SIGNATURES_MAX 256

struct metadata {
	struct doc *doc;	      /* owned */
	const struct doc_value *body; /* "signed"; the document's */
	const struct doc_value *sigs; /* "signatures" */
	uint8_t *canonical;	      /* owned: what is signed */
	size_t canonical_len;
	int64_t version;   /* from 1 to METADATA_VERSION_MAX */
	int64_t expires_s; /* since 1970 */
	int64_t issued_s;  /* "x-khien-issued": when it was signed; 0: not said
			    */
};

/* "root", "timestamp", ... */
const char *metadata_name(enum metadata_type type);

/*
 * Returns 0; -EBADMSG and why when it is not a file of that type, well formed;
 * -EPROTONOSUPPORT when it follows another major version of the specification
 * than 1; -ENOMEM.
 */
int metadata_parse(const void *bytes, size_t len, enum metadata_type type,
		   struct metadata **ret_metadata, struct reason *why);
void metadata_free(struct metadata *metadata);
void metadata_freep(struct metadata **metadata);

/* The signature under that keyid; NULL: there is none. */
const char *metadata_sig(const struct metadata *metadata, const char *keyid);
