/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds which office, and how many of them have to sign: what root and
 * targets say of keys, as a table that can be changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/repo/duty.h"

struct doc;
struct doc_value;
struct reason;

#define CHARTER_KEYS_MAX 64
#define CHARTER_ID_SIZE 65
#define CHARTER_NAME_SIZE 64

struct charter_key {
	char id[CHARTER_ID_SIZE];
	char name[CHARTER_NAME_SIZE]; /* for people */
	bool post_quantum;
	struct doc *doc; /* owned: as metadata lists it */
};

struct charter_office {
	int64_t threshold;
	bool has[CHARTER_KEYS_MAX];
};

struct charter {
	struct charter_key keys[CHARTER_KEYS_MAX];
	size_t len;
	struct charter_office offices[DUTY_OFFICES];
};

/* Without keys.  NULL: no memory. */
struct charter *charter_new(void);
void charter_free(struct charter *charter);
void charter_freep(struct charter **charter);

/*
 * From the bodies of root and targets.  Returns 0; -EBADMSG, -E2BIG and why;
 * -ENOMEM.
 */
int charter_read(struct charter *charter, const struct doc_value *root,
		 const struct doc_value *targets, struct reason *why);

/*
 * A public key's file, as "khien-repo key new" writes it.  Returns 0 and the
 * key's number in the table, also when it was there before; -EBADMSG and why,
 * which names the file; -errno.
 */
int charter_add_file(struct charter *charter, const char *path, size_t *ret_at,
		     struct reason *why);

/* By its name, its id, or the beginning of that.  0; -ENOENT; -ENOTUNIQ. */
int charter_find(const struct charter *charter, const char *name,
		 size_t *ret_at, struct reason *why);

/* How many keys an office has. */
size_t charter_count(const struct charter *charter, enum duty_office office);

/*
 * Whether each office can be filled: thresholds from 1 to the number of keys,
 * and, when hybrid, both kinds of keys where they have to sign.  Returns 0, or
 * -EINVAL and why.
 */
int charter_check(const struct charter *charter, bool hybrid,
		  struct reason *why);

/* Sets "keys" and "roles" of a root's body. */
void charter_put_root(const struct charter *charter, struct doc *body);
/* Sets "delegations" of the body of targets. */
void charter_put_delegations(const struct charter *charter, struct doc *body);

/* Makes `to`, an empty one, the same.  0 or -ENOMEM. */
int charter_copy(struct charter *to, const struct charter *from);
