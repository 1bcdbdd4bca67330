/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to "status": one object that says how everything is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct doc;
struct engine;

/* NULL or incomplete: no memory; see doc_write(). */
struct doc *status_write(struct engine *engine);
