/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of this machine decides when a release is for it. */
#pragma once

#include <stdint.h>

#define HOST_SEED_SIZE 128

struct host {
	char seed[HOST_SEED_SIZE];
	int32_t place; /* 0 to 100, or CHOOSE_ANY_PLACE */
};

/*
 * place: as `[update] place` has it; "": by /etc/machine-id, and a machine
 * without one comes last.  Returns 0, or -EINVAL when that is no place.
 */
int host_read(const char *place, struct host *ret_host);
