/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"
#include "agent/scan/rules.h"
#include "agent/scan/sample.h"
#include "agent/scan/vector.h"
#include "agent/scan/yara.h"

#define MS_NS UINT64_C(1000000)
#define TRIES_MAX 6 /* on a machine that has no time for us */
#define BLAME_NS (60 * UINT64_C(1000000000))
/* Fewer files say nothing of an average. */
#define AVERAGE_LEAST 20

__attribute__((format(printf, 3, 4))) static int
say(struct proof *proof, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(proof->why, sizeof(proof->why), format, args);
	va_end(args);
	return r;
}

static uint64_t
spent_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 * MS_NS + (uint64_t)now.tv_nsec;
}

int
proof_begin(struct proof *proof, struct rules *rules,
	    const struct proof_limits *limits)
{
	*proof = (struct proof){ .rules = rules, .limits = *limits };
	int r = yara_new(rules, &proof->yara);
	for (size_t i = 0; i < rules->len; i++)
		if (rules_is_failure(&rules->files[i]))
			return say(proof, -EINVAL, "rule file %s",
				   rules->files[i].error);
	if (r < 0)
		return say(proof, r, "the rules do not compile together: %s",
			   strerror(-r));
	proof->rules_len = (uint32_t)yara_rules_len(proof->yara);
	proof->matches = calloc(proof->rules_len + 1, sizeof(*proof->matches));
	if (!proof->matches)
		return say(proof, -ENOMEM, "out of memory");
	return 0;
}

void
proof_done(struct proof *proof)
{
	yara_free(proof->yara);
	free(proof->matches);
	proof->yara = NULL;
	proof->matches = NULL;
}

/*
 * Time that this process did not have is no fault of the rules: then once
 * more, with a longer limit.
 */
static int
scan(struct yara *yara, uint32_t *matches, uint32_t timeout_ms,
     const uint8_t *bytes, size_t size, size_t *ret_len)
{
	struct yara_block block = { .bytes = bytes, .size = size };
	uint64_t limit_ns = timeout_ms * MS_NS;
	int r = -ETIMEDOUT;

	for (int i = 0; r == -ETIMEDOUT && i < TRIES_MAX; i++) {
		uint64_t from_ns = spent_ns(CLOCK_PROCESS_CPUTIME_ID);
		r = yara_scan(yara, &block, 1, size, limit_ns << i, matches,
			      ret_len);
		uint64_t took_ns = spent_ns(CLOCK_PROCESS_CPUTIME_ID) - from_ns;
		if (took_ns >= limit_ns / 2)
			return r;
	}
	return r;
}

/* Whether that file alone takes longer than it may. */
static bool
is_slow(struct proof *proof, size_t at, const uint8_t *bytes, size_t size)
{
	CLEANUP(yara_freep) struct yara *yara = NULL;
	size_t len;

	proof->rules->files[at].listed = true;
	bool slow = yara_new(proof->rules, &yara) == 0 &&
		    scan(yara, proof->matches, proof->limits.timeout_ms / 4,
			 bytes, size, &len) == -ETIMEDOUT;
	proof->rules->files[at].listed = false;
	return slow;
}

/* libyara does not say whose fault it was: each file by itself will. */
static int
blame(struct proof *proof, const char *name, const uint8_t *bytes, size_t size)
{
	struct rules *rules = proof->rules;
	uint64_t end_ns = spent_ns(CLOCK_MONOTONIC) + BLAME_NS;
	bool *listed CLEANUP_FREE = calloc(rules->len + 1, sizeof(*listed));

	for (size_t i = 0; listed && i < rules->len; i++) {
		listed[i] = rules_is_wanted(&rules->files[i]);
		rules->files[i].listed = false;
	}
	yara_free(TAKE(proof->yara)); /* their room is needed */
	for (size_t i = 0; listed && i < rules->len; i++) {
		if (spent_ns(CLOCK_MONOTONIC) > end_ns)
			break;
		if (listed[i] && is_slow(proof, i, bytes, size))
			return say(proof, -EINVAL,
				   "rule file %s%s did not end with %s in "
				   "%" PRIu32 " ms",
				   rules->prefixes[rules->files[i].folder],
				   rules->files[i].path, name,
				   proof->limits.timeout_ms / 4);
	}
	return say(proof, -EINVAL,
		   "the rules did not end with %s in %" PRIu32 " ms, and none "
		   "of their files alone takes that long",
		   name, proof->limits.timeout_ms);
}

static int
try_file(struct proof *proof, const char *name, const uint8_t *bytes,
	 size_t size, size_t *ret_len)
{
	int r = scan(proof->yara, proof->matches, proof->limits.timeout_ms,
		     bytes, size, ret_len);

	if (r == -ETIMEDOUT)
		return blame(proof, name, bytes, size);
	if (r < 0)
		return say(proof, -EINVAL, "%s cannot be scanned: %s", name,
			   yara_error(proof->yara));
	return 0;
}

