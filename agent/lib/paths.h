/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths as configuration writes them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether path is `folder` or lies beneath it, by the bytes of both. */
bool paths_is_beneath(const char *path, const char *folder);

/* Whether path lies beneath one of several folders that ':' separates. */
bool paths_has(const char *path, const char *folders);

/*
 * Copies the next of several paths that ':' separates and moves *at behind it.
 * Returns false at the end, or when one does not fit.
 */
bool paths_next(const char **at, char *dst, size_t size);
