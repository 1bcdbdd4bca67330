/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls change privileges or reach into others.  Pure. */
#pragma once

#include <stdint.h>

struct khien_call;

/*
 * Fills 2 * KHIEN_CALLS bytes KHIEN_ACT_... for the architecture this is
 * compiled for, and KHIEN_CALLS bytes of which half has which number.
 */
void acts_fill(uint8_t *acts, uint8_t *kinds);

/*
 * Puts KHIEN_PASSED for each of them into the table and its bytes that
 * calls_fill() has filled, but for what is in there already.
 */
void acts_pass(struct khien_call *calls, uint8_t *kinds);
