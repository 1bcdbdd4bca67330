/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What index and manifest have in common: an object that says its format. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct doc;
struct reason;

/*
 * Returns 0 and the document, the caller's; -EBADMSG when it is longer than
 * size_max, no such object, or says no format; -EPROTONOSUPPORT when that is
 * not `known`; -ENOMEM.
 */
int format_parse(const void *bytes, size_t len, size_t size_max, int64_t known,
		 struct doc **ret_doc, struct reason *why);
