/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On whose behalf a process asks. */
#pragma once

#include <stdint.h>

/*
 * The process's effective user, by the owner of its folder in `proc`, which
 * was opened with O_PATH; `other` when that cannot be seen.  Opens nothing.
 */
uint32_t asker_uid(int proc, uint32_t pid, uint32_t other);
