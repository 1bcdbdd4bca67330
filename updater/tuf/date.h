/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one way in which metadata writes a time: "1985-10-21T01:21:00Z". */
#pragma once

#include <stdint.h>

/* Returns 0 and seconds since 1970; -EBADMSG when it is no such time. */
int date_parse(const char *text, int64_t *ret_s);
