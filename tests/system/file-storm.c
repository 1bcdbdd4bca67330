/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file-storm COUNT WORKERS FOLDER: creates, writes and removes COUNT files as
 * fast as WORKERS processes can.  Fails when one step of one file fails, so
 * that whoever called knows how many events there were.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int
one(const char *folder, long number)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/storm-%ld", folder, number);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) < 0)
		return -1;
	return unlink(path);
}

static int
work(long from, long to, const char *folder)
{
	for (long i = from; i < to; i++)
		if (one(folder, i) < 0)
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	int bad = 0, status;

	if (argc != 4)
		return 2;
	long count = strtol(argv[1], NULL, 10);
	long workers = strtol(argv[2], NULL, 10);
	for (long i = 0; i < workers; i++) {
		pid_t pid = fork();
		if (pid < 0)
			return 1;
		if (pid == 0)
			_exit(work(count * i / workers,
				   count * (i + 1) / workers, argv[3]));
	}
	while (wait(&status) > 0)
		bad |= status;
	return bad ? 1 : 0;
}
