/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of all rule files, read before the jail is shut.  Nothing in it is
 * looked at but the names that include directives give.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULES_FILES_MAX 8192		  /* large public sets have 6,000 */
#define RULES_SIZE_MAX (64 * 1024 * 1024) /* bytes of all files together */
#define RULES_DEPTH_MAX 16		  /* folders, and nested includes */
#define RULES_PATH_MAX                                                         \
	512 /* bytes of a path with its NUL: 64
					      of them fit in one verdict */
#define RULES_FOLDERS_MAX 64

struct rules_file {
	char *path;	 /* under its folder */
	char *text;	 /* NULL: could not be read */
	size_t len;	 /* of text, which has a NUL behind it as well */
	char *error;	 /* why it is left out, path first; or NULL */
	uint32_t folder; /* includes are found in the same one only */
	bool listed;	 /* compiled by itself, not only where included */
};

/* All zero before the first add. */
struct rules {
	struct rules_file *files; /* sorted by folder and path */
	size_t len;
	size_t size; /* bytes of all texts */
	bool about;  /* what rules say of themselves is to be told in full */
	uint32_t folders;
	char *prefixes[RULES_FOLDERS_MAX]; /* a folder's name as it was given,
					      with a slash behind it, or "" */
	bool named
		[RULES_FOLDERS_MAX]; /* the prefix is told of its rules, too */
};

/*
 * Reads every *.yar file beneath a folder: regular files, or symbolic links
 * to some that do not leave the folder; names with a leading dot are passed
 * over.  A file that cannot be read becomes an entry with an error.  Returns 0
 * or -errno when the folder itself cannot be read (-ENOENT: there is none);
 * -E2BIG when a limit above is passed, -ENOMEM.
 */
int rules_add_folder(struct rules *rules, const char *path);

/*
 * The same of a folder beneath `dir`, which no symbolic link may be on the way
 * to.  It is called `name` wherever its files and rules are told of.
 */
int rules_add_beneath(struct rules *rules, int dir, const char *path,
		      const char *name);

/*
 * Reads one rule file and, beneath the folder it lies in, those it includes.
 * Errors as of rules_add_folder().
 */
int rules_add_file(struct rules *rules, const char *path);

/* Either of the two, by what is found at the path. */
int rules_add(struct rules *rules, const char *path);

/* NULL when there is no such file, or it could not be read. */
const struct rules_file *rules_find(const struct rules *rules, uint32_t folder,
				    const char *path);

/* What stands before the paths of that folder's rules: a name, or "". */
const char *rules_name(const struct rules *rules, uint32_t folder);

/* Whether any text has these bytes. */
bool rules_contain(const struct rules *rules, const char *text);

/* Whether the file is to be compiled; whether that it is not must be told. */
bool rules_is_wanted(const struct rules_file *file);
bool rules_is_failure(const struct rules_file *file);

/* Leaves the file out from now on; the first reason stays.  0 or -ENOMEM. */
int rules_refuse(struct rules_file *file, const char *error);

/* Frees the texts once they are compiled; paths and errors stay. */
void rules_drop_texts(struct rules *rules);

void rules_done(struct rules *rules);
