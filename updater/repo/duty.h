/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The roles of a repository: the four of The Update Framework, the channel
 * (which releases there are, and who gets them when) and the bins of rule
 * files.  Bins are delegations by the first digit of a path's hash.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "updater/tuf/metadata.h"

/* One digit: a change of one rule moves one bin of 16. */
#define DUTY_BINS 16
#define DUTY_FILE_SIZE 64
#define DUTY_CHANNEL_PATH "releases.json"

enum duty_id {
	DUTY_ROOT,
	DUTY_TARGETS,
	DUTY_SNAPSHOT,
	DUTY_TIMESTAMP,
	DUTY_CHANNEL,
	DUTY_BIN, /* the first of DUTY_BINS */
	DUTY_LEN = DUTY_BIN + DUTY_BINS,
};

/*
 * Who signs: the offices that keys are held for.  Bins belong to the office of
 * targets.
 */
enum duty_office {
	DUTY_OFFICE_ROOT,
	DUTY_OFFICE_TARGETS,
	DUTY_OFFICE_SNAPSHOT,
	DUTY_OFFICE_TIMESTAMP,
	DUTY_OFFICE_CHANNEL,
	DUTY_OFFICES,
};

/* Static. */
const char *duty_name(enum duty_id id);
const char *duty_office_name(enum duty_office office);
enum duty_office duty_office(enum duty_id id);
enum metadata_type duty_type(enum duty_id id);

/* Returns 0 or -ENOENT. */
int duty_office_find(const char *name, enum duty_office *ret_office);

/* "7.targets.json"; "timestamp.json", which has no version in its name. */
void duty_file(enum duty_id id, int64_t version, char dst[DUTY_FILE_SIZE]);

/* The opposite.  Returns 0 (version 0: of a timestamp) or -ENOENT. */
int duty_parse_file(const char *file, enum duty_id *ret_id,
		    int64_t *ret_version);

/* The bin of a target's path.  Returns 0, -ENOMEM or -EIO. */
int duty_bin(const char *path, enum duty_id *ret_id);
