/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that stay: of this host, of this boot, of each process. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define IDENTITY_UUID_SIZE 37 /* with the NUL */
#define IDENTITY_ENTITY_SIZE 33

struct identity {
	char host_id[IDENTITY_UUID_SIZE];
	char boot_id[IDENTITY_UUID_SIZE];
	char hostname[256];
	uint64_t high, low; /* hash of both ids, where entity ids begin */
};

/*
 * Reads the boot's id and the host's name; must run before the process is
 * sealed.  Returns 0 or -errno.
 */
int identity_read(struct identity *identity);

/* A random UUID.  Returns 0 or -errno of getrandom(2). */
int identity_random(char dst[IDENTITY_UUID_SIZE]);

/* Whether the text has the form of a UUID in lower case. */
int identity_is_uuid(const char *text);

/* Sets the host's id; entity ids depend on it. */
void identity_set_host(struct identity *identity, const char *host_id);

/*
 * The process's id: 32 digits, the same wherever and whenever it is asked for.
 * The first 16 are its start in boot time, the others a hash of host, boot, pid
 * and start.  So ids of processes that start together stand together in the
 * store's indexes, which makes storing them three times as fast.
 */
void identity_entity(const struct identity *identity, uint32_t pid,
		     uint64_t start_ns, char dst[IDENTITY_ENTITY_SIZE]);
