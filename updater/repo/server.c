/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/repo/files.h"
#include "updater/repo/paper.h"
#include "updater/repo/shelf.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define TRUST "trust"
#define MODE_FOLDER 0755

struct copying {
	const struct repo *repo;
	enum repo_area area;
	struct reason *why;
};

/* A file of the area, unless it is published already. */
static int
copy_target(void *arg, const char *name, const struct doc_value *entry)
{
	const struct copying *copying = arg;
	const struct repo *repo = copying->repo;
	char path[FILES_PATH_SIZE / 2], whole[FILES_PATH_SIZE];
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	int r = shelf_path(name, entry, path, sizeof(path), copying->why);
	if (r < 0)
		return r;
	(void)snprintf(whole, sizeof(whole),
		       REPO_PUBLISHED "/" REPO_TARGETS "/%s", path);
	if (files_exist(repo->dir, whole))
		return 0;
	r = shelf_read(repo, copying->area, name, entry, TRUST_LISTED_MAX,
		       &bytes, &len, copying->why);
	if (r < 0)
		return r;
	r = files_write(repo->dir, whole, bytes, len);
	return r < 0 ? reason_set(copying->why, r, "%.400s: %s", whole,
				  strerror(-r)) :
		       0;
}

static int
copy_targets(const struct repo *repo, enum repo_area area, struct reason *why)
{
	struct copying copying = { repo, area, why };
	int r = 0;

	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++) {
		const struct paper *paper = repo->staged[area].papers[i];
		if (paper && duty_type(i) == METADATA_TARGETS)
			r = doc_each(paper->metadata->body, "targets",
				     copy_target, &copying);
	}
	return r;
}

/* All of the old metadata and the new, in a folder that takes its place. */
static int
write_metadata(const struct repo *repo, enum repo_area area)
{
	char path[FILES_PATH_SIZE], file[DUTY_FILE_SIZE];

	(void)mkdirat(repo->dir, REPO_PUBLISHED, MODE_FOLDER);
	CLEANUP_FD int dir = files_open(repo->dir, REPO_PUBLISHED);
	if (dir < 0)
		return dir;
	(void)mkdirat(dir, REPO_METADATA, MODE_FOLDER);
	int r = files_remove(dir, REPO_METADATA REPO_NEW);
	if (r == 0)
		r = files_link_all(dir, REPO_METADATA, REPO_METADATA REPO_NEW);
	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++) {
		const struct paper *paper = repo->staged[area].papers[i];
		if (!paper)
			continue;
		duty_file(i, paper->metadata->version, file);
		(void)snprintf(path, sizeof(path), REPO_METADATA REPO_NEW "/%s",
			       file);
		r = files_write(dir, path, paper->bytes, paper->len);
	}
	return r < 0 ? r :
		       files_replace(dir, REPO_METADATA REPO_NEW,
				     REPO_METADATA);
}

static char *
policy_text(const struct repo *repo, enum repo_area area)
{
	static const enum duty_id floors[] = { DUTY_ROOT, DUTY_TIMESTAMP,
					       DUTY_SNAPSHOT, DUTY_TARGETS };
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	doc_set_bool(doc, "hybrid", repo->settings.hybrid);
	for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
		const struct paper *paper = set_get(
			&repo->staged[area], &repo->published, floors[i]);
		char path[64];
		(void)snprintf(path, sizeof(path), "floor.%s",
			       duty_name(floors[i]));
		doc_set_number(doc, path, paper ? paper->metadata->version : 0);
	}
	doc_set_number(doc, "release", 0);
	return doc_write(doc);
}

/* What a package that is built from now on brings: nobody who installs it can
   be shown anything older. */
static int
write_trust(const struct repo *repo, enum repo_area area)
{
	CLEANUP_FREE char *text = policy_text(repo, area);
	const struct paper *root =
		set_get(&repo->staged[area], &repo->published, DUTY_ROOT);

	if (!text)
		return -ENOMEM;
	int r = files_write(repo->dir, TRUST "/root.json", root->bytes,
			    root->len);
	return r < 0 ? r :
		       files_write(repo->dir, TRUST "/policy.json", text,
				   strlen(text));
}

int
server_write(const struct repo *repo, enum repo_area area, struct reason *why)
{
	int r = copy_targets(repo, area, why);

	if (r < 0)
		return r;
	r = write_metadata(repo, area);
	if (r < 0)
		return reason_set(why, r,
				  REPO_PUBLISHED "/" REPO_METADATA
						 " cannot be written: %s",
				  strerror(-r));
	r = write_trust(repo, area);
	return r < 0 ? reason_set(why, r, TRUST " cannot be written: %s",
				  strerror(-r)) :
		       0;
}
