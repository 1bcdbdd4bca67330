/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which other files a rule file asks for.  Only names are found here; what a
 * rule means is libyara's to say, in the jail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds the next include directive in text from *at on, and moves *at behind
 * it.  The name is borrowed from text and not ended by NUL.  Directives in
 * comments and strings are found too: a file too many is only not used.
 */
bool include_next(const char *text, size_t len, size_t *at,
		  const char **ret_name, size_t *ret_len);

/*
 * What rule file `from` (a path under its folder) means by `name`, as a plain
 * path under the same folder.  Returns 0; -EINVAL when the name is empty,
 * absolute or not a file's; -EXDEV when it leads out of the folder;
 * -ENAMETOOLONG.
 */
int include_path(char *dst, size_t size, const char *from, const char *name,
		 size_t len);
