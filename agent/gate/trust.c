/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/trust.h"

#include <linux/magic.h>
#include <sys/stat.h>

#include "agent/gate/ident.h"

bool
trust_is_writable(const struct ident *ident)
{
	return ident->uid != 0 || (ident->mode & (S_IWGRP | S_IWOTH)) != 0;
}

enum trust
trust_of(const struct ident *ident, uint64_t fs_type)
{
	if (ident->handle_len == 0 || fs_type == OVERLAYFS_SUPER_MAGIC)
		return TRUST_NONE;
	return trust_is_writable(ident) ? TRUST_USER : TRUST_ROOT;
}
