/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps a file as code: map_file DIR user|group|others|protect|twice, or such
 * that only root can change it, or not as code: root|data.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 4096
#define RX (PROT_READ | PROT_EXEC)

static const struct {
	const char *how;
	uid_t uid;
	mode_t mode;
} files[] = {
	{ "user", 12345, 0600 },  { "group", 0, 0664 },
	{ "others", 0, 0646 },	  { "protect", 12345, 0600 },
	{ "twice", 12345, 0600 }, { "root", 0, 0755 },
	{ "data", 12345, 0600 },
};

static int
make(const char *path, const char *how)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, SIZE) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].how, how) == 0 &&
		    (fchown(fd, files[i].uid, (gid_t)-1) < 0 ||
		     fchmod(fd, files[i].mode) < 0))
			return -1;
	return fd;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "user";
	char path[4096];
	int protection = RX;

	(void)snprintf(path, sizeof(path), "%s/khien-map.%d",
		       argc > 1 ? argv[1] : "/tmp", getpid());
	int fd = make(path, how);
	if (fd < 0)
		err(2, "%s", path);
	if (strcmp(how, "protect") == 0 || strcmp(how, "data") == 0)
		protection = PROT_READ;
	void *at = mmap(NULL, SIZE, protection, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		err(2, "%s", how);
	if (strcmp(how, "protect") == 0 && mprotect(at, SIZE, RX) < 0)
		err(2, "%s", how);
	/* The second is told, and the third is not. */
	for (int i = 0; strcmp(how, "twice") == 0 && i < 2; i++)
		if (mmap(NULL, SIZE, RX, MAP_PRIVATE, fd, 0) == MAP_FAILED)
			err(2, "%s", how);
	(void)printf("{\"type\":\"map_file\",\"pid\":%d,\"path\":\"%s\","
		     "\"address\":\"%016jx\"}\n",
		     getpid(), path, (uintmax_t)(uintptr_t)at);
	return 0;
}
