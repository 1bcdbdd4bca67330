/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/check.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/conf/boot.h"
#include "agent/conf/settings.h"
#include "agent/lib/conf.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define LONGEST_SOCKET "/control.sock"

/* Where the key was set, or that it has its default. */
static struct problem_place
place_of(const struct settings *settings, const char *section, const char *key)
{
	struct problem_place place = { .file = "default",
				       .section = section,
				       .key = key };

	(void)settings_find(settings, section, key, &place);
	return place;
}

static void
drop_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

/* True when `path` is `folder` or lies in it. */
static bool
lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

static bool
has_dots(const char *path)
{
	const char *at = strstr(path, "/..");

	while (at && at[3] && at[3] != '/')
		at = strstr(at + 1, "/..");
	return at != NULL;
}

/* state_dir becomes the engine's: nothing of root's may lie in it. */
static void
check_folders(struct settings *settings)
{
	struct conf *conf = &settings->conf;
	struct problem_place state = place_of(settings, "agent", "state_dir");
	struct problem_place run = place_of(settings, "agent", "run_dir");
	const size_t room = sizeof(((struct sockaddr_un *)0)->sun_path) -
			    sizeof(LONGEST_SOCKET);

	drop_slashes(conf->state_dir);
	drop_slashes(conf->run_dir);
	if (str_equal(conf->state_dir, "/") || has_dots(conf->state_dir))
		problem_error(&settings->problem, &state,
			      "'%s' must be a folder of its own, without '..'",
			      conf->state_dir);
	if (str_equal(conf->run_dir, "/") || has_dots(conf->run_dir))
		problem_error(&settings->problem, &run,
			      "'%s' must be a folder of its own, without '..'",
			      conf->run_dir);
	if (lies_in(conf->run_dir, conf->state_dir))
		problem_error(&settings->problem, &run,
			      "'%s' must not be in state_dir '%s'",
			      conf->run_dir, conf->state_dir);
	if (strlen(conf->run_dir) > room)
		problem_error(&settings->problem, &run,
			      "is too long: a socket's path leaves room for "
			      "%zu bytes",
			      room);
}

/*
 * Base rules that somebody named must be there; the site's own may still come,
 * and so may what the defaults name.
 */
static void
check_rules(struct settings *settings)
{
	const struct conf *conf = &settings->conf;
	struct problem_place base = place_of(settings, "rules", "dir");
	struct problem_place local = place_of(settings, "rules", "local_dir");
	struct stat st;

	if (base.line && stat(conf->rules_dir, &st) < 0)
		problem_error(&settings->problem, &base,
			      "'%s': %s; must be a folder", conf->rules_dir,
			      strerror(errno));
	else if (base.line && !S_ISDIR(st.st_mode))
		problem_error(&settings->problem, &base,
			      "'%s' is no folder, must be one",
			      conf->rules_dir);
	if (local.line && stat(conf->local_dir, &st) < 0)
		problem_warning(&settings->problem, &local, "'%s': %s",
				conf->local_dir, strerror(errno));
	else if (local.line && !S_ISDIR(st.st_mode))
		problem_error(&settings->problem, &local,
			      "'%s' is no folder, must be one",
			      conf->local_dir);
}

/* Each path of the list: within the table's bounds, and there if it must be. */
static void
check_paths(struct settings *settings, const char *key, const char *paths,
	    bool there)
{
	struct problem_place place = place_of(settings, "gate", key);
	char path[CONF_PATH_MAX];
	unsigned int count = 0;
	struct stat st;

	while (*paths) {
		size_t len = strcspn(paths, ":");
		memcpy(path, paths, len);
		path[len] = '\0';
		paths += len;
		paths += *paths == ':';
		count++;
		if (has_dots(path))
			problem_error(&settings->problem, &place,
				      "'%s' must not contain '..'", path);
		else if (there && stat(path, &st) < 0)
			problem_error(&settings->problem, &place,
				      "'%s': %s; must be there to be watched",
				      path, strerror(errno));
	}
	if (count > CONF_WATCH_MAX)
		problem_error(&settings->problem, &place,
			      "has %u paths, at most %d are possible", count,
			      CONF_WATCH_MAX);
}

/* A package makes the users; without it each role has a number of its own. */
static void
look_up_roles(struct conf *conf)
{
	for (uint16_t id = 0; id < ROLE_LEN; id++) {
		const struct role *role = role_get(id);
		if (!role->user)
			continue;
		const struct passwd *user = getpwnam(role->user);
		conf->role_uid[id] = user ? user->pw_uid : role->fallback_uid;
		conf->role_gid[id] = user ? user->pw_gid : role->fallback_uid;
	}
}

/* A user of ours that is root would be no jail. */
static void
check_roles(struct settings *settings)
{
	const struct conf *conf = &settings->conf;

	for (uint16_t id = 0; id < ROLE_LEN; id++) {
		const struct role *role = role_get(id);
		if (role->user && (!conf->role_uid[id] || !conf->role_gid[id]))
			problem_error(&settings->problem,
				      &(struct problem_place){
					      .file = "/etc/passwd" },
				      "user %s must not be root's user or "
				      "group",
				      role->user);
	}
}

static void
look_up_group(struct settings *settings)
{
	struct conf *conf = &settings->conf;
	struct problem_place place = place_of(settings, "agent", "group");
	const struct group *group = getgrnam(conf->group);

	conf->group_gid = group ? group->gr_gid : UINT32_MAX;
	if (!group)
		problem_warning(&settings->problem, &place,
				"there is no group '%s': only root can ask "
				"the agent",
				conf->group);
}

void
check_all(struct settings *settings)
{
	const struct conf *conf = &settings->conf;

	check_folders(settings);
	check_rules(settings);
	check_paths(settings, "watch", conf->watch, true);
	check_paths(settings, "enforce", conf->enforce, true);
	check_paths(settings, "exclude", conf->exclude, false);
	look_up_roles(&settings->conf);
	check_roles(settings);
	look_up_group(settings);
	settings->conf.guard_disarmed = boot_is_disarmed();
}
