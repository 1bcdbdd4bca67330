/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file, from its bytes to its values. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/conf/settings.h"
#include "agent/lib/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct settings settings;
	char value[CONF_PATH_MAX];
	const char *section;
	const char *key;

	settings_init(&settings);
	settings.problem.silent = true;
	settings_parse(&settings, "fuzz", bytes, len);
	for (size_t i = 0; conf_list(&settings.conf, i, &section, &key, value,
				     sizeof(value)) == 0;
	     i++)
		if (!section[0] || !key[0])
			abort();
	settings_done(&settings);
	return 0;
}
