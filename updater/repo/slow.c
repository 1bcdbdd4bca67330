/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/slow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/file.h"
#include "updater/release/manifest.h"
#include "updater/repo/files.h"
#include "updater/repo/run.h"
#include "updater/repo/trial.h"
#include "updater/tuf/reason.h"

/* Enough to tell a rule that looks at every byte from one that does not. */
#define SAMPLE_FILES 64
#define SAMPLE_BYTES (4 * 1024 * 1024)
#define FACTOR 4       /* slower than half of the others by that, */
#define LEAST_MS 100   /* and by that */
#define TIMEOUT_S "20" /* for one file: an agent waits less */
#define ARGS_BEFORE 5

struct sample {
	const char *folder;
	int dir;
	char *paths[SAMPLE_FILES + 1]; /* owned */
	size_t len;
	uint64_t bytes;
};

static int
add(void *arg, const char *path, bool is_file)
{
	struct sample *sample = arg;
	struct stat stat;

	if (!is_file || sample->len == SAMPLE_FILES ||
	    fstatat(sample->dir, path, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
	    stat.st_size == 0 ||
	    sample->bytes + (uint64_t)stat.st_size > SAMPLE_BYTES)
		return 0;
	if (asprintf(&sample->paths[sample->len], "%s/%s", sample->folder,
		     path) < 0)
		return -ENOMEM;
	sample->len++;
	sample->bytes += (uint64_t)stat.st_size;
	return 0;
}

static void
sample_done(struct sample *sample)
{
	for (size_t i = 0; i < sample->len; i++)
		free(sample->paths[i]);
	file_closep(&sample->dir);
}

/* A folder deeper than the walk goes is no error: it is only a sample. */
static int
take_sample(const char *folder, struct sample *sample)
{
	sample->folder = folder;
	sample->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sample->dir < 0)
		return errno == ENOTDIR ? 0 : -errno;
	int r = files_each(sample->dir, ".", true, add, sample);
	return r == -ELOOP || r == -EACCES || r == -ENAMETOOLONG ? 0 : r;
}

static int
measure(const struct trial *trial, const char *path,
	const struct sample *sample, int64_t *ret_ms)
{
	const char *args[SAMPLE_FILES + ARGS_BEFORE + 1] = { "-r", path,
							     "--timeout",
							     TIMEOUT_S, "-f" };
	CLEANUP(run_done) struct run_result result = { 0 };

	for (size_t i = 0; i < sample->len; i++)
		args[ARGS_BEFORE + i] = sample->paths[i];
	int r = run_scan(args, &result, trial->why);
	*ret_ms = result.cpu_ms;
	return r;
}

static int
compare(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void
judge(const struct trial *trial, const int64_t *times, int64_t *sorted)
{
	const struct manifest *manifest = trial->manifest;
	size_t len = manifest->rules_len;

	memcpy(sorted, times, len * sizeof(times[0]));
	qsort(sorted, len, sizeof(sorted[0]), compare);
	int64_t median = sorted[(len - 1) / 2];
	for (size_t i = 0; i < len; i++)
		if (times[i] > FACTOR * median && times[i] > median + LEAST_MS)
			trial_find(
				trial->findings, "slow",
				manifest->rules[i].path,
				"takes %" PRId64 " ms for a sample of the "
				"good files; half of the others take %" PRId64
				" at most",
				times[i], median);
}

int
slow_find(const struct trial *trial, const char *rules)
{
	const struct manifest *manifest = trial->manifest;
	CLEANUP(sample_done) struct sample sample = { .dir = -1 };
	CLEANUP_FREE int64_t *times =
		calloc(2 * manifest->rules_len + 1, sizeof(times[0]));
	char path[PATH_MAX];

	if (!times)
		return -ENOMEM;
	int r = take_sample(trial->good, &sample);
	if (r < 0)
		return reason_set(trial->why, r, "%.300s: %s", trial->good,
				  strerror(-r));
	if (!sample.len)
		return 0;
	for (size_t i = 0; i < manifest->rules_len && r == 0; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", rules,
			     manifest->rules[i].path) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		r = measure(trial, path, &sample, &times[i]);
	}
	if (r == 0)
		judge(trial, times, times + manifest->rules_len);
	return r;
}
