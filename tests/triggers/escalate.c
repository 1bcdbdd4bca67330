/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change of privileges that no system call made, seen from the other side:
 * not what the process is differs from what the agent knows, but what it knows
 * from what the process is.  escalate exec|fork|exit|setuid|name.
 *
 * A child becomes a user that nobody is; the one entry of a map "known" that
 * has that user is made to say another.  Needs root.
 */
#include <err.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KNOWN 54321 /* what the agent is made to believe */

/* As kernel/known.h has it: four numbers of 64 bits, then uid and the like. */
struct known {
	uint64_t space, permitted, effective, exec_id;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
};

static long
bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int
open_map(uint32_t id, struct bpf_map_info *ret_info)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_id = id;
	int fd = (int)bpf(BPF_MAP_GET_FD_BY_ID, &attr);
	memset(&attr, 0, sizeof(attr));
	memset(ret_info, 0, sizeof(*ret_info));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(*ret_info);
	attr.info.info = (uint64_t)(uintptr_t)ret_info;
	if (fd >= 0 && bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
change_in(int fd, uint32_t uid)
{
	uint64_t key, next;
	struct known known;
	union bpf_attr attr;
	int count = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.next_key = (uint64_t)(uintptr_t)&next;
	while (bpf(BPF_MAP_GET_NEXT_KEY, &attr) == 0) {
		union bpf_attr entry;
		key = next;
		attr.key = (uint64_t)(uintptr_t)&key;
		memset(&entry, 0, sizeof(entry));
		entry.map_fd = (uint32_t)fd;
		entry.key = (uint64_t)(uintptr_t)&key;
		entry.value = (uint64_t)(uintptr_t)&known;
		if (bpf(BPF_MAP_LOOKUP_ELEM, &entry) < 0 || known.uid != uid)
			continue;
		known.uid = known.euid = known.suid = known.fsuid = KNOWN;
		if (bpf(BPF_MAP_UPDATE_ELEM, &entry) == 0)
			count++;
	}
	return count;
}

/* In how many maps: every agent that runs has one. */
static int
change(uint32_t uid)
{
	union bpf_attr attr;
	int count = 0;

	memset(&attr, 0, sizeof(attr));
	while (bpf(BPF_MAP_GET_NEXT_ID, &attr) == 0) {
		struct bpf_map_info info;
		attr.start_id = attr.next_id;
		int fd = open_map(attr.start_id, &info);
		if (fd < 0)
			continue;
		if (strcmp(info.name, "known") == 0 && info.key_size == 8 &&
		    info.value_size == sizeof(struct known))
			count += change_in(fd, uid);
		(void)close(fd);
	}
	return count;
}

static void
act(const char *how)
{
	const char *path = "/proc/self/exe";

	if (strcmp(how, "exec") == 0) {
		(void)execl(path, path, "is", (char *)NULL);
		_exit(2);
	}
	if (strcmp(how, "fork") == 0) {
		int child = fork();
		if (child == 0)
			_exit(0);
		(void)waitpid(child, NULL, 0);
	}
	if (strcmp(how, "name") == 0 && prctl(PR_SET_NAME, "khien") < 0)
		_exit(2);
	/* As exploits do, to look as if it had been granted. */
	if (strcmp(how, "setuid") == 0 && setuid(getuid()) < 0)
		_exit(2);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "exec";
	int ready[2], go[2], status = 0;
	char byte = 0;

	if (strcmp(how, "is") == 0)
		return 0;
	if (pipe(ready) < 0 || pipe(go) < 0)
		err(2, "pipe");
	pid_t child = fork();
	if (child == 0) {
		(void)close(go[1]);
		uid_t uid = 60000000u + (uid_t)getpid();
		if (setuid(uid) < 0 || write(ready[1], &byte, 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(3);
		act(how);
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		err(2, "child");
	int changed = change(60000000u + (uint32_t)child);
	if (changed == 0 || write(go[1], &byte, 1) != 1)
		errx(2, "there is no map where that process is known");
	(void)waitpid(child, &status, 0);
	if (status != 0)
		errx(2, "%s: %d", how, status);
	(void)printf("{\"type\":\"escalate\",\"pid\":%d,\"uid\":\"%u\"}\n",
		     child, 60000000u + (uint32_t)child);
	return 0;
}
