/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's command line says to the agent. */
#pragma once

#include <stdbool.h>

#define BOOT_DISARM "khien.guard=0"

/* Whether the command line `text` has that word: the guard is not armed. */
bool boot_disarms(const char *text);

/*
 * The same of this machine's; false also when it cannot be read: who can keep
 * us from it must not turn the guard off by that.
 */
bool boot_is_disarmed(void);
