/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/format.h"

#include <errno.h>
#include <inttypes.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/tuf/reason.h"

#define SAID_SIZE 200

int
format_parse(const void *bytes, size_t len, size_t size_max, int64_t known,
	     struct doc **ret_doc, struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	char said[SAID_SIZE] = "";
	int64_t format;

	if (len > size_max)
		return reason_set(why, -EBADMSG,
				  "has %zu bytes, and %zu are allowed", len,
				  size_max);
	int r = doc_parse(bytes, len, &doc, said, sizeof(said));
	if (r == -EINVAL)
		return reason_set(why, -EBADMSG, "is not JSON: %s", said);
	if (r < 0)
		return r;
	r = doc_number(doc_root(doc), "format", &format);
	if (r < 0)
		return reason_set(why, -EBADMSG, "has no number \"format\"");
	if (format != known)
		return reason_set(why, -EPROTONOSUPPORT,
				  "has format %" PRId64 ", and only %" PRId64
				  " is known here",
				  format, known);
	*ret_doc = TAKE(doc);
	return 0;
}
