/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens a file, lets it become the EICAR test file, and maps it as code by the
 * descriptor it had: map_denied DIR mmap|protect|link|bind|changed|replaced.
 * Needs a gate that enforces, and watches DIR.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIZE 4096
#define RX (PROT_READ | PROT_EXEC)
#define WAIT_MS 60000
#define PAUSE_MS 20

/* In two halves, so that this program is no test file. */
static const char eicar[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-"
			    "ANTIVIRUS-TEST-"
			    "FILE!$H+H*";

static char folder[2048], path[4096], other[4096];

static int
maps(int fd, int protection)
{
	void *at = mmap(NULL, SIZE, protection, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	(void)munmap(at, SIZE);
	return 0;
}

/* Until it is known to be bad. */
static int
wait_denied(int fd)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	int r = 0;

	for (int ms = 0; r == 0 && ms < WAIT_MS; ms += PAUSE_MS) {
		r = maps(fd, RX);
		if (r == 0)
			(void)nanosleep(&pause, NULL);
	}
	return r == -EACCES ? 0 : -1;
}

static int
protect(int fd)
{
	void *at = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	return mprotect(at, SIZE, RX) < 0 ? -errno : 0;
}

/* Another file has its name; who opens that is let, and so is his mapping. */
static int
replace(void)
{
	char fresh[4096];

	(void)snprintf(fresh, sizeof(fresh), "%s/fresh", folder);
	int fd = open(fresh, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "clean", 5) != 5 || close(fd) < 0 ||
	    rename(fresh, path) < 0)
		return -errno;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : maps(fd, RX);
}

/* Through a writer that was there before, and no close tells of it. */
static int
change(int writer, int reader)
{
	if (pwrite(writer, "clean", 5, 0) != 5 || ftruncate(writer, 5) < 0)
		return -errno;
	return maps(reader, RX);
}

/* By which name it is opened to be read. */
static const char *
name_of(const char *how)
{
	if (strcmp(how, "link") == 0)
		return link(path, other) < 0 ? NULL : other;
	if (strcmp(how, "bind") != 0)
		return path;
	(void)snprintf(other, sizeof(other), "%s.bind", folder);
	if (mkdir(other, 0755) < 0 ||
	    mount(folder, other, NULL, MS_BIND, NULL) < 0)
		return NULL;
	(void)snprintf(other, sizeof(other), "%s.bind/file", folder);
	return other;
}

static void
tidy(const char *how)
{
	(void)snprintf(other, sizeof(other), "%s.bind", folder);
	if (strcmp(how, "bind") == 0 && umount2(other, MNT_DETACH) < 0)
		err(2, "%s", other);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "mmap";
	int r = 0;

	(void)snprintf(folder, sizeof(folder), "%s/denied.%d",
		       argc > 1 ? argv[1] : "/tmp", getpid());
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	if (mkdir(folder, 0755) < 0)
		err(2, "%s", folder);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	const char *name = name_of(how);
	int reader = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || writer < 0 || reader < 0)
		err(2, "%s", how);
	char seen[4096];
	(void)snprintf(seen, sizeof(seen), "%s", name);
	if (maps(reader, RX) < 0)
		errx(2, "a clean file is refused");
	if (write(fd, eicar, sizeof(eicar) - 1) != sizeof(eicar) - 1 ||
	    close(fd) < 0)
		err(2, "%s", path);
	if (wait_denied(reader) < 0)
		errx(2, "a bad file is mapped as code");
	if (maps(reader, PROT_READ) < 0)
		errx(2, "a bad file is not mapped to be read");
	if (strcmp(how, "protect") == 0 && protect(reader) != -EACCES)
		errx(2, "a bad file becomes code");
	if (strcmp(how, "changed") == 0)
		r = change(writer, reader);
	else if (strcmp(how, "replaced") == 0)
		r = replace();
	if (r < 0)
		errx(2, "%s: %s", how, strerror(-r));
	if (strcmp(how, "replaced") == 0 && maps(reader, RX) != -EACCES)
		errx(2, "who has the bad one maps it");
	tidy(how);
	(void)printf("{\"type\":\"map_denied\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), seen);
	return 0;
}
