/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/limits.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "agent/lib/str.h"

/* Of any: a day, in milliseconds. */
#define MOST (24 * 3600 * 1000)

/* Versions 14 and 19 lay this out differently. */
/* clang-format off */
#define FIELD(name) { #name, offsetof(struct limits, name) }
/* clang-format on */

static const struct {
	const char *name;
	size_t at;
} fields[] = {
	FIELD(connect_ms), FIELD(header_ms),   FIELD(header_bytes),
	FIELD(slow_bytes), FIELD(slow_s),      FIELD(redirects),
	FIELD(whole_ms),   FIELD(whole_bytes), FIELD(tries),
	FIELD(backoff_ms), FIELD(wait_ms),
};

void
limits_init(struct limits *ret_limits)
{
	*ret_limits = (struct limits){
		/* A name server that is silent, and a far one that is not. */
		.connect_ms = 20 * 1000,
		.header_ms = 20 * 1000,
		/* As libcurl bounds one line of it. */
		.header_bytes = 100 * 1024,
		/* The worst line that is still of use: metadata of 20 KiB in
		   under two minutes. */
		.slow_bytes = 200,
		.slow_s = 30,
		.redirects = 5,
		/* Less than khien-verify waits, which would not hear why. */
		.whole_ms = 4 * 60 * 1000,
		.whole_bytes = 8192,
		.tries = 3,
		.backoff_ms = 1000,
		.wait_ms = 60 * 1000,
	};
}

int
limits_set(struct limits *limits, const char *setting)
{
	uint64_t number;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t len = strlen(fields[i].name);
		if (strncmp(setting, fields[i].name, len) != 0 ||
		    setting[len] != '=')
			continue;
		if (str_number(setting + len + 1, MOST, &number) < 0 || !number)
			return -EINVAL;
		uint32_t value = (uint32_t)number;
		memcpy((char *)limits + fields[i].at, &value, sizeof(value));
		return 0;
	}
	return -EINVAL;
}
