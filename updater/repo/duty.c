/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/duty.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/tuf/libcrypto.h"

#define SUFFIX ".json"

static const char *const names[DUTY_LEN] = {
	"root",	   "targets", "snapshot", "timestamp", "channel", "rules-0",
	"rules-1", "rules-2", "rules-3",  "rules-4",   "rules-5", "rules-6",
	"rules-7", "rules-8", "rules-9",  "rules-a",   "rules-b", "rules-c",
	"rules-d", "rules-e", "rules-f",
};

const char *
duty_name(enum duty_id id)
{
	return names[id];
}

const char *
duty_office_name(enum duty_office office)
{
	return names[office]; /* which stand first, in the same order */
}

enum duty_office
duty_office(enum duty_id id)
{
	return id < DUTY_BIN ? (enum duty_office)id : DUTY_OFFICE_TARGETS;
}

enum metadata_type
duty_type(enum duty_id id)
{
	switch (id) {
	case DUTY_ROOT:
		return METADATA_ROOT;
	case DUTY_SNAPSHOT:
		return METADATA_SNAPSHOT;
	case DUTY_TIMESTAMP:
		return METADATA_TIMESTAMP;
	default:
		return METADATA_TARGETS;
	}
}

int
duty_office_find(const char *name, enum duty_office *ret_office)
{
	for (unsigned int i = 0; i < DUTY_OFFICES; i++)
		if (str_equal(names[i], name)) {
			*ret_office = i;
			return 0;
		}
	return -ENOENT;
}

void
duty_file(enum duty_id id, int64_t version, char dst[DUTY_FILE_SIZE])
{
	if (id == DUTY_TIMESTAMP)
		(void)snprintf(dst, DUTY_FILE_SIZE, "%s" SUFFIX, names[id]);
	else
		(void)snprintf(dst, DUTY_FILE_SIZE, "%" PRId64 ".%s" SUFFIX,
			       version, names[id]);
}

int
duty_parse_file(const char *file, enum duty_id *ret_id, int64_t *ret_version)
{
	char number[DUTY_FILE_SIZE], again[DUTY_FILE_SIZE];
	uint64_t version = 0;
	size_t len = strcspn(file, ".");

	if (len < sizeof(number)) {
		(void)snprintf(number, sizeof(number), "%.*s", (int)len, file);
		if (str_number(number, METADATA_VERSION_MAX, &version) < 0)
			version = 0;
	}
	for (unsigned int i = 0; i < DUTY_LEN; i++) {
		/* Only what would be written so: no "007.root.json". */
		duty_file(i, (int64_t)version, again);
		if (!str_equal(again, file) ||
		    (i != DUTY_TIMESTAMP && !version))
			continue;
		*ret_id = i;
		*ret_version = i == DUTY_TIMESTAMP ? 0 : (int64_t)version;
		return 0;
	}
	return -ENOENT;
}

int
duty_bin(const char *path, enum duty_id *ret_id)
{
	char sum[2 * LIBCRYPTO_SUM_MAX + 1];
	char digit[2] = "";

	int r = libcrypto_sum_text(LIBCRYPTO_SHA256, path, strlen(path), sum);
	if (r < 0)
		return r;
	digit[0] = sum[0];
	*ret_id = DUTY_BIN + (unsigned int)strtoul(digit, NULL, DUTY_BINS);
	return 0;
}
