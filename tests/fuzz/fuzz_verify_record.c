/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is taken for a record is written and read as the same, and stays so
 * after whatever may follow it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/tuf/reason.h"
#include "updater/verify/activate.h"
#include "updater/verify/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct record record, again; /* large */

static void
check_stable(void)
{
	CLEANUP_FREE char *once = record_text(&record);
	struct reason why = { "" };

	if (!once || record_parse(once, strlen(once), &again, &why) < 0)
		abort();
	CLEANUP_FREE char *twice = record_text(&again);
	if (!twice || strcmp(once, twice) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reason why = { "" };

	int r = record_parse((const char *)bytes, size, &record, &why);
	if ((r < 0) != !!why.text[0])
		abort();
	if (r < 0)
		return 0;
	check_stable();
	if (record.active)
		record_add_bad(&record, record.active, "why");
	record_add_role(&record, "root", 1, 2);
	(void)activate_follow(&record, record.previous, 1795305600);
	check_stable();
	return 0;
}
