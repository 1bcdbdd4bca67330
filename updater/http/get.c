/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/get.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "updater/http/supply.h"
#include "updater/tuf/reason.h"

struct get {
	struct loop *loop;     /* owned */
	struct supply *supply; /* owned */
	struct supply_end end;
	struct reason why;
};

int
get_new(const char *mirrors, const struct http_options *options,
	struct get **ret_get, struct reason *why)
{
	CLEANUP(get_freep) struct get *get = calloc(1, sizeof(*get));

	if (!get)
		return -ENOMEM;
	get->loop = loop_new();
	if (!get->loop)
		return -errno;
	int r = supply_new(get->loop, mirrors, options, &get->supply, why);
	if (r == 0)
		*ret_get = TAKE(get);
	return r;
}

void
get_free(struct get *get)
{
	if (!get)
		return;
	supply_free(get->supply);
	loop_free(get->loop);
	free(get);
}

void
get_freep(struct get **get)
{
	get_free(*get);
	*get = NULL;
}

static void
on_end(void *arg, const struct supply_end *end, const struct reason *why)
{
	struct get *get = arg;

	get->end = *end;
	get->why = *why;
	loop_stop(get->loop);
}

int
get_file(struct get *get, const struct supply_order *order,
	 struct supply_end *ret_end, struct reason *why)
{
	int r = supply_start(get->supply, order, on_end, get, why);

	if (r == 0)
		r = loop_run(get->loop);
	if (r < 0)
		return r;
	*ret_end = get->end;
	*why = get->why;
	return get->end.error;
}
