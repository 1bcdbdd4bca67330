/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls the kernel program reads, and how: its two tables. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct khien_call;

/*
 * Fills both halves of a table, 2 * KHIEN_CALLS entries, for the architecture
 * this is compiled for, and KHIEN_CALLS bytes of which half has which number.
 */
void calls_fill(struct khien_call *calls, uint8_t *kinds);

/* Fills KHIEN_QUIET magics of file systems that are not told. */
void calls_fill_quiet(uint32_t *quiet);

/* Flags of open(2) that make an open worth looking at. */
uint32_t calls_open_flags(void);
