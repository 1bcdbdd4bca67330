/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries bytes between a mirror, two folders and updater/tuf, which decides.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct client;
struct policy;
struct reason;

struct client_places {
	const char *metadata_dir;
	const char *metadata_url;
	const char *target_url; /* the last two may be NULL for a refresh */
	const char *target_dir;
};

/* Puts a trusted root into the folder.  Returns 0 or -errno. */
int client_init(const struct client_places *places, const char *file,
		const struct policy *policy, struct reason *why);

/*
 * Brings the metadata up to date.  Places and policy are borrowed.  Returns 0,
 * or -errno and why.
 */
int client_new(const struct client_places *places, const struct policy *policy,
	       struct client **ret_client, struct reason *why);
void client_free(struct client *client);
void client_freep(struct client **client);

/*
 * Brings one target, unless it is there already.  Its name in the folder is
 * its own with '/' and all else that is not plain percent-encoded.
 */
int client_download(struct client *client, const char *name,
		    struct reason *why);
