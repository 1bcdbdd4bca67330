/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A repository behind HTTP as a mirror. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct client_mirror;
struct reason;
struct remote;

/* target_url may be NULL.  Returns 0, or -errno and why. */
int remote_new(const char *metadata_url, const char *target_url,
	       struct remote **ret_remote, struct reason *why);
void remote_free(struct remote *remote);
void remote_freep(struct remote **remote);

/* For client_open(); borrows `remote`. */
void remote_use(struct remote *remote, struct client_mirror *ret_mirror);
