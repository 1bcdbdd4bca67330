/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/conform/remote.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/lib/file.h"
#include "updater/client/client.h"
#include "updater/http/get.h"
#include "updater/http/http.h"
#include "updater/http/supply.h"
#include "updater/tuf/reason.h"

struct remote {
	struct get *metadata, *targets; /* owned; the second may be NULL */
};

int
remote_new(const char *metadata_url, const char *target_url,
	   struct remote **ret_remote, struct reason *why)
{
	struct http_options options = { .proxy = "" };
	CLEANUP(remote_freep)
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return -ENOMEM;
	limits_init(&options.limits);
	int r = http_init();
	if (r == 0)
		r = get_new(metadata_url, &options, &remote->metadata, why);
	if (r == 0 && target_url)
		r = get_new(target_url, &options, &remote->targets, why);
	if (r == 0)
		*ret_remote = TAKE(remote);
	return r;
}

void
remote_free(struct remote *remote)
{
	if (!remote)
		return;
	get_free(remote->metadata);
	get_free(remote->targets);
	free(remote);
}

void
remote_freep(struct remote **remote)
{
	remote_free(*remote);
	*remote = NULL;
}

static int
get(void *arg, enum client_what what, const char *path, size_t size_max,
    const struct client_sink *sink, struct reason *why)
{
	const struct remote *remote = arg;
	const struct supply_order order = {
		.folder = "",
		.path = path,
		.size_max = size_max,
		.packed = what == CLIENT_METADATA,
		.sink = { sink->add, sink->restart, sink->arg },
	};
	struct supply_end end;

	return get_file(what == CLIENT_TARGET ? remote->targets :
						remote->metadata,
			&order, &end, why);
}

void
remote_use(struct remote *remote, struct client_mirror *ret_mirror)
{
	*ret_mirror = (struct client_mirror){ get, remote };
}
