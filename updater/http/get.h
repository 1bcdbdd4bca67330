/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supply.h for a program that has nothing else to do meanwhile. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct get;
struct http_options;
struct reason;
struct supply_end;
struct supply_order;

/* As supply_new(), in a loop of its own. */
int get_new(const char *mirrors, const struct http_options *options,
	    struct get **ret_get, struct reason *why);
void get_free(struct get *get);
void get_freep(struct get **get);

/* As supply_start(), and waits for the end.  Returns its error. */
int get_file(struct get *get, const struct supply_order *order,
	     struct supply_end *ret_end, struct reason *why);
