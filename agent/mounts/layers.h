/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Overlays.  Who opens a file of an overlay opens, inside the kernel, the file
 * beneath it, and newer kernels ask about that as well.  Then the overlay
 * itself may not be watched: the kernel would open the file for the gate while
 * the gate reads the question, ask about the one beneath, and wait for the
 * gate, for ever.  Older kernels say nothing of files beneath, and it must be.
 */
#pragma once

#include <stdbool.h>

/*
 * Tries it, with an overlay in a mount namespace of its own that is gone
 * afterwards.  Returns whether files beneath are asked about; where it cannot
 * be tried also true: that is the side on which nobody hangs.
 */
bool layers_are_asked(void);

/* Whether files of that type have others beneath them. */
bool layers_has(const char *type);
