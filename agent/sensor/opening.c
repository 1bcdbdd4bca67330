/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/opening.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>

#include "agent/sensor/acts.h"
#include "agent/sensor/calls.h"
#include "agent/sensor/guard.h"
#include "agent/sensor/probe.h"
#include "kernel/khien_abi.h" /* first: the skeletons use its structs */
#include "gen/security.skel.h"
#include "gen/tracing.skel.h"

/* Where the skeletons put it; the names of its parts are theirs. */
struct opening {
	const char *name;
	const void *(*bytes)(size_t *ret_size);
	/* Turns the knobs in .rodata, which has `size` bytes; NULL: none. */
	void (*fill)(void *rodata, const struct probe *probe);
	size_t rodata_size;
};

static void
fill_tracing(void *rodata, const struct probe *probe)
{
	struct tracing_bpf__rodata *knobs = rodata;

	calls_fill((struct khien_call *)(uintptr_t)knobs->calls,
		   (uint8_t *)(uintptr_t)knobs->call_kinds);
	if (probe->passing)
		acts_pass((struct khien_call *)(uintptr_t)knobs->calls,
			  (uint8_t *)(uintptr_t)knobs->call_kinds);
	calls_fill_quiet((uint32_t *)(uintptr_t)knobs->quiet);
	knobs->open_flags = calls_open_flags();
	acts_fill((uint8_t *)(uintptr_t)knobs->acts,
		  (uint8_t *)(uintptr_t)knobs->act_kinds);
	knobs->iterator_slot = probe->cpus;
	knobs->uring_slots = probe->cpus + 1;
	knobs->hooked = probe->hooked;
}

static void
fill_security(void *rodata, const struct probe *probe)
{
	struct security_bpf__rodata *knobs = rodata;

	knobs->setattr_mapped = probe->fit.setattr_mapped;
	knobs->xattr_mapped = probe->fit.xattr_mapped;
	knobs->hooked = probe->hooked;
	guard_find_spaces((uint32_t *)(uintptr_t)knobs->spaces);
}

static const struct opening openings[PROGRAMS_OBJECTS] = {
	[PROGRAMS_TRACING] = { "tracing", tracing_bpf__elf_bytes, fill_tracing,
			       sizeof(struct tracing_bpf__rodata) },
	[PROGRAMS_SECURITY] = { "security", security_bpf__elf_bytes,
				fill_security,
				sizeof(struct security_bpf__rodata) },
};

int
opening_open(struct bpf_object **ret, size_t which, const struct probe *probe)
{
	const struct opening *opening = &openings[which];
	size_t size = 0;

	const void *bytes = opening->bytes(&size);
	struct bpf_object_open_opts opts = { .sz = sizeof(opts),
					     .object_name = opening->name };
	*ret = bpf_object__open_mem(bytes, size, &opts);
	if (!*ret)
		return -errno;
	if (!opening->fill)
		return 0;
	struct bpf_map *map = bpf_object__find_map_by_name(*ret, ".rodata");
	if (!map)
		return -EINVAL;
	/* libbpf 1.1 has it const, and writable all the same until it loads. */
	void *rodata = (void *)(uintptr_t)bpf_map__initial_value(map, &size);
	if (!rodata || size != opening->rodata_size)
		return -EINVAL;
	opening->fill(rodata, probe);
	return 0;
}
