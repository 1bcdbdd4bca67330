/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/scanner.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"
#include "agent/scan/content.h"
#include "agent/scan/digest.h"
#include "agent/scan/yara.h"

/* Bytes between two looks at the clock: a millisecond's hashing. */
#define STEP_SIZE ((size_t)1 << 20)
/* Bytes of what is hashed but not mapped, read at once. */
#define CHUNK_SIZE ((size_t)1 << 18)
#define TRIES_MAX 2
/* What is hashed within a millisecond, and so may be when time is up. */
#define SMALL_SIZE STEP_SIZE

struct scanner {
	struct yara *yara;
	struct digest *digest;
	struct scanner_limits limits;
	uint32_t *found[TRIES_MAX]; /* each with room for every rule */
	uint8_t *chunk;		    /* CHUNK_SIZE, once it was needed */
};

/* One file being scanned. */
struct job {
	struct scanner *scanner;
	int fd;
	uint64_t size;
	uint64_t deadline_ns;
	bool hashed; /* even if small and clean */
	bool cut;    /* bytes were missing */
	struct scanner_result *result;
};

static void
close_contentp(struct content *content)
{
	content_close(content);
}

/*
 * glibc would learn from the first large block freed to keep the next ones:
 * what compiling took would stay.  A scan's own 256 KiB are kept.
 */
static void
tune_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 512 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

int
scanner_init(bool magic)
{
	int r = content_init();

	tune_memory();
	if (r == 0)
		r = digest_init();
	if (r == 0)
		r = yara_init(magic);
	return r;
}

int
scanner_new(struct yara *yara, const struct scanner_limits *limits,
	    struct scanner **ret_scanner)
{
	size_t room = yara_rules_len(yara) + 1;
	CLEANUP(scanner_freep)
	struct scanner *scanner = calloc(1, sizeof(*scanner));

	if (!scanner)
		return -ENOMEM;
	scanner->yara = yara;
	scanner_set_limits(scanner, limits);
	scanner->digest = digest_new();
	for (size_t i = 0; i < TRIES_MAX; i++) {
		scanner->found[i] = calloc(room, sizeof(uint32_t));
		if (!scanner->found[i])
			return -ENOMEM;
	}
	if (!scanner->digest)
		return -ENOMEM;
	*ret_scanner = TAKE(scanner);
	return 0;
}

void
scanner_free(struct scanner *scanner)
{
	if (!scanner)
		return;
	digest_free(scanner->digest);
	for (size_t i = 0; i < TRIES_MAX; i++)
		free(scanner->found[i]);
	free(scanner->chunk);
	free(scanner);
}

void
scanner_freep(struct scanner **scanner)
{
	scanner_free(*scanner);
}

void
scanner_set_limits(struct scanner *scanner, const struct scanner_limits *limits)
{
	scanner->limits = *limits;
	if (scanner->limits.max_size > SCANNER_SIZE_MAX)
		scanner->limits.max_size = SCANNER_SIZE_MAX;
}

__attribute__((format(printf, 3, 4))) static void
conclude(struct scanner_result *result, uint16_t what, const char *format, ...)
{
	va_list args;

	result->result = what;
	va_start(args, format);
	(void)vsnprintf(result->error, sizeof(result->error), format, args);
	va_end(args);
}

/* Only ever makes a clean file worse: a match stays one. */
static void
conclude_error(struct job *job, int error, const char *what)
{
	struct scanner_result *result = job->result;
	uint16_t kind = error == -ETIMEDOUT ? MSG_TIMEOUT : MSG_FAILED;

	if (result->result == MSG_MATCH)
		kind = MSG_MATCH;
	if (error == -ETIMEDOUT)
		conclude(result, kind, "%s took longer than the limit", what);
	else
		conclude(result, kind, "%s failed: %s", what, strerror(-error));
}

static bool
is_late(const struct job *job)
{
	return loop_now_ns() >= job->deadline_ns;
}

static int
hash_content(struct job *job, const struct content *content)
{
	struct digest *digest = job->scanner->digest;
	int r = digest_begin(digest);

	for (size_t at = 0; r == 0 && at < content->size; at += STEP_SIZE) {
		size_t left = content->size - at;
		if (content->size > SMALL_SIZE && is_late(job))
			return -ETIMEDOUT;
		r = digest_add(digest, content->bytes + at,
			       left < STEP_SIZE ? left : STEP_SIZE);
	}
	return r < 0 ? r : digest_end(digest, job->result->sha256);
}

/* Reads up to a chunk.  Returns its length, 0 at the end, or -errno. */
static ssize_t
read_chunk(const struct job *job, uint64_t at)
{
	uint64_t left = job->size - at;
	size_t size = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;

	for (;;) {
		ssize_t n =
			pread(job->fd, job->scanner->chunk, size, (off_t)at);
		if (n >= 0 || errno != EINTR)
			return n < 0 ? -errno : n;
	}
}

static int
hash_file(struct job *job)
{
	struct scanner *scanner = job->scanner;
	uint64_t at = 0;

	if (!scanner->chunk)
		scanner->chunk = malloc(CHUNK_SIZE);
	if (!scanner->chunk)
		return -ENOMEM;
	int r = digest_begin(scanner->digest);
	while (r == 0 && at < job->size) {
		if (is_late(job))
			return -ETIMEDOUT;
		ssize_t n = read_chunk(job, at);
		if (n < 0)
			return (int)n;
		if (n == 0) {
			job->cut = true;
			return 0;
		}
		at += (uint64_t)n;
		r = digest_add(scanner->digest, scanner->chunk, (size_t)n);
	}
	return r < 0 ? r : digest_end(scanner->digest, job->result->sha256);
}

