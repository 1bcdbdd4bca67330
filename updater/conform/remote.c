/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/conform/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/client/client.h"
#include "updater/http/http.h"
#include "updater/tuf/reason.h"

#define URL_SIZE 8192

struct remote {
	const char *metadata_url, *target_url; /* borrowed */
	struct http *http;		       /* owned */
};

struct remote *
remote_new(const char *metadata_url, const char *target_url)
{
	CLEANUP(remote_freep)
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return NULL;
	remote->metadata_url = metadata_url;
	remote->target_url = target_url;
	remote->http = http_new();
	return remote->http ? TAKE(remote) : NULL;
}

void
remote_free(struct remote *remote)
{
	if (!remote)
		return;
	http_free(remote->http);
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
	const char *base = what == CLIENT_TARGET ? remote->target_url :
						   remote->metadata_url;
	char url[URL_SIZE];
	size_t len = strlen(base);

	while (len && base[len - 1] == '/')
		len--;
	int all = snprintf(url, sizeof(url), "%.*s/%s", (int)len, base, path);
	if (all < 0 || (size_t)all >= sizeof(url))
		return reason_set(why, -EIO, "the address is too long");
	return http_get(remote->http, url, size_max, sink->add, sink->arg, why);
}

void
remote_use(struct remote *remote, struct client_mirror *ret_mirror)
{
	*ret_mirror = (struct client_mirror){ get, remote };
}
