/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder state_dir/quarantine: root's alone, with the key and a file
 * <id>.q for each entry.  An entry is written beside its name and gets that
 * only when it is whole and on the disk; what a crash leaves beside is removed
 * by a later call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/keep/crypt.h"
#include "agent/keep/entry.h"

struct entry;

struct vault {
	int folder; /* -1: not open */
	uint8_t key[CRYPT_KEY_LEN];
	const char *why; /* what failed last, for people; static */
};

/* An entry that is being written. */
struct vault_draft {
	char id[ENTRY_ID_SIZE];
	int fd;	    /* -1: none */
	bool named; /* has a name that vault_drop() is to remove */
};

/*
 * Opens the folder below `state` and reads the key; makes both when `make` is
 * set.  Returns 0; -ENOENT when there is none; -EPERM when it is not ours
 * alone; -errno.  vault_done() in any case.
 */
int vault_open(struct vault *vault, int state, bool make);
void vault_done(struct vault *vault);

/* Removes what crashes left; nothing that may still be written. */
void vault_tidy(struct vault *vault);

/* Begins an entry under a new id.  Returns 0 or -errno. */
int vault_begin(struct vault *vault, struct vault_draft *draft);

/* Puts it on the disk under its name.  Returns 0 or -errno. */
int vault_commit(struct vault *vault, struct vault_draft *draft);

/* Removes it, whether committed or not, and closes it. */
void vault_drop(struct vault *vault, struct vault_draft *draft);

/* True for what an id looks like. */
bool vault_is_id(const char *id);

/*
 * Opens an entry and reads what it says of the file.  The stream goes on with
 * the content; it and *ret_fd are the caller's.  Returns 0; -ENOENT; -EBADMSG
 * when it is damaged; -errno.
 */
int vault_read(struct vault *vault, const char *id, struct entry *entry,
	       int *ret_fd, struct crypt **ret_crypt);

/* Returns 0, -ENOENT or -errno. */
int vault_remove(struct vault *vault, const char *id);
