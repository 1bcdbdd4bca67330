/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs khien-scan, the one that lies beside this program or is installed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reason;

#define RUN_OUTPUT_MAX (64 * 1024 * 1024) /* bytes of each output */

struct run_result {
	int code;   /* its exit status; -1: it was killed by a signal */
	char *out;  /* owned: its output, ended by NUL */
	char *said; /* owned: its errors */
	int64_t cpu_ms;
};

/*
 * args are those behind the program's name, ended by NULL.  Returns 0; -ENOENT
 * when there is no khien-scan; -E2BIG for more output than the bound; -errno;
 * with why.  run_done() in any case.
 */
int run_scan(const char *const *args, struct run_result *ret_result,
	     struct reason *why);
void run_done(struct run_result *result);
