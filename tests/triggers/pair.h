/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a trigger that gives a file a second name has in common with others. */
#pragma once

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct pair {
	const char *type;  /* of the event */
	const char *how;   /* by which system call */
	char first[4096];  /* a new file */
	char second[4096]; /* its name to be */
};

/* NAME DIR [HOW]: makes the first one, which stays open. */
static inline void
pair_make(struct pair *pair, const char *type, int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/tmp";

	pair->type = type;
	pair->how = argc > 2 ? argv[2] : "path";
	(void)snprintf(pair->first, sizeof(pair->first), "%s/khien-%s.%d", dir,
		       type, getpid());
	(void)snprintf(pair->second, sizeof(pair->second), "%s/khien-%s2.%d",
		       dir, type, getpid());
	if (open(pair->first, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600) < 0)
		err(2, "%s", pair->first);
}

/* What the call returned; prints the event that it is to be seen as. */
static inline void
pair_done(const struct pair *pair, int r)
{
	if (r < 0)
		err(2, "%s by %s", pair->first, pair->how);
	(void)printf("{\"type\":\"%s\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"%s\"}\n",
		     pair->type, getpid(), pair->first, pair->second);
}
