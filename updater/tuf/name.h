/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of roles and targets as names of files and parts of URLs.  What comes
 * out never begins a path, climbs out of a folder or has a '/' that was not
 * wanted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reason;
struct target;

#define NAME_TARGET_MAX 1024 /* bytes of a target's name */
/* Room for one that is encoded whole, with a hash in front. */
#define NAME_URL_SIZE (3 * NAME_TARGET_MAX + 256)

/*
 * Percent-encodes all but letters, digits and "-._~" (RFC 3986), and '/' too
 * unless keep_slash.  Returns 0, or -ENAMETOOLONG and leaves dst empty.
 */
int name_encode(char *dst, size_t size, const char *name, bool keep_slash);

/*
 * A target's name is relative, without empty parts, "." and "..", and without
 * control characters and '\'.  Returns 0; -EINVAL; -ENAMETOOLONG.
 */
int name_check_target(const char *name, struct reason *why);

/*
 * Where the target is, relative to the base of targets: "a/HASH.b" when
 * snapshots are consistent.  Returns 0; -ENAMETOOLONG; -EBADE when no hash is
 * known; -EINVAL.
 */
int name_target_url(char *dst, size_t size, const struct target *target,
		    bool consistent, struct reason *why);
