/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-proof: does what the agent must see.  Its start with a number of its
 * own is what the sensor must tell; the file that it writes is what must be
 * scanned, and found by the rule khien_self_test.  khiend starts it with the
 * folder on descriptor 3.
 *
 * It reads nothing, and ends at once: with 0, or the errno of what failed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/msg_life.h"
#include "agent/lib/str.h"

#define FOLDER_FD 3
/* In two pieces, so that no scanner stops at this program. */
#define MARKER_1 "KHIEN-SELF-TEST-"
#define MARKER_2 "4f6c1d0e-2b57-4c38-9d1a-6e0a7c93b8f2"

/* Those of runs before this one: the gate may have opened the last late. */
static int
remove_others(const char *nonce)
{
	DIR *folder = fdopendir(FOLDER_FD);

	if (!folder)
		return -errno;
	/* Whoever ran before us read it by the same open file. */
	rewinddir(folder);
	for (struct dirent *entry = readdir(folder); entry;
	     entry = readdir(folder))
		if (str_starts(entry->d_name, MSG_LIFE_FILE) &&
		    !strstr(entry->d_name, nonce))
			(void)unlinkat(FOLDER_FD, entry->d_name, 0);
	(void)closedir(folder);
	return 0;
}

static int
write_file(const char *nonce)
{
	char text[128];
	char name[sizeof(MSG_LIFE_FILE) + MSG_LIFE_NONCE];
	int len = snprintf(text, sizeof(text), "%s%s\n%s\n", MARKER_1, MARKER_2,
			   nonce);

	(void)snprintf(name, sizeof(name), "%s%s", MSG_LIFE_FILE, nonce);
	CLEANUP_FD int fd =
		openat(FOLDER_FD, name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, text, (size_t)len);
	if (written != len)
		return written < 0 ? -errno : -ENOSPC;
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc != 2 || !msg_life_is_nonce(argv[1]))
		return EINVAL;
	int written = write_file(argv[1]);
	int removed = remove_others(argv[1]);
	return written ? -written : -removed;
}
