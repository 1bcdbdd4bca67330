/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository as the publisher keeps it:
 *
 *	khien-repo.json	settings
 *	published/	what a file server offers: metadata/ and targets/
 *	staged/		what is prepared and being signed, as above
 *	urgent/		the same, for promote and withdraw: they need not wait
 *			for what is being signed by several people
 *	trust/		what the agent's package brings: root.json, policy.json
 *
 * staged/ and urgent/ may be carried to another machine by hand to be signed
 * there: base/ in them has the published metadata that they follow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/repo/set.h"
#include "updater/repo/settings.h"

struct reason;

#define REPO_PUBLISHED "published"
#define REPO_METADATA "metadata"
#define REPO_TARGETS "targets"
#define REPO_BASE "base"
#define REPO_NEW ".new" /* behind the name of a folder that is being made */

enum repo_area {
	REPO_STAGED,
	REPO_URGENT,
	REPO_AREAS,
	REPO_ONLINE = REPO_AREAS, /* never on the disk: snapshot, timestamp */
	REPO_SLOTS,
};

struct repo {
	int dir;
	int64_t now_s;
	struct settings settings;
	struct set published;
	struct set staged[REPO_SLOTS];
};

/* "staged" */
const char *repo_area_name(enum repo_area area);

/*
 * Opens it; `change` locks it too, and removes what a command that was
 * killed has left.  Returns 0; -ENOENT when there is none; -EBUSY when another
 * khien-repo changes it; -EBADMSG; -errno, each with why.  repo_close() in any
 * case.
 */
int repo_open(const char *path, bool change, struct repo *ret_repo,
	      struct reason *why);
/*
 * An area that was carried to this machine, without its repository: what it
 * follows takes the place of what is published.  Its folder must still be
 * called as it was.  -EINVAL and why when it is not; else as above.
 */
int repo_open_carried(const char *path, struct repo *ret_repo,
		      enum repo_area *ret_area, struct reason *why);
/* A new one, without anything in it but settings. */
int repo_create(const char *path, const struct settings *settings,
		struct repo *ret_repo, struct reason *why);
void repo_close(struct repo *repo);

/* Whether anything is staged there. */
bool repo_is_staged(const struct repo *repo, enum repo_area area);

/* Writes the metadata of an area, in one step, and what it follows beside it.
   An empty set removes the area. */
int repo_write_area(struct repo *repo, enum repo_area area, struct reason *why);
/* 0 or -errno, with why. */
int repo_remove_area(struct repo *repo, enum repo_area area,
		     struct reason *why);
