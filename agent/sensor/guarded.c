/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/lib/file.h"
#include "agent/lib/mountinfo.h"
#include "agent/lib/str.h"
#include "kernel/khien_abi.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define ENTRIES 1024 /* of the map in kernel/shielded.h */

struct entry {
	struct khien_guard_key key;
	uint32_t value;
};

struct guarded {
	struct entry entries[ENTRIES];
	size_t len;
	struct khien_guard_place places[KHIEN_GUARD_PLACES];
	bool whole[KHIEN_GUARD_PLACES]; /* it, and everything in it */
	size_t places_len;
};

struct guarded *
guarded_new(void)
{
	return calloc(1, sizeof(struct guarded));
}

void
guarded_free(struct guarded *guarded)
{
	free(guarded);
}

void
guarded_freep(struct guarded **guarded)
{
	guarded_free(*guarded);
	*guarded = NULL;
}

static void
fclosep(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

/*
 * The device as the kernel has it, which is that of the mount: what stat(2)
 * says may be one of a part of it, as on btrfs.
 */
static int
find_device(uint64_t mount, uint32_t *ret_device)
{
	FILE *file CLEANUP(fclosep) = fopen(MOUNTINFO, "re");
	char *line CLEANUP_FREE = NULL;
	struct mountinfo found;
	size_t size = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		if (mountinfo_parse(line, &found) < 0 || found.id != mount)
			continue;
		*ret_device = major(found.device) << 20 | minor(found.device);
		return 0;
	}
	return -ENOENT;
}

/* Of a folder: the key of an entry without a name. */
static int
identify(const char *path, struct khien_guard_key *ret_key, uint64_t *ret_mount)
{
	struct khien_guard_key key = { 0 };
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_INO | STATX_MNT_ID, &stx) < 0)
		return -errno;
	key.inode = stx.stx_ino;
	key.device = stx.stx_dev_major << 20 | stx.stx_dev_minor;
	if (stx.stx_mask & STATX_MNT_ID)
		(void)find_device(stx.stx_mnt_id, &key.device);
	*ret_key = key;
	*ret_mount = stx.stx_mask & STATX_MNT_ID ? stx.stx_mnt_id : 0;
	return S_ISDIR(stx.stx_mode) ? 0 : -ENOTDIR;
}

/* One that is there keeps what says more. */
static int
put(struct guarded *guarded, const struct khien_guard_key *key, uint32_t kind,
    size_t place)
{
	uint32_t value = kind << 16 | (uint32_t)place;

	for (size_t i = 0; i < guarded->len; i++) {
		struct entry *entry = &guarded->entries[i];
		if (memcmp(&entry->key, key, sizeof(*key)) != 0)
			continue;
		if (entry->value >> 16 < kind)
			entry->value = value;
		return 0;
	}
	if (guarded->len == ENTRIES)
		return -ENOSPC;
	guarded->entries[guarded->len++] =
		(struct entry){ .key = *key, .value = value };
	return 0;
}

/* `path` is `folder`, or lies in it; both without the first slash. */
static bool
lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

/* Whatever is known to lie in it is not only above something. */
static void
make_whole(struct guarded *guarded, size_t place)
{
	const char *folder = guarded->places[place].path;

	guarded->whole[place] = true;
	for (size_t i = 0; i < guarded->len; i++) {
		struct entry *entry = &guarded->entries[i];
		uint32_t its = entry->value & UINT16_MAX;
		if (entry->key.len == 0 && entry->key.inode != 0 &&
		    lies_in(guarded->places[its].path, folder))
			entry->value = KHIEN_GUARD_INSIDE << 16 | its;
	}
}

static bool
is_whole(const struct guarded *guarded, const char *path)
{
	for (size_t i = 0; i < guarded->places_len; i++)
		if (guarded->whole[i] &&
		    lies_in(path + 1, guarded->places[i].path))
			return true;
	return false;
}

static int
put_named(struct guarded *guarded, const struct khien_guard_key *folder,
	  const char *name, size_t place)
{
	struct khien_guard_key key = *folder;
	size_t len = strlen(name);

	key.len = (uint32_t)len;
	memcpy(key.name, name, len < sizeof(key.name) ? len : sizeof(key.name));
	return put(guarded, &key, KHIEN_GUARD_ABOVE, place);
}

