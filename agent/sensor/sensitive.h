/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose opens for reading are told: which names the kernel lets through,
 * and which of those are meant.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct khien_names;
struct sensitive;

/*
 * Reads `list`, as `[sensor] sensitive` has it: patterns separated by ':', of
 * which the word "default" stands for the built-in ones; below `state_dir` the
 * agent's own files are always in it.  0 and a list that is the caller's, to be
 * freed with sensitive_free(); -EINVAL for what wildcard_is_valid() refuses;
 * -ENOMEM.
 */
int sensitive_new(const char *list, const char *state_dir,
		  struct sensitive **ret);
void sensitive_free(struct sensitive *sensitive);
void sensitive_freep(struct sensitive **sensitive);

/* Whether the file of that path is one of them. */
bool sensitive_matches(const struct sensitive *sensitive, const char *path);

/*
 * Lets the kernel pass all names of the list.  Those that `dst` had before and
 * the list has too are passed at every moment of it.
 */
void sensitive_fill(const struct sensitive *sensitive, struct khien_names *dst);
