/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one way in which metadata writes a time: "1985-10-21T01:21:00Z". */
#pragma once

#include <stdint.h>

/* Returns 0 and seconds since 1970; -EBADMSG when it is no such time. */
int date_parse(const char *text, int64_t *ret_s);

#define DATE_SIZE 21

/* Returns 0; -ERANGE and leaves dst empty outside the years 1970 to 9999. */
int date_write(char dst[DATE_SIZE], int64_t s);
