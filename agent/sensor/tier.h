/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tier L: programs of the security modules' hooks.  Some machines refuse them
 * to root, some take them and never call them: found out by one that does
 * nothing but leave a mark.
 */
#pragma once

#include <stdint.h>

struct prototype;

/*
 * Loads and attaches that program for as long as it takes to call it.  0; the
 * errno with which it is refused; PROGRAMS_UNCALLED.
 */
int32_t tier_try(const struct prototype *prototype);
