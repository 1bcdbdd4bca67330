/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target releases.json: which releases there are, who may run them from
 * when on, and which are taken back.  Plain values, which a publisher may
 * change; index_write() refuses what index_parse() would.
 *
 * Members that are not known are passed over, and lost when it is written
 * anew; another "format" is refused, so only what may be ignored is added to
 * this one.  updater/README.md has the format.
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

#include "updater/release/version.h"
#include "updater/release/wave.h"

struct reason;

#define INDEX_FORMAT 1
#define INDEX_TARGET "releases.json"
#define INDEX_SIZE_MAX (64 * 1024) /* bytes of the file */
/* A host runs the newest, or the one before while waves last. */
#define INDEX_RELEASES_MAX 16
#define INDEX_WAVES_MAX 16
/* Whatever they say, they fit in INDEX_SIZE_MAX with all releases. */
#define INDEX_REVOKED_MAX 64
#define INDEX_REASON_MAX 200	    /* bytes */
#define INDEX_NUMBER_MAX 2147483647 /* fits in every integer it meets */
#define INDEX_MANIFEST_SIZE 32	    /* "releases/2147483647.json.gz" */

struct index_release {
	int64_t number; /* from 1 on */
	int64_t created_s;
	char engine_min[VERSION_SIZE]; /* the oldest engine that may run it */
	char engine_max[VERSION_SIZE]; /* and the newest; "": every one */
	struct wave waves[INDEX_WAVES_MAX]; /* both of their numbers rise */
	size_t waves_len;		    /* 0: for everyone at once */
};

struct index_revoked {
	int64_t number;
	char reason[INDEX_REASON_MAX + 1]; /* a line for people */
};

struct index {
	struct index_release releases[INDEX_RELEASES_MAX]; /* numbers rise */
	size_t releases_len;
	struct index_revoked revoked[INDEX_REVOKED_MAX]; /* in any order */
	size_t revoked_len;
};

/* Without releases.  NULL: no memory. */
struct index *index_new(void);
int index_parse(const void *bytes, size_t len, struct index **ret_index,
		struct reason *why);
void index_free(struct index *index);
void index_freep(struct index **index);

/* Whether index_parse() would take it. */
int index_check(const struct index *index, struct reason *why);
/* One line; the caller's, to be freed with free(). */
int index_write(const struct index *index, char **ret_text, struct reason *why);

/* NULL: not listed. */
const struct index_release *index_find(const struct index *index,
				       int64_t number);
/* Why it was taken back; NULL: it was not. */
const char *index_revoked(const struct index *index, int64_t number);

/* The target of its manifest: "releases/7.json.gz". */
void index_manifest(char dst[INDEX_MANIFEST_SIZE], int64_t number);
