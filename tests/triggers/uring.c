/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one thing through io_uring alone, without a system call of its own:
 * uring DIR HOW, where HOW is
 *   open read create fixed rename exchange unlink rmdir mkdir link symlink
 *   setxattr fsetxattr   that one
 *   secret     open, of what has the name of a Kerberos ticket, for reading
 *   relative   rename, of names below an open folder
 *   long       unlink, by a path of 4,095 bytes
 *   bytes      unlink of a name of 255 bytes that are no text
 *   moved      unlink, by a name in a working directory that is changed
 *              between the asking and the doing
 *   polled     open, by the ring's own thread
 *   silent     unlink, of whose success nothing is said
 *   fails      all of them, none of which succeeds
 *   lied       rename, whose names and result are overwritten at once
 *   overflown  unlink of two, when there is no room to say what came of it
 *   torn       unlink of many names in a ring that is closed at once
 * Ends with 77 when there is no io_uring here.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 16
#define NO_URING 77

/* Younger than the oldest headers that this is built with. */
enum {
	OP_RENAMEAT = 35,
	OP_UNLINKAT = 36,
	OP_MKDIRAT = 37,
	OP_SYMLINKAT = 38,
	OP_LINKAT = 39,
	OP_FSETXATTR = 41,
	OP_SETXATTR = 42,
	SKIP_SUCCESS = 1 << 6,
};

struct ring {
	int fd;
	uint8_t *asked, *done;
	struct io_uring_sqe *entries;
	struct io_uring_params params;
	uint32_t tail, head;
};

static struct ring ring;
static char dir[3000], path[4096], path2[4096];
static const char value[] = "x";

static void *
map(size_t size, uint64_t at)
{
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, ring.fd, (off_t)at);

	if (mapped == MAP_FAILED)
		err(2, "ring");
	return mapped;
}

static uint32_t *
word(uint8_t *area, uint32_t at)
{
	return (void *)(area + at);
}

static void
open_ring(uint32_t flags)
{
	struct io_uring_params *params = &ring.params;

	*params = (struct io_uring_params){ .flags = flags,
					    .sq_thread_idle = 1000 };
	ring.fd = (int)syscall(SYS_io_uring_setup, ENTRIES, params);
	if (ring.fd < 0)
		exit(NO_URING);
	ring.entries = map(params->sq_entries * sizeof(struct io_uring_sqe),
			   IORING_OFF_SQES);
	ring.asked = map(params->sq_off.array +
				 params->sq_entries * sizeof(uint32_t),
			 IORING_OFF_SQ_RING);
	ring.done =
		map(params->cq_off.cqes +
			    params->cq_entries * sizeof(struct io_uring_cqe),
		    IORING_OFF_CQ_RING);
}

static void
ask(struct io_uring_sqe entry)
{
	uint32_t at = ring.tail++ % ring.params.sq_entries;

	ring.entries[at] = entry;
	word(ring.asked, ring.params.sq_off.array)[at] = at;
	__atomic_store_n(word(ring.asked, ring.params.sq_off.tail), ring.tail,
			 __ATOMIC_RELEASE);
}

