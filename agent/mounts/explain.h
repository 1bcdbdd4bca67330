/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to say of a mount, for people. */
#pragma once

#include <stdbool.h>

struct cover_entry;
struct elsewhere_mount;
struct marks_entry;
struct table_mount;
struct watch_missing;

/* `mark` is what the gate was told and said of its file system; NULL: nothing.
   Each fills the whole entry, whose point is the mount's. */
void explain_mount(const struct table_mount *mount,
		   const struct marks_entry *mark,
		   struct cover_entry *ret_entry);
void explain_elsewhere(const struct elsewhere_mount *mount,
		       const struct marks_entry *mark,
		       struct cover_entry *ret_entry);

/* A path of [gate] watch, or with `enforced` of [gate] enforce. */
void explain_missing(const struct watch_missing *missing, bool enforced,
		     struct cover_entry *ret_entry);
