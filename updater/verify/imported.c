/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/imported.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "updater/release/export.h"
#include "updater/tuf/reason.h"
#include "updater/verify/layout.h"
#include "updater/verify/tree.h"

struct unpacking {
	int scratch; /* borrowed */
	int file;    /* -1: none */
};

static int
on_begin(void *arg, const char *name, uint64_t size)
{
	struct unpacking *unpacking = arg;

	(void)size;
	file_closep(&unpacking->file);
	return tree_create(unpacking->scratch, name, &unpacking->file);
}

static int
on_bytes(void *arg, const void *bytes, size_t len)
{
	const struct unpacking *unpacking = arg;

	return file_write_all(unpacking->file, bytes, len);
}

static int
on_end(void *arg)
{
	struct unpacking *unpacking = arg;

	file_closep(&unpacking->file);
	return 0;
}

static int
unpack(int scratch, int fd, struct reason *why)
{
	struct unpacking unpacking = { scratch, -1 };
	const struct export_reader reader = { on_begin, on_bytes, on_end,
					      &unpacking };

	int r = export_read(fd, &reader, why);
	file_closep(&unpacking.file);
	return r;
}

/* A file says how much room it will take. */
static int
no_room(int fd, struct reason *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return reason_set(why, -ENOSPC,
				  "the disk of the state folder "
				  "is full: make room");
	return reason_set(why, -ENOSPC,
			  "unpacking it needs %.1f MiB on the disk of the "
			  "state folder, which is full: make room",
			  (double)st.st_size / (1024 * 1024));
}

int
imported_unpack(int dir, int fd, struct reason *why)
{
	CLEANUP_FD int scratch = -1;

	why->text[0] = '\0';
	int r = tree_remove(dir, LAYOUT_IMPORT);
	if (r == 0)
		r = tree_folder(dir, LAYOUT_IMPORT, &scratch);
	if (r == 0)
		r = unpack(scratch, fd, why);
	if (r == -ENOSPC || r == -EDQUOT)
		(void)no_room(fd, why);
	return r < 0 ? reason_about(why, r, "the file to import") : 0;
}

void
imported_drop(int dir)
{
	(void)tree_remove(dir, LAYOUT_IMPORT);
}
