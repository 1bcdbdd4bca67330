/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khien-fetch for people: one file to standard output. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/http/limits.h"

struct alone {
	const char *urls;  /* of the file, separated by spaces */
	const char *ca;	   /* file; "": the system's */
	const char *proxy; /* "": none */
	uint64_t size_max;
	bool packed;
	struct limits limits;
};

/* In the same jail as khiend's child.  Nothing is written before all of it is
   there.  Returns the exit status: 0, or 1 and said why. */
int alone_run(const struct alone *alone);
