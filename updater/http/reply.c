/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/reply.h"

#include <errno.h>
#include <inttypes.h>

#include "agent/lib/str.h"

/* Of a body that nobody wants: read to its end if it is not longer, so that the
   connection can be used again.  Pages that tell of an error are short. */
#define UNWANTED_MAX (16 * 1024)
/* What compression may add to what cannot be compressed, and such a page. */
#define WIRE_SLACK (64 * 1024)

void
reply_init(struct reply *reply, const struct http_request *request,
	   uint32_t header_max)
{
	*reply =
		(struct reply){ .request = *request, .header_max = header_max };
}

static bool
too_long(struct reply *reply)
{
	reply->error = reason_set(&reply->why, -EFBIG,
				  "is longer than %" PRIu64 " bytes",
				  reply->request.size_max);
	return false;
}

bool
reply_header(struct reply *reply, size_t len)
{
	reply->header_bytes += len;
	if (reply->header_bytes <= reply->header_max)
		return true;
	reply->error = reason_set(&reply->why, -EPROTO,
				  "sends more than %u bytes of headers",
				  reply->header_max);
	return false;
}

/* Bytes that this body may have. */
static uint64_t
room(const struct reply *reply)
{
	const struct http_request *request = &reply->request;

	return reply->head.status == 206 ? request->size_max - request->from :
					   request->size_max;
}

/* libcurl takes the last of several, and what stands before the first sign
   that is no digit. */
static int
read_length(struct reply *reply, const char *length, size_t times)
{
	if (times > 1)
		return reason_set(&reply->why, -EPROTO,
				  "says its length %zu times", times);
	if (times == 1 &&
	    str_number(length, INT64_MAX, &reply->head.length) < 0)
		return reason_set(&reply->why, -EPROTO,
				  "says a length that is none: %.40s", length);
	return 0;
}

bool
reply_begin(struct reply *reply, const struct http_head *head,
	    const char *length, size_t times)
{
	const struct http_request *request = &reply->request;

	reply->begun = true;
	reply->head = *head;
	int r = read_length(reply, length, times);
	if (r == 0)
		r = request->on_head(request->arg, &reply->head, &reply->why);
	reply->wanted = r > 0;
	if (r < 0)
		reply->error = r;
	if (reply->wanted && !head->packed && reply->head.length > room(reply))
		return too_long(reply);
	return r >= 0;
}

bool
reply_body(struct reply *reply, const void *bytes, size_t len)
{
	const struct http_request *request = &reply->request;

	if (reply->wanted && len > room(reply) - reply->came)
		return too_long(reply);
	reply->came += len;
	reply->enough = !reply->wanted && reply->came > UNWANTED_MAX;
	if (!reply->wanted)
		return !reply->enough;
	int r = request->on_body(request->arg, bytes, len, &reply->why);
	if (r < 0)
		reply->error = r;
	return r >= 0;
}

bool
reply_wire(struct reply *reply, uint64_t len)
{
	if (reply->error < 0)
		return false;
	return len <= reply->request.size_max + WIRE_SLACK || too_long(reply);
}
