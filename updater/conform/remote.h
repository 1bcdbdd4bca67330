/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A repository behind HTTP as a mirror. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct client_mirror;
struct remote;

/* The addresses are borrowed.  NULL: no memory, or libcurl cannot be used. */
struct remote *remote_new(const char *metadata_url, const char *target_url);
void remote_free(struct remote *remote);
void remote_freep(struct remote **remote);

/* For client_open(); borrows `remote`. */
void remote_use(struct remote *remote, struct client_mirror *ret_mirror);
