/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Becomes somebody else: credentials setuid|setgid|seteuid|setfsuid|capset|
 * compat|thread, or by a file of another's: credentials exec DIR; or does not:
 * credentials fails.  Needs root.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UID 12345
#define GID 12346

static void *
wait_for_end(void *arg)
{
	(void)arg;
	for (;;)
		(void)pause();
	return NULL;
}

/* glibc has each thread make the call. */
static int
of_two_threads(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, wait_for_end, NULL);
	if (errno != 0)
		return -1;
	return setuid(UID);
}

static int
set_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
						 0 };
	struct __user_cap_data_struct caps[2];

	if (syscall(SYS_capget, &head, caps) < 0)
		return -1;
	caps[0].effective &= ~(1u << CAP_SYS_CHROOT);
	return (int)syscall(SYS_capset, &head, caps);
}

/* setuid32 by the 32-bit entry. */
static int
by_other_entry(void)
{
#ifdef __x86_64__
	long r = 213;

	__asm__ volatile("int $0x80" : "+a"(r) : "b"(UID) : "memory");
	errno = r < 0 ? (int)-r : 0;
	return r < 0 ? -1 : 0;
#else
	return setuid(UID);
#endif
}

static int
by_file(const char *dir)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/khien-credentials", dir);
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (from < 0 || to < 0 || fstat(from, &st) < 0 ||
	    sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size ||
	    fchown(to, UID, GID) < 0 || fchmod(to, 06755) < 0)
		return -1;
	(void)close(to);
	return execl(path, path, "is", path, (char *)NULL);
}

/* What is refused, and what is granted and changes nothing. */
static int
fail(void)
{
	if (setuid(0) < 0 || setgid(0) < 0 || setresuid(0, 0, 0) < 0)
		return -1;
	if (syscall(SYS_setresuid, -1, -1, -1) < 0 || setfsuid(0) != 0)
		return -1;
	int child = vfork();
	if (child != 0)
		return child < 0 ? -1 : 0;
	_exit(0);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "setuid";
	int r = 0;

	if (strcmp(how, "setuid") == 0)
		r = setuid(UID);
	else if (strcmp(how, "setgid") == 0)
		r = setgid(GID);
	else if (strcmp(how, "seteuid") == 0)
		r = setresuid((uid_t)-1, UID, (uid_t)-1);
	else if (strcmp(how, "setfsuid") == 0)
		r = setfsuid(UID) == 0 ? setreuid(UID, UID) : -1;
	else if (strcmp(how, "capset") == 0)
		r = set_capabilities();
	else if (strcmp(how, "compat") == 0)
		r = by_other_entry();
	else if (strcmp(how, "thread") == 0)
		r = of_two_threads();
	else if (strcmp(how, "exec") == 0)
		r = by_file(argc > 2 ? argv[2] : "/tmp");
	else if (strcmp(how, "fails") == 0)
		r = fail();
	if (r < 0)
		err(2, "%s", how);
	(void)printf("{\"type\":\"credentials\",\"pid\":%d,\"path\":\"%s\"}\n",
		     getpid(), argc > 2 ? argv[2] : "");
	return 0;
}
