/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/release/blob.h"
#include "updater/release/export.h"
#include "updater/release/index.h"
#include "updater/release/manifest.h"
#include "updater/repo/args.h"
#include "updater/repo/draft.h"
#include "updater/repo/files.h"
#include "updater/repo/outcome.h"
#include "updater/repo/paper.h"
#include "updater/repo/repo.h"
#include "updater/repo/say.h"
#include "updater/repo/shelf.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define MODE_FILE 0644
#define NAME_SIZE 4096

/* The names of all files that go along; owned. */
struct load {
	const struct repo *repo;
	char **names;
	size_t len;
	bool bins[DUTY_LEN]; /* that are needed */
	struct reason *why;
};

static void
load_done(struct load *load)
{
	for (size_t i = 0; i < load->len; i++)
		free(load->names[i]);
	free(load->names);
}

__attribute__((format(printf, 2, 3))) static int
add(struct load *load, const char *format, ...)
{
	va_list args;

	char **names =
		reallocarray(load->names, load->len + 1, sizeof(names[0]));
	if (!names)
		return -ENOMEM;
	load->names = names;
	va_start(args, format);
	int len = vasprintf(&names[load->len], format, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	load->len++;
	return 0;
}

static int
add_target(struct load *load, const char *name)
{
	static const struct set none;
	const struct doc_value *entry =
		shelf_entry(&none, &load->repo->published, name);
	char path[FILES_PATH_SIZE];
	enum duty_id id;

	if (!entry)
		return reason_set(load->why, -ENOENT, "no role lists %.200s",
				  name);
	int r = shelf_role(name, &id);
	if (r == 0)
		r = shelf_path(name, entry, path, sizeof(path), load->why);
	if (r < 0)
		return r;
	load->bins[id] = true;
	return add(load, REPO_TARGETS "/%s", path);
}

static int
add_blob(struct load *load, const char *sha256)
{
	char name[BLOB_NAME_SIZE];

	int r = blob_name(name, sha256);
	return r < 0 ? r : add_target(load, name);
}

static int
add_release(struct load *load, int64_t number)
{
	static const struct set none;
	CLEANUP(manifest_freep) struct manifest *manifest = NULL;
	char name[INDEX_MANIFEST_SIZE];

	index_manifest(name, number);
	int r = add_target(load, name);
	if (r == 0)
		r = draft_manifest(load->repo, REPO_ONLINE, number,
				   shelf_entry(&none, &load->repo->published,
					       name),
				   &manifest, load->why);
	for (size_t i = 0; r == 0 && i < manifest->rules_len; i++)
		r = add_blob(load, manifest->rules[i].sha256);
	for (size_t i = 0; r == 0 && i < manifest->vectors_len; i++)
		r = add_blob(load, manifest->vectors[i].sha256);
	return r < 0 ? r : add_target(load, INDEX_TARGET);
}

/* Every root, as the host may know the first only; of the rest the newest. */
static int
add_metadata(struct load *load)
{
	const struct set *published = &load->repo->published;
	int64_t roots = set_version(published, DUTY_ROOT);
	char file[DUTY_FILE_SIZE];
	int r = 0;

	for (int64_t i = 1; i <= roots && r == 0; i++)
		r = add(load, REPO_METADATA "/%" PRId64 ".root.json", i);
	for (unsigned int i = DUTY_TARGETS; i < DUTY_LEN && r == 0; i++) {
		if (!published->papers[i] || (i >= DUTY_BIN && !load->bins[i]))
			continue;
		duty_file(i, set_version(published, i), file);
		r = add(load, REPO_METADATA "/%s", file);
	}
	return r;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
put(const struct load *load, struct export *export, const char *name)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	char path[FILES_PATH_SIZE];
	size_t len;

	(void)snprintf(path, sizeof(path), REPO_PUBLISHED "/%s", name);
	int r = files_read(load->repo->dir, path, TRUST_LISTED_MAX, &bytes,
			   &len);
	if (r < 0)
		return reason_set(load->why, r, "%.400s: %s", path,
				  strerror(-r));
	return export_put(export, name, bytes, len, load->why);
}

static int
sink(void *arg, const void *bytes, size_t len)
{
	return file_write_all(*(const int *)arg, bytes, len);
}

static int
write_all(struct load *load, int fd)
{
	CLEANUP(export_freep) struct export *export = NULL;

	qsort(load->names, load->len, sizeof(load->names[0]), compare);
	int r = export_new(sink, &fd, &export);
	for (size_t i = 0; i < load->len && r == 0; i++)
		/* Two vectors may be of the same bytes. */
		if (!i || strcmp(load->names[i - 1], load->names[i]) != 0)
			r = put(load, export, load->names[i]);
	if (r == 0)
		r = export_end(export, load->why);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* Whole or not at all. */
static int
write_file(struct load *load, const char *path)
{
	char temp[NAME_SIZE];

	if (snprintf(temp, sizeof(temp), "%s" REPO_NEW, path) >= NAME_SIZE)
		return -ENAMETOOLONG;
	(void)unlink(temp);
	CLEANUP_FD int fd =
		open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		     MODE_FILE);
	if (fd < 0)
		return reason_set(load->why, -errno, "%.400s: %s", temp,
				  strerror(errno));
	load->why->text[0] = '\0';
	int r = write_all(load, fd);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	(void)unlink(temp);
	return load->why->text[0] ? r :
				    reason_set(load->why, r, "%.400s: %s", path,
					       strerror(-r));
}

static int
find_number(const struct args *args, const struct repo *repo,
	    int64_t *ret_number, struct reason *why)
{
	int r = draft_newest(repo, ret_number, why);

	if (r == 0 && !*ret_number)
		r = reason_set(why, -ENOENT, "no release is published");
	return r < 0 ? r :
		       args_number(args, ARGS_RELEASE, INDEX_NUMBER_MAX,
				   ret_number, why);
}

int
carry_run(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(load_done) struct load load = { .repo = &repo, .why = why };
	const struct outcome outcome = { .repo = &repo };
	struct outcome_seen seen;
	int64_t number = 0;

	int r = repo_open(args->repo, true, &repo, why);
	if (r == 0)
		r = find_number(args, &repo, &number, why);
	if (r == 0)
		r = outcome_walk(&outcome, &seen, why);
	if (r == 0)
		r = add_release(&load, number);
	if (r == 0)
		r = add_metadata(&load);
	if (r == 0)
		r = write_file(&load, args->operands[0]);
	if (r == 0)
		say_line("%s: release %" PRId64 ", %zu files",
			 args->operands[0], number, load.len);
	return r;
}
