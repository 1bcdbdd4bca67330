/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths as the agent can be told them. */
#pragma once

/*
 * Makes a path absolute: the agent does not know what our working folder is.
 * Returns 0 and the caller's own *ret_path; -EINVAL when there is none in it;
 * -EILSEQ when it is not UTF-8 (it would be escaped, and name another file);
 * -ENOMEM; -errno of getcwd(3).
 */
int where_find(const char *path, char **ret_path);
