/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table that names every process's whole power: its program, user,
 * capabilities, system calls and folders.  sandbox.h puts it in force.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum role_id { /* also on the wire: append only */
	       ROLE_DAEMON = 0,
	       ROLE_SENSOR,
	       ROLE_GATE,
	       ROLE_SCAN,
	       ROLE_ENGINE,
	       ROLE_QUERY,
	       ROLE_CONF,
	       ROLE_KEEP,
	       ROLE_MOUNTS,
	       ROLE_GUARD,
	       ROLE_FETCH,
	       ROLE_VERIFY,
	       ROLE_PROOF,
	       ROLE_LEN,
};

/* What of the file system is left after sandbox_enter(). */
enum role_files {
	ROLE_FILES_NONE = 0, /* nothing: no root, and no opening */
	ROLE_FILES_DIR,	     /* the one folder passed to sandbox_enter() */
	ROLE_FILES_KERNEL,   /* opens nothing itself, but the kernel opens in
				its name: fanotify(7) event descriptors, which
				Landlock and chroot(2) would refuse */
	ROLE_FILES_READ,     /* reading what `reads` names; where there is no
				Landlock, all that its user may */
	ROLE_FILES_ALL,
};

struct role {
	uint16_t id;
	const char *name;      /* "scan"; the program is khien-<name> */
	const char *user;      /* "khien-scan"; NULL: stays root */
	uint32_t fallback_uid; /* used where that user does not exist */
	uint64_t caps; /* what is left after sandbox_enter(): bit mask */
	/* Names allowed beside role_syscalls_base(), NULL-terminated; NULL: no
	   filter.  "thread" is clone(2) for threads of this process alone;
	   "socket" makes those of IP and of routing alone. */
	const char *const *syscalls;
	bool outlives; /* does not die with khiend: has an end to make */
	uint8_t files; /* enum role_files */
	const char *const *reads; /* paths, NULL-terminated; some may be
				     absent */
	uint64_t memory_max;	  /* RLIMIT_AS in bytes; 0: none */
	uint32_t files_max;	  /* RLIMIT_NOFILE */
	bool urgent; /* runs before all that is not, where that is allowed */
	bool early;  /* has its turn soon, however many others want theirs */
};

/* Never NULL for an id below ROLE_LEN. */
const struct role *role_get(uint16_t id);
/* NULL when the name is not known. */
const struct role *role_find(const char *name);
/* How many descriptors it will have: of files_max, what this process may. */
uint64_t role_files(uint16_t id);

/* What every filtered role may call; NULL-terminated. */
const char *const *role_syscalls_base(void);
