/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts of other namespaces whose file systems ours does not have. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msg_cover;
struct table_mount;

/* More are watched, but not named. */
#define ELSEWHERE_MAX 512

struct elsewhere_mount {
	uint64_t space; /* number of its namespace */
	uint32_t pid;	/* a process in it */
	uint32_t id;
	uint64_t device;
	char *point, *type; /* owned */
	uint8_t kind, reason;
};

struct elsewhere {
	size_t len;
	uint32_t beyond;
	struct elsewhere_mount list[ELSEWHERE_MAX];
};

void elsewhere_clear(struct elsewhere *elsewhere);

/* Adds a copy, once for each file system and namespace. */
void elsewhere_add(struct elsewhere *elsewhere, uint64_t space, uint32_t pid,
		   const struct table_mount *mount);

bool elsewhere_has_device(const struct elsewhere *elsewhere, uint64_t device);

/* Whether a list for the sensor has that file system. */
bool elsewhere_is_listed(const struct msg_cover *list, size_t len,
			 uint64_t device);

/*
 * Adds overlays to it, which has `len` of `max` entries.  Whoever mounts one in
 * a namespace of his own may have layers there that nobody watches: what is
 * executed on it is held and looked at.  Returns how many entries there are.
 */
size_t elsewhere_list(const struct elsewhere *elsewhere, struct msg_cover *list,
		      size_t len, size_t max);
