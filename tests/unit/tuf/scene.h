/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One repository, made anew for each test that includes this, and refreshed. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tuf/forge.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct forge *forge;

static inline int
set_up(void **state)
{
	(void)state;
	forge = forge_new();
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	forge_free(forge);
	return 0;
}

static inline struct forge_role *
role(enum metadata_type type)
{
	return &forge->roles[type];
}

/* One refresh must end so; what it says must name the file or the check. */
static inline void
expect(int result, const char *said)
{
	int r = forge_refresh(forge, NULL, NULL);

	if (r != result || (said && !strstr(forge->why.text, said)))
		fail_msg("%d instead of %d, \"%s\" instead of \"%s\"", r,
			 result, forge->why.text, said ? said : "");
}

static inline void
publish_root(void)
{
	role(METADATA_ROOT)->version++;
	forge_root(forge);
}
