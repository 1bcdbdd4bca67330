/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packed test files of a release.  Wraps zlib. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks one whole member of gzip (RFC 1952) into dst, which it must fill to
 * the last byte.  Returns 0; -EBADMSG: damaged, longer, shorter, or followed by
 * something else; -ENOMEM.
 */
int unpack_gzip(const uint8_t *bytes, size_t len, uint8_t *dst, size_t size);
