/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/lib/file.h"
#include "updater/repo/body.h"
#include "updater/repo/files.h"
#include "updater/repo/paper.h"
#include "updater/tuf/reason.h"

#define MODE_FOLDER 0755

static const char *const areas[REPO_SLOTS] = { "staged", "urgent", "online" };

const char *
repo_area_name(enum repo_area area)
{
	return areas[area];
}

bool
repo_is_staged(const struct repo *repo, enum repo_area area)
{
	for (size_t i = 0; i < DUTY_LEN; i++)
		if (repo->staged[area].papers[i])
			return true;
	return false;
}

void
repo_close(struct repo *repo)
{
	for (size_t i = 0; i < REPO_SLOTS; i++)
		set_done(&repo->staged[i]);
	set_done(&repo->published);
	file_closep(&repo->dir);
}

/* The folder itself is the lock: nothing is left behind by who is killed. */
static int
take_lock(struct repo *repo, const char *path, struct reason *why)
{
	if (flock(repo->dir, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return reason_set(why, -errno, "%.200s cannot be locked: %s",
				  path, strerror(errno));
	return reason_set(
		why, -EBUSY,
		"another khien-repo is changing %.200s: wait until it "
		"is done",
		path);
}

/* Whether all that an area has is published: who published it was killed
   before he could remove it. */
static bool
is_published(const struct repo *repo, enum repo_area area)
{
	for (size_t i = 0; i < DUTY_LEN; i++) {
		const struct paper *paper = repo->staged[area].papers[i];
		const struct paper *there = repo->published.papers[i];
		if (paper && (!there || there->len != paper->len ||
			      memcmp(there->bytes, paper->bytes, paper->len)))
			return false;
	}
	return repo_is_staged(repo, area);
}

static int
clean(const struct repo *repo)
{
	int r = files_remove(repo->dir, "client" REPO_NEW);
	if (r == 0)
		r = files_remove(repo->dir, "check" REPO_NEW);
	CLEANUP_FD int published = files_open(repo->dir, REPO_PUBLISHED);

	if (r == 0 && published >= 0)
		r = files_remove(published, REPO_METADATA REPO_NEW);
	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++) {
		CLEANUP_FD int area = files_open(repo->dir, areas[i]);
		if (area >= 0)
			r = files_remove(area, REPO_METADATA REPO_NEW);
	}
	return r;
}

static int
load(struct repo *repo, struct reason *why)
{
	char path[64];

	int r = set_load_published(repo->dir, REPO_PUBLISHED "/" REPO_METADATA,
				   &repo->published, why);
	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++) {
		(void)snprintf(path, sizeof(path), "%s/" REPO_METADATA,
			       areas[i]);
		r = set_load_staged(repo->dir, path, &repo->staged[i], why);
	}
	return r;
}

/* What is signed at a time that has not come yet, or that is over, is good for
   nobody: endpoints, too, know no time before the newest that was signed. */
static int
check_clock(const struct repo *repo, struct reason *why)
{
	int64_t newest_s = 0;
	char now[BODY_DATE_SIZE], newest[BODY_DATE_SIZE];

	for (size_t i = 0; i < DUTY_LEN; i++) {
		const struct paper *paper = repo->published.papers[i];
		if (paper && paper_issued_s(paper) > newest_s)
			newest_s = paper_issued_s(paper);
	}
	if (repo->now_s >= newest_s)
		return 0;
	body_date(now, repo->now_s);
	body_date(newest, newest_s);
	return reason_set(why, -ESTALE,
			  "the clock says %s, and what is published was signed "
			  "at %s: set the clock",
			  now, newest);
}

static int
tidy(struct repo *repo, struct reason *why)
{
	int r = clean(repo);

	if (r < 0)
		return reason_set(
			why, r,
			"what an interrupted khien-repo left cannot be "
			"removed: %s",
			strerror(-r));
	r = load(repo, why);
	if (r == 0)
		r = check_clock(repo, why);
	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++)
		if (is_published(repo, i))
			r = repo_remove_area(repo, i, why);
	return r;
}

static int
open_dir(const char *path, struct repo *repo, struct reason *why)
{
	*repo = (struct repo){ .dir = -1, .now_s = time(NULL) };
	repo->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (repo->dir < 0)
		return reason_set(why, -errno, "%.200s: %s", path,
				  strerror(errno));
	return 0;
}

int
repo_open(const char *path, bool change, struct repo *ret_repo,
	  struct reason *why)
{
	int r = open_dir(path, ret_repo, why);

	if (r == 0)
		r = settings_read(ret_repo->dir, &ret_repo->settings, why);
	if (r == -ENOENT)
		return reason_set(why, r,
				  "%.200s is no repository: khien-repo init "
				  "makes one, -C names another folder",
				  path);
	if (r == 0 && change)
		r = take_lock(ret_repo, path, why);
	if (r < 0)
		return r;
	return change ? tidy(ret_repo, why) : load(ret_repo, why);
}

