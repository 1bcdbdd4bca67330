/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "khien-repo init" was told and every later command keeps to: the file
 * khien-repo.json.  It is the publisher's own, and is not signed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/repo/duty.h"

struct reason;

#define SETTINGS_FILE "khien-repo.json"
#define SETTINGS_PATH_SIZE 1024
#define SETTINGS_DAYS_MAX 3650

struct settings {
	bool hybrid;			 /* see updater/tuf/policy.h */
	int64_t days[DUTY_OFFICES];	 /* how long what is signed is good */
	char online[SETTINGS_PATH_SIZE]; /* the online key's file; "": none */
};

/* The defaults. */
void settings_init(struct settings *settings);

/* Returns 0; -ENOENT; -EBADMSG and why; -errno. */
int settings_read(int dir, struct settings *ret_settings, struct reason *why);
/* Returns 0 or -errno. */
int settings_write(int dir, const struct settings *settings);
