/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mirror of a forged repository that can be told to lie, and a client's
 * folder on disk: what the tests of this folder share.  Whatever else fails
 * here fails the test.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/unit/tuf/forge.h"
#include "updater/client/client.h"

enum forge_lie {
	FORGE_HONEST,
	FORGE_PIECES,	      /* byte by byte */
	FORGE_AGAIN,	      /* half of it, then from the start */
	FORGE_AFTER_TOO_MUCH, /* more than is taken, then from the start */
	/* Nobody can believe what follows: */
	FORGE_SHORT,   /* one byte less, and 0 */
	FORGE_LONG,    /* one byte more, and 0 */
	FORGE_CHANGED, /* one byte differs */
	FORGE_EMPTY,   /* 0 without a byte */
	FORGE_ENDLESS, /* until the sink refuses, and then what that said */
	FORGE_DEAF,    /* a lot more even so, and then 0 */
	FORGE_BREAKS,  /* half of it, then `error` */
	FORGE_SILENT,  /* `error` at once, without a word */
	FORGE_LIES,
};

struct forge_mirror {
	struct forge *forge; /* targets are in its mirror as "targets/PATH" */
	enum forge_lie lie;
	int error;
	size_t at;	   /* the request that is lied to, from 1; 0: each */
	const char *about; /* a part of its path; NULL: any */
	size_t requests;
	size_t taken;	/* bytes that a sink took of the last file */
	char last[600]; /* path of the last request */
};

/* For client_open(); borrows it. */
struct client_mirror forge_mirror_use(struct forge_mirror *mirror);

/* A target's bytes into the repository: its entry, to be freed with free(). */
char *forge_mirror_target(struct forge *forge, const char *name,
			  const char *text);

/* A new folder in /tmp, opened; forge_mirror_remove() closes and empties it. */
int forge_mirror_folder(void);
void forge_mirror_remove(int folder);
/* As much as there is, ended by NUL; NULL: there is no such file. */
char *forge_mirror_read(int folder, const char *file);
void forge_mirror_write(int folder, const char *file, const char *text);
/* Whether each .json of the folder is one of the repository's, whole. */
void forge_mirror_check(int folder, const struct forge *forge);
