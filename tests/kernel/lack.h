/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a machine lack something: the words of a plan for that. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Does what the words say; what cannot be done is said on the console.  False:
 * they are not for us.
 *
 *   folder PATH UID      make it, his alone
 *   hide FOLDER          mount an empty one over it
 *   tmpfs FOLDER OPTIONS mount one there
 *   unmount PATH
 *   readonly MOUNT
 *   fill PATH            write into that file until there is no room
 *   write PATH TEXT      into a file, new or not
 *   refuse WHAT...       to what is run from now on: bpf (EPERM), fanotify
 *                        (ENOSYS), permission (marks that ask: EINVAL); nothing
 *                        when nothing is named
 */
bool lack_follow(char **words, size_t len);

/* In a child, before it executes anything: puts `refuse` in force. */
void lack_enter(void);
