/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiling rules and matching them against memory.  Wraps libyara: the only
 * file that includes its header is yara.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_about;
struct msg_match;
struct rules;
struct yara;

/* A stretch of a file in memory. */
struct yara_block {
	const uint8_t *bytes; /* may be NULL when size is 0 */
	size_t size;
	uint64_t at; /* where in the file it begins */
};

/*
 * Readies the library, before the jail is shut: `magic` says whether a rule
 * needs libmagic's data, which is opened here or never.  Returns 0 or -errno.
 */
int yara_init(bool magic);

/*
 * Compiles all listed files, each in a namespace of its own.  A file that
 * does not compile is refused ("file:line: message") and the others stay.
 * `rules` is borrowed, its texts are not needed afterwards.  Returns 0;
 * -ENOMEM; -EINVAL when libyara refuses them all together.
 */
int yara_new(struct rules *rules, struct yara **ret_yara);
void yara_free(struct yara *yara);
void yara_freep(struct yara **yara);

/* The rules, private ones as well; they live as long as yara. */
size_t yara_rules_len(const struct yara *yara);
const struct msg_match *yara_rule(const struct yara *yara, size_t i);
/* NULL when `rules` did not ask for it; lives as long. */
const struct msg_about *yara_about(const struct yara *yara, size_t i);

/*
 * Matches the `len` blocks of a file of `file_size` bytes.  The numbers of the
 * rules that matched go to `matches`, which has room for yara_rules_len().
 * Returns 0; -ETIMEDOUT when timeout_ns (not 0) went by; -ENOMEM; -EINVAL and
 * other errors of the library, which yara_error() puts into words.
 */
int yara_scan(struct yara *yara, const struct yara_block *blocks, size_t len,
	      uint64_t file_size, uint64_t timeout_ns, uint32_t *matches,
	      size_t *ret_len);

/* What stopped the last yara_scan(), as text. */
const char *yara_error(const struct yara *yara);

/* The library's version. */
const char *yara_version(void);
