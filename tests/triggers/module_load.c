/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the module "dummy" and takes it away: module_load MODULES
 * [file|memory|fails].  Needs root.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long
load_from_memory(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	char *bytes = malloc((size_t)st.st_size);
	if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size)
		return -1;
	return syscall(SYS_init_module, bytes, st.st_size, "");
}

/* No module; one that is not there; one that is there already. */
static long
fail(int fd)
{
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (syscall(SYS_finit_module, own, "", 0) == 0 ||
	    syscall(SYS_delete_module, "khien", O_NONBLOCK) == 0 ||
	    syscall(SYS_finit_module, fd, "numdummies=x", 0) == 0)
		errx(2, "what was to be refused was granted");
	return 0;
}

int
main(int argc, char **argv)
{
	char path[4096];
	const char *how = argc > 2 ? argv[2] : "file";
	long r;

	(void)snprintf(path, sizeof(path), "%s/dummy.ko",
		       argc > 1 ? argv[1] : ".");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(2, "%s", path);
	if (strcmp(how, "file") == 0)
		r = syscall(SYS_finit_module, fd, "", 0);
	else if (strcmp(how, "memory") == 0)
		r = load_from_memory(fd);
	else
		r = fail(fd);
	if (r == 0 && strcmp(how, "fails") != 0)
		r = syscall(SYS_delete_module, "dummy", O_NONBLOCK);
	if (r < 0)
		err(2, "%s", how);
	(void)printf("{\"type\":\"module_load\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), path);
	return 0;
}
