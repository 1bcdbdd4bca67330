/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/reason.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int r;
	const char *advice;
} advices[] = {
	{ -EBADMSG, "who publishes must write this file anew" },
	{ -EPROTONOSUPPORT, "a newer agent is needed" },
	{ -EKEYREJECTED, "who publishes must have it signed by enough keys" },
	{ -ENOKEY, "it needs a classical and a post-quantum signature" },
	{ -ENOPKG, "a newer libcrypto is needed for this repository" },
	{ -EKEYEXPIRED, "if the clock is right, somebody withholds updates or "
			"none are published" },
	{ -ESTALE, "somebody may be replaying old files" },
	{ -EBADE, "the mirror is damaged, being written to, or hostile" },
	{ -EFBIG, "the mirror is damaged, or hostile" },
	{ -EPROTO, "the mirror is damaged, or hostile" },
};

int
reason_set(struct reason *why, int r, const char *format, ...)
{
	va_list args;

	if (!why)
		return r;
	va_start(args, format);
	(void)vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return r;
}

int
reason_about(struct reason *why, int r, const char *file)
{
	const char *advice = "";
	char text[REASON_SIZE];

	if (!why)
		return r;
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].r == r)
			advice = advices[i].advice;
	memcpy(text, why->text, sizeof(text));
	(void)snprintf(why->text, sizeof(why->text), "%.160s: %.320s%s%s", file,
		       text[0] ? text : strerror(-r), advice[0] ? "; " : "",
		       advice);
	return r;
}
