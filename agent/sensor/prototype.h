/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running kernel's tracepoints hand to a program: they change with the
 * kernels, and a program for another form would be refused, or misread it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct prototype;

/* Reads the kernel's types.  0 and an object that is the caller's; -errno. */
int prototype_open(struct prototype **ret);
void prototype_close(struct prototype *prototype);
void prototype_closep(struct prototype **prototype);

/*
 * Whether there is that tracepoint, with these parameters: one letter each, 'p'
 * for an address and 'i' for a number.
 */
bool prototype_is(const struct prototype *prototype, const char *tracepoint,
		  const char *params);

/* The number, among the kernel's types, of what a program of tier L is attached
   to; 0: there is no such hook. */
uint32_t prototype_hook(const struct prototype *prototype, const char *hook);

/* Whether the hook's first parameter points to a struct of that name. */
bool prototype_hook_takes(const struct prototype *prototype, const char *hook,
			  const char *name);

/* Whether the kernel has a struct of that name. */
bool prototype_has_struct(const struct prototype *prototype, const char *name);

/* Whether the kernel has a typedef, or a helper of programs, of that name:
   "btf_trace_module_load", "BPF_FUNC_find_vma". */
bool prototype_has(const struct prototype *prototype, const char *name);
