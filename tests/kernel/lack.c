/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/kernel/lack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILTER_MAX 16
#define ASKS (FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_OPEN_EXEC_PERM)

struct refusal {
	const char *what;
	uint32_t call;
	uint32_t error;
	uint32_t mask; /* bits of the third argument, of which one is set; 0:
			  always */
};

static const struct refusal refusals[] = {
	{ "bpf", SYS_bpf, EPERM, 0 },
	{ "fanotify", SYS_fanotify_init, ENOSYS, 0 },
	{ "permission", SYS_fanotify_mark, EINVAL, ASKS },
};

#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

static bool refused[REFUSALS];

static void
complain(const char *what)
{
	(void)printf("init: %s: %s\n", what, strerror(errno));
	(void)fflush(stdout);
}

static int
fill(const char *path)
{
	static const char zeros[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	int error = errno;
	(void)close(fd);
	errno = error;
	return error == ENOSPC ? 0 : -1;
}

static int
write_text(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	if (fd < 0)
		return -1;
	ssize_t written = write(fd, text, len);
	return close(fd) < 0 || written != (ssize_t)len ? -1 : 0;
}

static int
make_folder(const char *path, const char *owner)
{
	uid_t uid = (uid_t)atoi(owner);

	return mkdir(path, 0700) < 0 || chown(path, uid, uid) < 0 ? -1 : 0;
}

static int
refuse(char **words)
{
	memset(refused, 0, sizeof(refused));
	for (; *words; words++) {
		size_t i = 0;
		while (i < REFUSALS && strcmp(*words, refusals[i].what) != 0)
			i++;
		if (i == REFUSALS) {
			errno = EINVAL;
			return -1;
		}
		refused[i] = true;
	}
	return 0;
}

bool
lack_follow(char **words, size_t len)
{
	const char *what = words[0];
	int r;

	if (strcmp(what, "refuse") == 0)
		r = refuse(words + 1);
	else if (len < 2)
		return false;
	else if (strcmp(what, "folder") == 0 && len > 2)
		r = make_folder(words[1], words[2]);
	else if (strcmp(what, "hide") == 0)
		r = mount("tmpfs", words[1], "tmpfs", MS_RDONLY, NULL);
	else if (strcmp(what, "tmpfs") == 0 && len > 2)
		r = mount("tmpfs", words[1], "tmpfs", 0, words[2]);
	else if (strcmp(what, "unmount") == 0)
		r = umount2(words[1], MNT_DETACH);
	else if (strcmp(what, "readonly") == 0)
		r = mount(NULL, words[1], NULL, MS_REMOUNT | MS_RDONLY, NULL);
	else if (strcmp(what, "fill") == 0)
		r = fill(words[1]);
	else if (strcmp(what, "write") == 0 && len > 2)
		r = write_text(words[1], words[2]);
	else
		return false;
	if (r < 0)
		complain(words[len > 1 ? 1 : 0]);
	return true;
}

/* Appends what refuses one call; returns the filter's new length. */
static size_t
put(struct sock_filter *filter, size_t len, const struct refusal *refusal)
{
	uint8_t behind = refusal->mask ? 3 : 1;

	filter[len++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	filter[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						     refusal->call, 0, behind);
	if (refusal->mask) {
		filter[len++] = (struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, args[2]));
		filter[len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JSET | BPF_K, refusal->mask, 0, 1);
	}
	filter[len++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | refusal->error);
	return len;
}

void
lack_enter(void)
{
	struct sock_filter filter[FILTER_MAX];
	struct sock_fprog program = { .filter = filter };
	size_t len = 0;

	for (size_t i = 0; i < REFUSALS; i++)
		if (refused[i])
			len = put(filter, len, &refusals[i]);
	if (len == 0)
		return;
	filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						     SECCOMP_RET_ALLOW);
	program.len = (unsigned short)len;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		complain("seccomp");
		_exit(126);
	}
}
