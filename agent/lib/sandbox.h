/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts a role's limits in force on the calling process, for good: resource
 * limits, own uid and gid without supplementary groups, capabilities down to
 * the role's, no_new_privs, Landlock (or, where the kernel has none, an empty
 * chroot), seccomp.  Wraps libcap-ng and libseccomp.
 */
#pragma once

#include <stdint.h>

struct role;

/*
 * uid and gid: what to become; ignored when the caller is not root (an
 * offline tool is jailed with the caller's own uid).  dir is an O_PATH
 * descriptor of the only folder that stays reachable, as "/", when the role
 * has ROLE_FILES_DIR, else -1.  Open descriptors stay usable.  Memory can no
 * longer be made executable.  Sanitizer builds (KHIEN_SAN) leave out the system
 * call filter and the memory limit, which their runtimes do not survive.
 * Returns 0, or -errno with *ret_step (static text)
 * naming what was refused: the caller must then exit.
 */
int sandbox_enter(const struct role *role, uint32_t uid, uint32_t gid, int dir,
		  const char **ret_step);
