/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy of a package: within its bounds, or refused with a reason. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "updater/client/policy_file.h"
#include "updater/tuf/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int
in_bounds(int64_t number)
{
	return number >= 0 && number <= METADATA_VERSION_MAX;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reason why = { "" };
	struct policy_file file;

	int r = policy_file_parse((const char *)bytes, size, &file, &why);
	if (r != 0) {
		if (r != -EBADMSG || !why.text[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < METADATA_TYPES; i++)
		if (!in_bounds(file.policy.version_min[i]))
			abort();
	if (!in_bounds(file.release))
		abort();
	return 0;
}
