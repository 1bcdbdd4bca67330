/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/fetch/alone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/role.h"
#include "agent/lib/sandbox.h"
#include "updater/fetch/ca.h"
#include "updater/fetch/sink.h"
#include "updater/http/get.h"
#include "updater/http/http.h"
#include "updater/http/supply.h"
#include "updater/tuf/reason.h"

#define PIECE 65536

static int
seal(struct reason *why)
{
	const struct role *role = role_get(ROLE_FETCH);
	const char *step;

	int r = sandbox_enter(role, role->fallback_uid, role->fallback_uid, -1,
			      &step);
	return r < 0 ? reason_set(why, r, "sandbox refused at %s: %s", step,
				  strerror(-r)) :
		       0;
}

static int
copy_out(const struct sink *sink, struct reason *why)
{
	uint8_t bytes[PIECE];

	for (uint64_t at = 0; at < sink->size;) {
		ssize_t got = pread(sink->fd, bytes, sizeof(bytes), (off_t)at);
		if (got <= 0)
			return reason_set(why, -EIO, "what came is lost");
		int r = file_write_all(STDOUT_FILENO, bytes, (size_t)got);
		if (r < 0)
			return reason_set(why, r, "standard output: %s",
					  strerror(-r));
		at += (uint64_t)got;
	}
	return 0;
}

static int
bring(struct get *get, const struct alone *alone, struct sink *sink,
      struct reason *why)
{
	struct supply_order order = { .size_max = alone->size_max,
				      .must = true,
				      .packed = alone->packed };
	struct supply_end end;

	sink_use(sink, &order.sink);
	int r = get_file(get, &order, &end, why);
	if (r < 0)
		return r;
	log_info("%s: %" PRIu64 " bytes", end.mirror, end.size);
	return copy_out(sink, why);
}

static int
run(const struct alone *alone, struct reason *why)
{
	struct http_options options = { .proxy = alone->proxy,
					.limits = alone->limits };
	CLEANUP(get_freep) struct get *get = NULL;
	CLEANUP(sink_close) struct sink sink = { .fd = -1 };
	CLEANUP_FREE char *ca = NULL;

	int r = http_init();
	if (r == 0)
		r = ca_read(alone->ca, &ca, &options.ca_len, why);
	if (r < 0)
		return r;
	options.ca = ca;
	r = get_new(alone->urls, &options, &get, why);
	if (r < 0)
		return r;
	int fd = memfd_create("khien-fetch", MFD_CLOEXEC);
	r = fd < 0 ? -errno : sink_open(&sink, fd);
	if (r == 0)
		r = seal(why);
	return r < 0 ? r : bring(get, alone, &sink, why);
}

int
alone_run(const struct alone *alone)
{
	struct reason why = { "" };

	int r = run(alone, &why);
	if (r == 0)
		return EXIT_SUCCESS;
	log_error("%s", why.text[0] ? why.text : strerror(-r));
	return EXIT_FAILURE;
}
