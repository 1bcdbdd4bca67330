/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls on files that fail or kill at a chosen one.  Linked in, it takes
 * the place of libc's openat, read, write, fsync, renameat and unlinkat in this
 * program, and checks that nothing is renamed before it is on the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on, the call number `at` (from 1; 0: none) fails with that error; 0:
   the process ends there with FORGE_FAULTS_DIED, a write when half of it is
   done. */
#define FORGE_FAULTS_DIED 99
void forge_faults_arm(size_t at, int error);
/* Returns how many there were. */
size_t forge_faults_disarm(void);

/* Whether a file was renamed that had not been synced since it was written, or
   a folder was changed, without being synced, when another file was renamed or
   at the end. */
bool forge_faults_unsafe(void);

/* Runs fn in a child that dies at call number `at`.  Returns false when it was
   over before. */
bool forge_faults_kill(size_t at, void (*fn)(void));
