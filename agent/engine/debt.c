/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/debt.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/engine/engine.h"
#include "agent/engine/loss.h"
#include "agent/engine/record.h"
#include "agent/engine/spool.h"
#include "agent/engine/writer.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/peer.h"

static int
make(struct engine *engine)
{
	CLEANUP_FD int fd = memfd_create("khien-engine-debt", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = peer_keep(engine->peer, DEBT_NAME, fd);
	if (r < 0)
		return r;
	engine->debt->fd = TAKE_FD(fd);
	return 0;
}

int
debt_open(struct engine *engine)
{
	struct debt *debt = engine->debt;

	debt->fd = peer_take_kept(engine->peer, DEBT_NAME);
	if (debt->fd < 0)
		return make(engine);
	ssize_t len = pread(debt->fd, debt->counts, sizeof(debt->counts), 0);
	if (len < 0)
		return -errno;
	/* Never written to: there was no debt. */
	if (len != sizeof(debt->counts))
		memset(debt->counts, 0, sizeof(debt->counts));
	return 0;
}

void
debt_close(struct debt *debt)
{
	file_closep(&debt->fd);
}

void
debt_tell(struct engine *engine)
{
	struct debt *debt = engine->debt;

	for (uint16_t class = EVENT_CRITICAL; class <= EVENT_AGENT; class ++) {
		uint64_t count = debt->counts[class];
		if (!count)
			continue;
		loss_add(engine->loss, class, count);
		struct record_agent agent = {
			.type = event_type_name(EVENT_LOSS),
			.boot_ns = loop_now_ns(),
			.lost_class = event_class_name(class),
			.count = count,
			.role = "engine",
			.message = "an engine ended while its store did not"
				   " work",
		};
		writer_agent(engine->writer, &agent);
	}
}

void
debt_set(struct engine *engine, bool stored)
{
	struct debt *debt = engine->debt;
	uint64_t counts[DEBT_CLASSES] = { 0 };

	for (size_t i = 0; !stored && i < DEBT_CLASSES; i++)
		counts[i] =
			engine->spool->counts[i] + engine->spool->dropped[i];
	if (debt->fd < 0 || memcmp(counts, debt->counts, sizeof(counts)) == 0)
		return;
	memcpy(debt->counts, counts, sizeof(counts));
	if (pwrite(debt->fd, counts, sizeof(counts), 0) != sizeof(counts))
		log_warning("debt: %m, a death now would go uncounted");
}
