/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loaded program begins to be called. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct bpf_program;
struct probe;

/*
 * Attaches it: to its tracepoint, to the root of the cgroups, or to the place
 * in the map `handlers` from which another program goes on with it.  Returns a
 * descriptor that keeps it attached, the caller's; -errno.
 */
int attach_program(struct bpf_program *bpf, const struct probe *probe,
		   size_t program);

/* Whether what that is, of a program that is attached, is a link. */
bool attach_is_link(const struct probe *probe, size_t program);
