/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls the kernel program reads, and how: its two tables. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct khien_call;

/* Fills KHIEN_CALLS entries for the architecture this is compiled for. */
void calls_fill(struct khien_call *calls);

/* Fills KHIEN_QUIET magics of file systems that are not told. */
void calls_fill_quiet(uint32_t *quiet);

/* Flags of open(2) that make an open worth looking at. */
uint32_t calls_open_flags(void);
