/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target releases/N.json.gz: the files of a release and what they must
 * and must not match.  Each file lies in a blob named after its hash, see
 * blob.h.
 *
 * Members that are not known are passed over; another "format" is refused.
 * updater/README.md has the format.
 *
 * Errors, each with a reason to which the caller adds the file's name, by
 * reason_about():
 *	-EBADMSG	malformed, or beyond a bound below
 *	-EPROTONOSUPPORT another format, so a newer agent is needed
 *	-ENOMEM
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/release/path.h"

struct reason;

#define MANIFEST_FORMAT 1
#define MANIFEST_SIZE_MAX (4 * 1024 * 1024) /* bytes, unpacked */
#define MANIFEST_DESCRIPTION_MAX 2000	    /* bytes */
#define MANIFEST_SUM_SIZE 65		    /* SHA-256 as digits, and a NUL */
/* Those of agent/scan/rules.h: a scanner would refuse more. */
#define MANIFEST_RULES_MAX 8192
#define MANIFEST_RULES_SIZE_MAX (64 * 1024 * 1024) /* of all together */
#define MANIFEST_VECTORS_MAX 256
#define MANIFEST_VECTOR_SIZE_MAX (16 * 1024 * 1024)
/* Of all together: an endpoint fetches, keeps and scans them. */
#define MANIFEST_VECTORS_SIZE_MAX (256 * 1024 * 1024)
#define MANIFEST_NAME_MAX 200	/* bytes of a vector's */
#define MANIFEST_MATCHES_MAX 64 /* of a vector: as many as a verdict has */
#define MANIFEST_MATCH_MAX 128	/* bytes: an identifier's of YARA */

struct manifest_rule {
	char path[PATH_SIZE];
	char sha256[MANIFEST_SUM_SIZE]; /* of the raw file */
	uint64_t size;			/* its bytes */
};

struct manifest_vector {
	char name[MANIFEST_NAME_MAX + 1]; /* for people; no file has it */
	char sha256[MANIFEST_SUM_SIZE];
	uint64_t size;
	char **matches;	    /* the names of the rules that must match, each one;
			   owned */
	size_t matches_len; /* 0: no rule may match */
};

struct manifest {
	int64_t number;
	int64_t created_s;
	char description[MANIFEST_DESCRIPTION_MAX + 1]; /* may be "" */
	struct manifest_rule *rules;	 /* owned; sorted by path, a folder's
					files together */
	size_t rules_len;		 /* at least 1 */
	struct manifest_vector *vectors; /* owned; sorted by name */
	size_t vectors_len;
};

/* The number is the one by which the index named it. */
int manifest_parse(const void *bytes, size_t len, int64_t number,
		   struct manifest **ret_manifest, struct reason *why);
void manifest_free(struct manifest *manifest);
void manifest_freep(struct manifest **manifest);

/* To write one: the number and the rest are set by hand.  NULL: no memory. */
struct manifest *manifest_new(void);
int manifest_add_rule(struct manifest *manifest, const char *path,
		      const char *sha256, uint64_t size, struct reason *why);
/* To which manifest_add_match() adds then. */
int manifest_add_vector(struct manifest *manifest, const char *name,
			const char *sha256, uint64_t size, struct reason *why);
/* A rule that must match the vector that was added last. */
int manifest_add_match(struct manifest *manifest, const char *rule,
		       struct reason *why);
/*
 * Sorts it and refuses what manifest_parse() would.  One line; the caller's, to
 * be freed with free().
 */
int manifest_write(struct manifest *manifest, char **ret_text,
		   struct reason *why);

/* After parsing or writing only; NULL: there is none. */
const struct manifest_rule *manifest_find(const struct manifest *manifest,
					  const char *path);
