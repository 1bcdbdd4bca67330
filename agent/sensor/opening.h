/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object files of kernel/, which are a part of this program. */
#pragma once

#include <stddef.h>

struct bpf_object;
struct probe;

/*
 * Opens one (enum programs_object) and turns the knobs in its .rodata: nothing
 * is loaded yet, so what the programs see as constants is ours.  Returns 0 or
 * -errno; *ret is the caller's, and NULL, or to be closed even after an error.
 */
int opening_open(struct bpf_object **ret, size_t which,
		 const struct probe *probe);
