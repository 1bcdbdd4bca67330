/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries bytes between a mirror, a folder and updater/tuf, which decides.
 * Whatever the mirror does, only what is signed is stored or handed out.
 *
 * Errors are those of updater/tuf/trust.h, of the mirror, and -errno of the
 * folder; each with a reason for people, so `why` is never NULL.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct client;
struct folder;
struct policy;
struct reason;
struct target;
struct trust_times;

enum client_what {
	CLIENT_METADATA,
	CLIENT_TARGET,
};

/* Where a mirror puts the bytes of one file.  Each returns 0 or -errno. */
struct client_sink {
	int (*add)(void *arg, const void *bytes, size_t len);
	/* Forget what came so far: the file begins anew. */
	int (*restart)(void *arg);
	void *arg;
};

/*
 * Where files come from.  The path is relative to where such files are on the
 * mirror, and percent-encoded, as it stands in an address.  More than size_max
 * bytes are refused.  Returns 0; -ENOENT when the mirror says that there is no
 * such file; -EFBIG; -ETIMEDOUT; -EIO, when it cannot be asked or fails; what
 * the sink returned below 0, which ends it.  On -ENOENT nothing of what came
 * before counts.
 */
struct client_mirror {
	int (*get)(void *arg, enum client_what what, const char *path,
		   size_t size_max, const struct client_sink *sink,
		   struct reason *why);
	void *arg;
};

/*
 * Opens the folder of metadata, `path` relative to dir or AT_FDCWD, "." for dir
 * itself, and waits until nobody else has it open.  The time stands still at
 * now_s (since 1970).  The policy and the mirror are borrowed.
 */
int client_open(int dir, const char *path, const struct policy *policy,
		int64_t now_s, const struct client_mirror *mirror,
		struct client **ret_client, struct reason *why);
void client_close(struct client *client);
void client_closep(struct client **client);

/*
 * Before a refresh: sees to it that there is a root to begin with, from the
 * package's folder if need be.  See anchor_keep().
 */
int client_anchor(struct client *client, int package, struct reason *why);

/*
 * Brings the metadata up to date.  May be called again, also after an error:
 * what was stored until then is good.
 */
int client_refresh(struct client *client, struct reason *why);

/*
 * After a refresh: what is signed of a target, valid until the next call of
 * the client.  Returns -ENOENT when no role has it; -EINVAL when that is no
 * name of a target.
 */
int client_find(struct client *client, const char *name,
		struct target *ret_target, struct reason *why);

/*
 * The target's bytes, to be freed with free(); -EFBIG when it has more than
 * size_max, before the mirror is asked.
 */
int client_get(struct client *client, const char *name, size_t size_max,
	       uint8_t **ret_bytes, size_t *ret_len, struct reason *why);

/*
 * The target as a file of that name in another folder, whole or not at all.
 * When just these bytes are there already, the mirror is not asked.
 */
int client_save(struct client *client, const char *name, struct folder *folder,
		const char *file, struct reason *why);

/*
 * See trust_times() and trust_newest_issued(); of the last refresh and what was
 * found since, also after an error.  Before the first one all is 0.
 */
void client_times(const struct client *client, struct trust_times *ret_times);
int64_t client_newest_issued(const struct client *client);

/* How many files the mirror was asked for since client_open(). */
size_t client_requests(const struct client *client);
