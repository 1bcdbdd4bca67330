/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a BPF program that does nothing: bpf_load [filter|fails]. */
#include <err.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static long
load(size_t len)
{
	static const char license[] = "GPL";
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uint64_t)(uintptr_t)program;
	attr.insn_cnt = (uint32_t)len;
	attr.license = (uint64_t)(uintptr_t)license;
	memcpy(attr.prog_name, "khien_test", sizeof("khien_test"));
	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static long
make_map(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "filter";
	/* Before Linux 5.11 programs and maps count as locked memory. */
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)setrlimit(RLIMIT_MEMLOCK, &all);
	if (strcmp(how, "fails") == 0) {
		/* Without its end; and what is no program. */
		if (load(1) >= 0 || make_map() < 0)
			errx(2, "what was to be refused was granted");
	} else if (load(2) < 0) {
		err(2, "%s", how);
	}
	(void)printf("{\"type\":\"bpf_load\",\"pid\":%d}\n", getpid());
	return 0;
}