/* A path's number, without its first slash. */
static int
place_of(struct guarded *guarded, const char *path, size_t *ret_place)
{
	path += strspn(path, "/");
	for (size_t i = 0; i < guarded->places_len; i++) {
		if (!str_equal(guarded->places[i].path, path))
			continue;
		*ret_place = i;
		return 0;
	}
	if (guarded->places_len == KHIEN_GUARD_PLACES)
		return -ENOSPC;
	struct khien_guard_place *place = &guarded->places[guarded->places_len];
	int r = str_copy(place->path, sizeof(place->path), path);
	if (r < 0)
		return r;
	*ret_place = guarded->places_len++;
	return 0;
}

/* The folder that a path is in, and its name there. */
static const char *
split(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == path ? 1 : (size_t)(slash - path);

	memcpy(folder, path, len);
	folder[len] = '\0';
	return slash + 1;
}

/*
 * A folder of that kind, and those above it up to the root.  What a file system
 * is mounted on has a name, too, so that it is not unmounted.
 */
static int
put_folders(struct guarded *guarded, const char *path, uint32_t kind)
{
	char above[PATH_MAX], here[PATH_MAX];
	struct khien_guard_key key, marker, parent;
	uint64_t mount, parent_mount;
	size_t place = 0;

	int r = str_copy(here, sizeof(here), path);
	while (r == 0) {
		r = identify(here, &key, &mount);
		if (r == 0)
			r = place_of(guarded, here, &place);
		if (r == 0)
			r = put(guarded, &key, kind, place);
		marker = (struct khien_guard_key){ .device = key.device };
		if (r == 0)
			r = put(guarded, &marker, 0, 0);
		if (r < 0 || str_equal(here, "/"))
			break;
		const char *name = split(here, above);
		r = identify(above, &parent, &parent_mount);
		if (r == 0 && mount != parent_mount)
			r = put_named(guarded, &parent, name, place);
		if (r == 0)
			r = str_copy(here, sizeof(here), above);
		kind = KHIEN_GUARD_ABOVE;
	}
	return r;
}

/* By name; and by itself, where nothing above it is of its file system. */
static int
add_resolved(struct guarded *guarded, const char *folder, const char *name,
	     const char *path)
{
	struct khien_guard_key key, own;
	uint64_t mount, own_mount;
	size_t place;

	if (is_whole(guarded, path))
		return 0;
	int r = identify(folder, &key, &mount);
	if (r == 0)
		r = place_of(guarded, path, &place);
	if (r == 0)
		r = put_named(guarded, &key, name, place);
	if (r == 0)
		r = put_folders(guarded, folder, KHIEN_GUARD_ABOVE);
	if (r == 0)
		make_whole(guarded, place);
	if (r == 0 && identify(path, &own, &own_mount) == 0 &&
	    own_mount != mount)
		r = put_folders(guarded, path, KHIEN_GUARD_INSIDE);
	return r;
}

static int
add(struct guarded *guarded, const char *path, bool follow)
{
	char folder[PATH_MAX], real[PATH_MAX], here[PATH_MAX];

	if (path[0] != '/' || strlen(path) >= sizeof(folder))
		return -EINVAL;
	const char *name = split(path, folder);
	if (!name[0])
		return -EINVAL;
	if (!realpath(folder, real))
		return -errno;
	int len = snprintf(here, sizeof(here), "%s/%s",
			   str_equal(real, "/") ? "" : real, name);
	if (len >= (int)sizeof(here))
		return -ENAMETOOLONG;
	int r = add_resolved(guarded, real, name, here);
	if (r < 0 || !follow || !realpath(path, real))
		return r;
	return str_equal(here, real) ? 0 : add(guarded, real, false);
}

int
guarded_add(struct guarded *guarded, const char *path)
{
	return add(guarded, path, true);
}

int
guarded_add_names(struct guarded *guarded, const char *folder)
{
	char real[PATH_MAX];

	if (!realpath(folder, real))
		return -errno;
	if (is_whole(guarded, real))
		return 0;
	return put_folders(guarded, real, KHIEN_GUARD_NAMES);
}

const struct khien_guard_key *
guarded_entry(const struct guarded *guarded, size_t at, uint32_t *ret_value)
{
	if (at >= guarded->len)
		return NULL;
	*ret_value = guarded->entries[at].value;
	return &guarded->entries[at].key;
}

const struct khien_guard_place *
guarded_place(const struct guarded *guarded, size_t at)
{
	return at < guarded->places_len ? &guarded->places[at] : NULL;
}
