/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client may send: a request, or a line of a scan.  An accepted one is
 * a command that there is; a refused one comes with a reason.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/engine/request.h"
#include "agent/lib/file.h"
#include "agent/lib/msg_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP_FREE char *path = NULL;
	char why[REQUEST_WHY_SIZE] = "";
	struct request request;
	struct request_quarantine quarantine;
	struct request_guard guard;
	int64_t tag;

	if (size > REQUEST_MAX)
		return -1;
	int r = request_read((const char *)bytes, size, &request, why);
	if (r == 0 && (request.command < REQUEST_STATUS ||
		       request.command > REQUEST_QUERY || !request.word[0]))
		abort();
	if (r < 0 && !why[0])
		abort();
	why[0] = '\0';
	r = request_read_scan((const char *)bytes, size, &tag, &path, why);
	if (r < 0 && (!why[0] || path))
		abort();
	why[0] = '\0';
	r = request_read_quarantine((const char *)bytes, size, &quarantine,
				    why);
	if (r < 0 ? !why[0] : !quarantine.what)
		abort();
	why[0] = '\0';
	request.command = REQUEST_GUARD;
	r = request_read_guard((const char *)bytes, size, &request, &guard,
			       why);
	if (r < 0 ? !why[0] : !guard.what || guard.for_s > MSG_GUARD_FOR_MAX_S)
		abort();
	return 0;
}
