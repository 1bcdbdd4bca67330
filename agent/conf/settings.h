/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as its files say it: a key of a later file replaces one of
 * an earlier file; twice in one file is an error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/conf/problem.h"
#include "agent/lib/conf.h"

#define SETTINGS_KEYS_MAX 64
#define SETTINGS_FILES_MAX 256

/* Where a key got its value. */
struct settings_origin {
	uint16_t file; /* number in files; 0: nowhere, it is the default */
	unsigned int line;
};

struct settings {
	struct conf conf;
	struct problem problem;
	struct settings_origin origins[SETTINGS_KEYS_MAX]; /* as conf_list() */
	char *files[SETTINGS_FILES_MAX]; /* owned; [0] is not used */
	uint16_t files_len;
};

/* The defaults. */
void settings_init(struct settings *settings);
void settings_done(struct settings *settings);

/*
 * Reads the file and those of its folder FILE.d.  A file that is not there is
 * an error unless `optional`.  Errors are in settings->problem.
 */
void settings_read(struct settings *settings, const char *path, bool optional);

/* The same of bytes that stand for a file of that name. */
void settings_parse(struct settings *settings, const char *name,
		    const uint8_t *bytes, size_t len);

/* Where the key was set; false when it has its default. */
bool settings_find(const struct settings *settings, const char *section,
		   const char *key, struct problem_place *ret_place);
