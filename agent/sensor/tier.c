/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/tier.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>

#include "agent/lib/file.h"
#include "agent/sensor/programs.h"
#include "agent/sensor/prototype.h"

#define HOOK "file_open"

/* `*mark = 1; return 0;` where the mark is the map's one value. */
static int
load(int map, uint32_t hook)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_DW | BPF_IMM, /* BPF_LD, which is 0 */
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = map },
		{ 0 },
		{ .code = BPF_ST | BPF_MEM | BPF_W,
		  .dst_reg = BPF_REG_1,
		  .imm = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_load_opts opts = {
		.sz = sizeof(opts),
		.expected_attach_type = BPF_LSM_MAC,
		.attach_btf_id = hook,
	};

	return bpf_prog_load(BPF_PROG_TYPE_LSM, "khien_tier", "GPL", program,
			     sizeof(program) / sizeof(program[0]), &opts);
}

/* By ourselves: others may sleep. */
static int
call(int map, bool *ret_called)
{
	uint32_t key = 0, mark = 0;
	CLEANUP_FD int fd =
		open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	int r = bpf_map_lookup_elem(map, &key, &mark);
	if (r < 0)
		return r;
	*ret_called = mark == 1;
	return 0;
}

int32_t
tier_try(const struct prototype *prototype)
{
	uint32_t hook = prototype_hook(prototype, HOOK);
	bool called = false;

	if (!hook)
		return EOPNOTSUPP;
	CLEANUP_FD int map =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "khien_tier",
			       sizeof(uint32_t), sizeof(uint32_t), 1, NULL);
	if (map < 0)
		return -map;
	CLEANUP_FD int program = load(map, hook);
	if (program < 0)
		return -program;
	CLEANUP_FD int link = bpf_raw_tracepoint_open(NULL, program);
	if (link < 0)
		return -link;
	int r = call(map, &called);
	if (r < 0)
		return -r;
	return called ? 0 : PROGRAMS_UNCALLED;
}