static void
enter(uint32_t count, uint32_t wait)
{
	uint32_t flags = wait ? IORING_ENTER_GETEVENTS : 0;

	if (ring.params.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	if (syscall(SYS_io_uring_enter, ring.fd, count, wait, flags, NULL, 0) <
	    0)
		err(2, "io_uring_enter");
}

static int
result(void)
{
	struct io_uring_cqe *entries =
		(void *)(ring.done + ring.params.cq_off.cqes);
	uint32_t *tail = word(ring.done, ring.params.cq_off.tail);

	while (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == ring.head)
		enter(0, 1);
	int res = entries[ring.head % ring.params.cq_entries].res;
	__atomic_store_n(word(ring.done, ring.params.cq_off.head), ++ring.head,
			 __ATOMIC_RELEASE);
	return res;
}

static int
run(struct io_uring_sqe entry)
{
	ask(entry);
	enter(1, 1);
	return result();
}

static struct io_uring_sqe
opening(const char *name, uint32_t flags)
{
	return (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
				      .fd = AT_FDCWD,
				      .addr = (uintptr_t)name,
				      .len = 0600,
				      .open_flags = flags };
}

/* Of two names, or of one and what `off` and `len` are for it. */
static struct io_uring_sqe
naming(uint8_t op, const char *name, const char *name2, uint32_t flags)
{
	struct io_uring_sqe entry = { .opcode = op,
				      .fd = AT_FDCWD,
				      .addr = (uintptr_t)name,
				      .addr2 = (uintptr_t)name2,
				      .rename_flags = flags };

	if (op == OP_MKDIRAT)
		entry.len = 0750;
	else if (op == OP_RENAMEAT || op == OP_LINKAT)
		entry.len = (uint32_t)AT_FDCWD;
	return entry;
}

static struct io_uring_sqe
attribute(uint8_t op, int fd, const char *name)
{
	struct io_uring_sqe entry = { .opcode = op,
				      .fd = fd,
				      .addr = (uintptr_t) "security.khien",
				      .addr2 = (uintptr_t)value,
				      .len = sizeof(value) };
	uint64_t addr3 = (uintptr_t)name;

	/* addr3, which the oldest headers have no name for. */
	memcpy((uint8_t *)&entry + 48, &addr3, sizeof(addr3));
	return entry;
}

/* A file made by a system call, so that it is not the ring's doing. */
static int
make(const char *name)
{
	int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		err(2, "%s", name);
	return fd;
}

static int
open_fixed(void)
{
	int none = -1;
	struct io_uring_sqe entry = opening(path, O_RDWR);

	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES,
		    &none, 1) < 0)
		err(2, "table of files");
	((uint32_t *)(void *)&entry)[11] = 1; /* file_index: the first one */
	return run(entry);
}