static bool
has_matched(const struct proof *proof, size_t len, const char *rule)
{
	for (size_t i = 0; i < len; i++)
		if (str_equal(yara_rule(proof->yara, proof->matches[i])->rule,
			      rule))
			return true;
	return false;
}

/* Also others may match it, unless none may. */
static int
compare(struct proof *proof, const char *name, const struct doc_value *entry,
	size_t len)
{
	size_t wanted = doc_len(entry, "matches");

	if (!wanted && len) {
		const struct msg_match *match =
			yara_rule(proof->yara, proof->matches[0]);
		return say(proof, -EINVAL,
			   "rule %s of %s matches the test file %s, which "
			   "nothing may match",
			   match->rule, match->ruleset, name);
	}
	for (size_t i = 0; i < wanted; i++) {
		const char *rule =
			doc_text_or(doc_item(entry, "matches", i), NULL, "");
		if (!has_matched(proof, len, rule))
			return say(proof, -EINVAL,
				   "rule %.128s does not match the test file "
				   "%s, which it must",
				   rule, name);
	}
	return 0;
}

static int
try_vector(struct proof *proof, const struct doc_value *entry,
	   const struct vector *vector)
{
	const char *sha256 = doc_text_or(entry, "sha256", "");
	int64_t size = doc_number_or(entry, "size", -1);
	uint8_t *bytes CLEANUP_FREE = NULL;
	char name[256];
	size_t len;

	(void)snprintf(name, sizeof(name), "%s",
		       doc_text_or(entry, "name", ""));
	if (size < 0 || !doc_is_list(entry, "matches"))
		return say(proof, -EINVAL,
			   "manifest.json: the test file '%s' lacks a size or "
			   "what it matches",
			   name);
	int r = vector_read(vector, sha256, (size_t)size, &bytes);
	if (r < 0)
		return say(proof, r == -ENOMEM ? r : -EINVAL,
			   "the test file %s (%.64s) cannot be read: %s", name,
			   sha256, strerror(-r));
	r = try_file(proof, name, bytes, (size_t)size, &len);
	if (r == 0)
		r = compare(proof, name, entry, len);
	if (r == 0)
		proof->vectors++;
	return r;
}

int
proof_vectors(struct proof *proof, const struct doc_value *manifest,
	      uint64_t number, const struct vector *vector)
{
	int64_t told = doc_number_or(manifest, "number", 0);
	size_t len = doc_len(manifest, "vectors");

	if (told != (int64_t)number)
		return say(proof, -EINVAL,
			   "manifest.json is of release %" PRId64
			   ", not %" PRIu64,
			   told, number);
	if (len > VECTOR_MAX)
		return say(proof, -EINVAL,
			   "manifest.json names more than %d test files",
			   VECTOR_MAX);
	for (size_t i = 0; i < len; i++) {
		int r = try_vector(proof, doc_item(manifest, "vectors", i),
				   vector);
		if (r < 0)
			return r;
	}
	return 0;
}

/* As much as there is: it may be cut short at any time. */
static size_t
read_some(int fd, uint8_t *dst, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t some = pread(fd, dst + len, size - len, (off_t)len);
		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			break;
		len += (size_t)some;
	}
	return len;
}

static int
try_sample(struct proof *proof, const char *path, const uint8_t *bytes,
	   size_t size)
{
	size_t len;

	int r = try_file(proof, path, bytes, size, &len);
	for (size_t i = 0; r == 0 && i < len; i++) {
		const struct msg_match *match =
			yara_rule(proof->yara, proof->matches[i]);
		if (msg_severity_find(match->severity) >=
		    proof->limits.min_severity)
			return say(proof, -EINVAL,
				   "rule %s of %s matches %s, a file of root",
				   match->rule, match->ruleset, path);
	}
	if (r == 0)
		proof->samples++;
	return r;
}

int
proof_samples(struct proof *proof, const struct sample *sample)
{
	uint8_t *bytes CLEANUP_FREE = malloc(SAMPLE_SIZE_MAX);
	uint64_t from_ns = spent_ns(CLOCK_PROCESS_CPUTIME_ID);

	if (!bytes)
		return say(proof, -ENOMEM, "out of memory");
	for (size_t i = 0; i < sample->len; i++) {
		const struct sample_file *file = &sample->files[i];
		size_t len = read_some(file->fd, bytes, SAMPLE_SIZE_MAX);
		int r = try_sample(proof, file->path, bytes, len);
		if (r < 0)
			return r;
	}
	if (sample->len < AVERAGE_LEAST)
		return 0;
	uint64_t each_ns =
		(spent_ns(CLOCK_PROCESS_CPUTIME_ID) - from_ns) / sample->len;
	if (each_ns <= proof->limits.deadline_ms * MS_NS / 2)
		return 0;
	return say(proof, -EINVAL,
		   "files of this machine take %" PRIu64 " ms each with these "
		   "rules, more than half of [gate] deadline_ms",
		   each_ns / MS_NS);
}