/* "/media/stick/staged/" becomes "/media/stick". */
static int
split(const char *path, char *dst, size_t size, enum repo_area *ret_area,
      struct reason *why)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (unsigned int i = 0; i < REPO_AREAS; i++) {
		size_t name = strlen(areas[i]);
		if (len < name || (len > name && path[len - name - 1] != '/') ||
		    strncmp(path + len - name, areas[i], name) != 0)
			continue;
		*ret_area = i;
		int end = snprintf(dst, size, "%.*s.", (int)(len - name), path);
		return end < (int)size ? 0 : -ENAMETOOLONG;
	}
	return reason_set(why, -EINVAL,
			  "%.200s is not called staged or urgent: carry the "
			  "whole folder, under its name",
			  path);
}

int
repo_open_carried(const char *path, struct repo *ret_repo,
		  enum repo_area *ret_area, struct reason *why)
{
	char above[FILES_PATH_SIZE], folder[64];

	*ret_repo = (struct repo){ .dir = -1 };
	int r = split(path, above, sizeof(above), ret_area, why);
	if (r == 0)
		r = open_dir(above, ret_repo, why);
	if (r == 0)
		r = take_lock(ret_repo, above, why);
	if (r < 0)
		return r;
	settings_init(&ret_repo->settings);
	(void)snprintf(folder, sizeof(folder), "%s/" REPO_METADATA,
		       areas[*ret_area]);
	r = set_load_staged(ret_repo->dir, folder, &ret_repo->staged[*ret_area],
			    why);
	(void)snprintf(folder, sizeof(folder), "%s/" REPO_BASE,
		       areas[*ret_area]);
	if (r == 0)
		r = set_load_staged(ret_repo->dir, folder, &ret_repo->published,
				    why);
	if (r == 0 && !repo_is_staged(ret_repo, *ret_area))
		r = reason_set(why, -ENOENT, "%.200s: nothing is staged there",
			       path);
	return r;
}

int
repo_create(const char *path, const struct settings *settings,
	    struct repo *ret_repo, struct reason *why)
{
	if (mkdir(path, MODE_FOLDER) < 0 && errno != EEXIST)
		return reason_set(why, -errno, "%.200s: %s", path,
				  strerror(errno));
	int r = open_dir(path, ret_repo, why);
	if (r == 0)
		r = take_lock(ret_repo, path, why);
	if (r == 0 && (files_exist(ret_repo->dir, SETTINGS_FILE)))
		r = reason_set(why, -EEXIST,
			       "%.200s is a repository already: rotate changes "
			       "its keys",
			       path);
	if (r < 0)
		return r;
	ret_repo->settings = *settings;
	return 0;
}

static int
write_papers(int dir, const char *folder, const struct set *set)
{
	char path[FILES_PATH_SIZE], file[DUTY_FILE_SIZE];
	int r = mkdirat(dir, folder, MODE_FOLDER) < 0 ? -errno : 0;

	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++) {
		const struct paper *paper = set->papers[i];
		if (!paper)
			continue;
		duty_file(i, paper->metadata->version, file);
		(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
		r = files_write(dir, path, paper->bytes, paper->len);
	}
	return r;
}

/* One of the folders of an area, which appears whole. */
static int
write_folder(int area, const char *name, const struct set *set)
{
	char temp[64];

	(void)snprintf(temp, sizeof(temp), "%s" REPO_NEW, name);
	int r = files_remove(area, temp);
	if (r == 0)
		r = write_papers(area, temp, set);
	return r < 0 ? r : files_replace(area, temp, name);
}

int
repo_write_area(struct repo *repo, enum repo_area area, struct reason *why)
{
	if (!repo_is_staged(repo, area))
		return repo_remove_area(repo, area, why);
	(void)mkdirat(repo->dir, areas[area], MODE_FOLDER);
	CLEANUP_FD int dir = files_open(repo->dir, areas[area]);
	int r = dir < 0 ? dir : 0;
	if (r == 0)
		r = write_folder(dir, REPO_BASE, &repo->published);
	if (r == 0)
		r = write_folder(dir, REPO_METADATA, &repo->staged[area]);
	return r < 0 ? reason_set(why, r, "%s cannot be written: %s",
				  areas[area], strerror(-r)) :
		       0;
}

int
repo_remove_area(struct repo *repo, enum repo_area area, struct reason *why)
{
	set_done(&repo->staged[area]);
	int r = files_remove(repo->dir, areas[area]);
	return r < 0 ? reason_set(why, r, "%s cannot be removed: %s",
				  areas[area], strerror(-r)) :
		       0;
}