static void
match(struct job *job, const struct yara_block *blocks, size_t len)
{
	struct yara *yara = job->scanner->yara;
	struct scanner_result *result = job->result;
	uint64_t now_ns = loop_now_ns();
	int r = -ETIMEDOUT;

	if (now_ns < job->deadline_ns)
		r = yara_scan(yara, blocks, len, job->size,
			      job->deadline_ns - now_ns, result->found,
			      &result->len);
	if (r == 0 && result->len > 0)
		result->result = MSG_MATCH;
	else if (r == -ETIMEDOUT)
		conclude_error(job, r, "matching");
	else if (r < 0)
		conclude(result, MSG_FAILED, "matching failed: %s",
			 yara_error(yara));
}

/*
 * A large one is hashed first: too slow to match, it is still told by its hash.
 * A small one can be hashed afterwards, and is not when that is of no use: it
 * is a quarter of what a clean file costs.
 */
static void
scan_whole(struct job *job)
{
	CLEANUP(close_contentp) struct content content;
	bool later = job->size <= SMALL_SIZE && !job->hashed;
	int r = content_open(&content, job->fd, 0, (size_t)job->size);

	if (r < 0) {
		conclude_error(job, r, "reading");
		return;
	}
	struct yara_block block = { .bytes = content.bytes,
				    .size = content.size };
	if (!later)
		r = hash_content(job, &content);
	if (r == 0)
		match(job, &block, 1);
	if (r == 0 && later && job->result->result != MSG_CLEAN)
		r = hash_content(job, &content);
	if (r < 0)
		conclude_error(job, r, "hashing");
	job->cut |= content_was_cut(&content);
}

/* Matched first: hashing a huge file may take all the time there is. */
static void
scan_parts(struct job *job)
{
	uint64_t max_size = job->scanner->limits.max_size;
	size_t half = (size_t)(max_size / 2);
	uint64_t at = job->size - half;
	CLEANUP(close_contentp) struct content head = { 0 };
	CLEANUP(close_contentp) struct content tail = { 0 };

	job->result->flags |= MSG_PARTIAL;
	int r = content_open(&head, job->fd, 0, half);
	if (r == 0)
		r = content_open(&tail, job->fd, at, half);
	if (r < 0) {
		conclude_error(job, r, "reading");
		return;
	}
	struct yara_block blocks[] = {
		{ .bytes = head.bytes, .size = head.size },
		{ .bytes = tail.bytes, .size = tail.size, .at = at },
	};
	match(job, blocks, 2);
	job->cut |= content_was_cut(&head) || content_was_cut(&tail);
	if (job->result->result != MSG_CLEAN &&
	    job->result->result != MSG_MATCH)
		return;
	r = hash_file(job);
	if (r < 0)
		conclude_error(job, r, "hashing");
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Returns whether the file was the same before and after. */
static bool
scan_once(struct job *job)
{
	struct scanner_result *result = job->result;
	struct stat before, after;

	result->result = MSG_CLEAN;
	if (fstat(job->fd, &before) < 0) {
		conclude(result, MSG_FAILED, "fstat failed: %s",
			 strerror(errno));
		return true;
	}
	if (!S_ISREG(before.st_mode)) {
		conclude(result, MSG_SKIPPED, "not a regular file");
		return true;
	}
	job->size = (uint64_t)before.st_size;
	result->size = job->size;
	if (job->size > job->scanner->limits.max_size)
		scan_parts(job);
	else
		scan_whole(job);
	if (job->cut)
		conclude_error(job, -EIO, "reading all of the file");
	return !job->cut && fstat(job->fd, &after) == 0 &&
	       is_same(&before, &after);
}

/*
 * Whether all tries read the same, whole, and found it bad: then the file was
 * renamed, or given another mode, and is no other one for that.
 */
static bool
is_same_content(const struct scanner_result *results, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (results[i].result != MSG_MATCH ||
		    results[i].error[0] != '\0' ||
		    !str_equal(results[i].sha256, results[0].sha256))
			return false;
	return true;
}

void
scanner_scan(struct scanner *scanner, int fd, bool hashed,
	     struct scanner_result *ret_result)
{
	struct scanner_result results[TRIES_MAX] = { 0 };
	uint64_t start_ns = loop_now_ns();
	struct job job = { .scanner = scanner, .fd = fd, .hashed = hashed };
	uint32_t flags = 0;
	size_t last;

	job.deadline_ns = start_ns + scanner->limits.timeout_ms * 1000000ULL;
	for (last = 0; last < TRIES_MAX; last++) {
		job.result = &results[last];
		job.result->found = scanner->found[last];
		job.cut = false;
		if (scan_once(&job))
			break;
		flags |= MSG_CHANGED;
	}
	if (last == TRIES_MAX)
		last--;
	if (is_same_content(results, last + 1))
		flags = 0;
	if (results[0].result == MSG_MATCH && results[last].result != MSG_MATCH)
		last = 0;
	*ret_result = results[last];
	ret_result->flags |= flags;
	ret_result->duration_us = (uint32_t)((loop_now_ns() - start_ns) / 1000);
}

size_t
scanner_tell(const struct scanner *scanner, const struct scanner_result *result,
	     size_t from, struct msg_verdict *verdict)
{
	size_t len = result->len - from;

	if (len > MSG_RULES_MAX)
		len = MSG_RULES_MAX;
	verdict->result = result->result;
	verdict->flags = result->flags;
	verdict->size = result->size;
	verdict->duration_us = result->duration_us;
	verdict->sha256 = result->sha256;
	verdict->error = result->error;
	verdict->len = (uint32_t)len;
	for (size_t i = 0; i < len; i++)
		verdict->matches[i] =
			*yara_rule(scanner->yara, result->found[from + i]);
	return len;
}
