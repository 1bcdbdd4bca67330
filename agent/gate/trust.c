/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/trust.h"

#include <linux/magic.h>
#include <sys/stat.h>

#include "agent/gate/ident.h"

/* Since the last change of the file, its owner or its mode. */
#define LASTING_NS INT64_C(10000000000)

bool
trust_is_writable(const struct ident *ident)
{
	return ident->uid != 0 || (ident->mode & (S_IWGRP | S_IWOTH)) != 0;
}

bool
trust_is_lasting(const struct ident *ident)
{
	return !trust_is_writable(ident) &&
	       ident->ctime_ns < ident->read_ns - LASTING_NS;
}

enum trust
trust_of(const struct ident *ident, uint64_t fs_type)
{
	if (ident->handle_len == 0 || fs_type == OVERLAYFS_SUPER_MAGIC)
		return TRUST_NONE;
	return trust_is_writable(ident) ? TRUST_USER : TRUST_ROOT;
}