static int
open_polled(void)
{
	ask(opening(path, O_WRONLY));
	uint32_t *flags = word(ring.asked, ring.params.sq_off.flags);

	if (__atomic_load_n(flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
		enter(1, 1);
	return result();
}

static int
unlink_silently(void)
{
	struct io_uring_sqe entry = naming(OP_UNLINKAT, path, NULL, 0);
	struct stat st;

	entry.flags = SKIP_SUCCESS;
	ask(entry);
	enter(1, 0);
	while (lstat(path, &st) == 0)
		(void)usleep(1000);
	return 0;
}

/* The kernel has copied the names by the time that this thread goes on. */
static int
rename_and_lie(void)
{
	struct io_uring_sqe entry = naming(OP_RENAMEAT, path, path2, 0);
	char *old = strdup(path), *new = strdup(path2);

	if (!old || !new)
		err(2, "names");
	entry.addr = (uintptr_t)old;
	entry.addr2 = (uintptr_t) new;
	ask(entry);
	enter(1, 0);
	memset(old, 'x', strlen(old));
	memset(new, 'y', strlen(new));
	struct io_uring_cqe *entries =
		(void *)(ring.done + ring.params.cq_off.cqes);
	uint32_t *tail = word(ring.done, ring.params.cq_off.tail);
	while (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == 0)
		entries[0].res = -EPERM;
	int res = result();
	return res == -EPERM ? 0 : res;
}

/* As many results as fit and are not looked at, and then two more. */
static int
overflow(void)
{
	for (uint32_t i = 0; i < ring.params.cq_entries; i++) {
		ask((struct io_uring_sqe){ .opcode = IORING_OP_NOP });
		enter(1, 0);
	}
	struct io_uring_sqe entry = naming(OP_UNLINKAT, path, NULL, 0);
	entry.user_data = 1;
	ask(entry);
	enter(1, 0);
	entry = naming(OP_UNLINKAT, path2, NULL, 0);
	entry.user_data = 2;
	ask(entry);
	enter(1, 0);
	struct stat st;
	while (lstat(path, &st) == 0 || lstat(path2, &st) == 0)
		(void)usleep(1000);
	return 0;
}

/* By a name of its own, below an open folder. */
static int
rename_relative(void)
{
	struct io_uring_sqe entry = naming(OP_RENAMEAT, strrchr(path, '/') + 1,
					   strrchr(path2, '/') + 1, 0);

	entry.fd = open(dir, O_PATH | O_DIRECTORY);
	entry.len = (uint32_t)entry.fd;
	return run(entry);
}

/* Makes the folders below `dir` that fill path2 up. */
static int
unlink_long(void)
{
	size_t len = strlen(dir);

	memcpy(path2, dir, len);
	if (chdir(dir) < 0)
		err(2, "%s", dir);
	while (len < sizeof(path2) - 1) {
		size_t left = sizeof(path2) - 1 - len - 1;
		size_t name = left > 400 ? 200 : left > 255 ? left / 2 : left;
		path2[len] = '/';
		memset(path2 + len + 1, 'd', name);
		path2[len + 1 + name] = '\0';
		if (name == left)
			(void)close(make(path2 + len + 1));
		else if (mkdir(path2 + len + 1, 0700) < 0 ||
			 chdir(path2 + len + 1) < 0)
			err(2, "folder");
		len += 1 + name;
	}
	return run(naming(OP_UNLINKAT, path2, NULL, 0));
}

/* Prints the name as it is told: what is no text byte by byte. */
static int
unlink_bytes(void)
{
	char name[4096], *end = path2 + strlen(dir) + 1;
	int len = snprintf(name, sizeof(name), "%s/", dir);

	memset(name + len, 0xff, 255);
	name[len + 255] = '\0';
	(void)close(make(name));
	for (int i = 0; i < 255; i++)
		(void)memcpy(end + 5 * i, "\\\\xff", 6);
	return run(naming(OP_UNLINKAT, name, NULL, 0));
}

/* The request waits behind one that reads a pipe. */
static int
unlink_moved(void)
{
	struct io_uring_sqe first = { .opcode = IORING_OP_READ,
				      .flags = IOSQE_IO_LINK,
				      .addr = (uintptr_t)dir,
				      .len = 1 };
	char there[3100];
	int pipes[2];

	(void)snprintf(there, sizeof(there), "%s/there", dir);
	if (mkdir(there, 0700) < 0 || chdir(dir) < 0 || pipe(pipes) < 0)
		err(2, "%s", there);
	(void)snprintf(path2, sizeof(path2), "%s/name", there);
	(void)close(make(path2));
	first.fd = pipes[0];
	ask(first);
	ask(naming(OP_UNLINKAT, "name", NULL, 0));
	enter(2, 0);
	if (chdir(there) < 0 || write(pipes[1], "x", 1) != 1)
		err(2, "%s", there);
	int res = result();
	return res < 0 ? res : result();
}

static int
tear(void)
{
	for (int i = 0; i < ENTRIES; i++)
		ask(naming(OP_UNLINKAT, path2, NULL, 0));
	enter(ENTRIES, 0);
	return close(ring.fd);
}

static int
fail(void)
{
	const struct io_uring_sqe entries[] = {
		opening(path2, O_RDWR),
		opening(path, O_RDWR | O_CREAT | O_EXCL),
		opening((const char *)8, O_RDWR | O_CREAT),
		naming(OP_RENAMEAT, path2, path, 0),
		naming(OP_UNLINKAT, path2, NULL, 0),
		naming(OP_UNLINKAT, path, NULL, AT_REMOVEDIR),
		naming(OP_MKDIRAT, path, NULL, 0),
		naming(OP_SYMLINKAT, "there", path, 0),
		naming(OP_LINKAT, path2, path, 0),
		attribute(OP_SETXATTR, 0, path2),
		attribute(OP_FSETXATTR, -1, NULL),
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		int res = run(entries[i]);
		if (res >= 0)
			errx(2, "request %zu succeeded: %d", i, res);
	}
	return 0;
}

static int
act(const char *how)
{
	if (strcmp(how, "open") == 0)
		return run(opening(path, O_WRONLY));
	if (strcmp(how, "read") == 0 || strcmp(how, "secret") == 0)
		return run(opening(path, O_RDONLY));
	if (strcmp(how, "create") == 0)
		return run(opening(path2, O_CREAT | O_EXCL | O_WRONLY));
	if (strcmp(how, "fixed") == 0)
		return open_fixed();
	if (strcmp(how, "polled") == 0)
		return open_polled();
	if (strcmp(how, "rename") == 0)
		return run(naming(OP_RENAMEAT, path, path2, 0));
	if (strcmp(how, "exchange") == 0)
		return run(naming(OP_RENAMEAT, path, path2, 2));
	if (strcmp(how, "unlink") == 0)
		return run(naming(OP_UNLINKAT, path, NULL, 0));
	if (strcmp(how, "rmdir") == 0)
		return run(naming(OP_UNLINKAT, path2, NULL, AT_REMOVEDIR));
	if (strcmp(how, "mkdir") == 0)
		return run(naming(OP_MKDIRAT, path2, NULL, 0));
	if (strcmp(how, "link") == 0)
		return run(naming(OP_LINKAT, path, path2, 0));
	if (strcmp(how, "symlink") == 0)
		return run(naming(OP_SYMLINKAT, "there", path2, 0));
	if (strcmp(how, "setxattr") == 0)
		return run(attribute(OP_SETXATTR, 0, path));
	if (strcmp(how, "fsetxattr") == 0)
		return run(attribute(OP_FSETXATTR, open(path, O_RDONLY), NULL));
	if (strcmp(how, "silent") == 0)
		return unlink_silently();
	if (strcmp(how, "lied") == 0)
		return rename_and_lie();
	if (strcmp(how, "relative") == 0)
		return rename_relative();
	if (strcmp(how, "long") == 0)
		return unlink_long();
	if (strcmp(how, "bytes") == 0)
		return unlink_bytes();
	if (strcmp(how, "moved") == 0)
		return unlink_moved();
	if (strcmp(how, "overflown") == 0)
		return overflow();
	if (strcmp(how, "torn") == 0)
		return tear();
	return strcmp(how, "fails") == 0 ? fail() : -EINVAL;
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "open";

	const char *name = "khien-uring";

	if (strcmp(how, "secret") == 0)
		name = "krb5cc_khien";
	(void)snprintf(dir, sizeof(dir), "%s", argc > 1 ? argv[1] : "/tmp");
	(void)snprintf(path, sizeof(path), "%s/%s.%d", dir, name, getpid());
	(void)snprintf(path2, sizeof(path2), "%s/khien-uring2.%d", dir,
		       getpid());
	(void)close(make(path));
	if (strcmp(how, "exchange") == 0 || strcmp(how, "overflown") == 0)
		(void)close(make(path2));
	else if (strcmp(how, "rmdir") == 0 && mkdir(path2, 0700) < 0)
		err(2, "%s", path2);
	(void)umask(022);
	open_ring(strcmp(how, "polled") == 0 ? IORING_SETUP_SQPOLL : 0);
	int res = act(how);
	if (res < 0)
		errx(2, "%s: %s", how, strerror(-res));
	(void)printf("{\"type\":\"uring\",\"pid\":%d,\"path\":\"%s\""
		     ",\"path2\":\"%s\"}\n",
		     getpid(), path, path2);
	if (strcmp(how, "secret") == 0)
		(void)unlink(path);
	return 0;
}
