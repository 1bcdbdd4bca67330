/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/str.h"
#include "agent/sensor/calls.h"
#include "kernel/khien_abi.h" /* first: the skeletons use its structs */
#include "gen/file.skel.h"
#include "gen/process.skel.h"
#include "gen/reach.skel.h"

#define OBJECTS 3

static const struct {
	const char *name;
	size_t object;
	const char *cost;
} programs[PROBE_PROGRAMS] = {
	{ "process_fork", 0, "processes that start and execute nothing" },
	{ "process_exec", 0, "programs that start, with their arguments" },
	{ "process_exit", 0, "ends of processes, exit codes and run times" },
	{ "process_seed", 0, "processes that were there before the agent" },
	{ "file_call", 1,
	  "files created, written, renamed, removed, linked, changed in mode, "
	  "owner or attributes; mounts" },
	{ "reach_exec", 2,
	  "programs that start from where the gate cannot look: they are not "
	  "stopped" },
};

#define SEED 3

static const char *const map_names[PROBE_MAPS] = { "critical", "bulk",
						   "counters", "own",
						   "reach",    "stops" };

const char *
probe_name(size_t program)
{
	return program < PROBE_PROGRAMS ? programs[program].name : NULL;
}

const char *
probe_cost(size_t program)
{
	return programs[program].cost;
}

const char *
probe_map_name(size_t map)
{
	return map_names[map];
}

bool
probe_is_wanted(struct probe_wanted wanted, size_t program)
{
	switch (programs[program].object) {
	case 0:
		return wanted.process;
	case 1:
		return wanted.file;
	default:
		return true;
	}
}

__attribute__((format(printf, 2, 0))) static int
log_line(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];

	if (level == LIBBPF_DEBUG)
		return 0;
	int len = vsnprintf(line, sizeof(line), format, args);
	log_debug("%s", line);
	return len;
}

int
probe_init(struct probe *probe)
{
	*probe = (struct probe){ 0 };
	for (size_t i = 0; i < PROBE_MAPS; i++)
		probe->maps[i] = -1;
	for (size_t i = 0; i < PROBE_PROGRAMS; i++)
		probe->links[i] = -1;
	(void)libbpf_set_print(log_line);
	int cpus = libbpf_num_possible_cpus();
	if (cpus <= 0)
		return cpus < 0 ? cpus : -ENODEV;
	probe->cpus = (uint32_t)cpus;
	probe->base = loop_now_ns() / 1000;
	return 0;
}

/* One of the object files, opened anew for every attempt. */
struct object {
	struct process_bpf *process; /* one of these */
	struct file_bpf *file;
	struct reach_bpf *reach;
	struct bpf_object *bpf;
};

static void
object_close(struct object *object)
{
	process_bpf__destroy(object->process);
	file_bpf__destroy(object->file);
	reach_bpf__destroy(object->reach);
	*object = (struct object){ 0 };
}

static int
open_reach(struct object *ret)
{
	ret->reach = reach_bpf__open();
	if (!ret->reach)
		return -errno;
	ret->bpf = ret->reach->obj;
	return 0;
}

/* Opens it and turns its knobs. */
static int
object_open(struct object *ret, size_t which, const struct probe *probe)
{
	*ret = (struct object){ 0 };
	if (which == 0) {
		ret->process = process_bpf__open();
		if (!ret->process)
			return -errno;
		ret->process->rodata->iterator_slot = probe->cpus;
		ret->bpf = ret->process->obj;
		return 0;
	}
	if (which == 2)
		return open_reach(ret);
	ret->file = file_bpf__open();
	if (!ret->file)
		return -errno;
	/* Not loaded yet, so what the programs see as constants is ours. */
	calls_fill((struct khien_call *)(uintptr_t)ret->file->rodata->calls);
	calls_fill_quiet((uint32_t *)(uintptr_t)ret->file->rodata->quiet);
	ret->file->rodata->open_flags = calls_open_flags();
	ret->bpf = ret->file->obj;
	return 0;
}

static int
set_size(struct bpf_object *object, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__set_max_entries(map, entries) : 0;
}

/* Sizes by the number of cpus; the shared maps are those we have already. */
static int
set_maps(struct object *object, const struct probe *probe)
{
	int r = set_size(object->bpf, "scratch", probe->cpus + 1);

	if (r == 0)
		r = set_size(object->bpf, "counters",
			     probe->cpus * KHIEN_CLASSES);
	for (size_t i = 0; r == 0 && i < PROBE_MAPS; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(object->bpf, map_names[i]);
		if (map && probe->maps[i] >= 0)
			r = bpf_map__reuse_fd(map, probe->maps[i]);
	}
	return r;
}

/* Copies the descriptors of the shared maps that we have not got yet. */
static int
take_maps(struct object *object, struct probe *probe)
{
	for (size_t i = 0; i < PROBE_MAPS; i++) {
		int fd = bpf_object__find_map_fd_by_name(object->bpf,
							 map_names[i]);
		if (fd < 0 || probe->maps[i] >= 0)
			continue;
		probe->maps[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (probe->maps[i] < 0)
			return -errno;
	}
	return 0;
}

static void
attach(struct object *object, struct probe *probe, size_t program)
{
	struct bpf_program *bpf = bpf_object__find_program_by_name(
		object->bpf, programs[program].name);
	struct bpf_link *link = bpf ? bpf_program__attach(bpf) : NULL;

	probe->errors[program] = 0;
	if (!link) {
		probe->errors[program] = bpf ? errno : ENOENT;
		return;
	}
	probe->links[program] = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 0);
	if (probe->links[program] < 0)
		probe->errors[program] = errno;
	(void)bpf_link__destroy(link);
}

/*
 * Loads those programs of the object that `chosen` has bits of; with none it
 * only makes the maps.  They are attached later: see attach_all().
 */
static int
object_load(struct object *object, size_t which, struct probe *probe,
	    uint32_t chosen)
{
	int r = object_open(object, which, probe);

	if (r == 0)
		r = set_maps(object, probe);
	for (size_t i = 0; r == 0 && i < PROBE_PROGRAMS; i++) {
		if (programs[i].object != which || chosen & 1u << i)
			continue;
		struct bpf_program *bpf = bpf_object__find_program_by_name(
			object->bpf, programs[i].name);
		if (bpf)
			r = bpf_program__set_autoload(bpf, false);
	}
	if (r == 0)
		r = bpf_object__load(object->bpf);
	if (r == 0)
		r = take_maps(object, probe);
	return r;
}

static void
attach_chosen(struct object *object, size_t which, struct probe *probe,
	      uint32_t chosen)
{
	for (size_t i = 0; i < PROBE_PROGRAMS; i++)
		if (programs[i].object == which && chosen & 1u << i)
			attach(object, probe, i);
}

/* All at once; when that is refused, each by itself. */
static void
load_object(size_t which, struct probe *probe, uint32_t chosen)
{
	struct object all CLEANUP(object_close) = { 0 };

	if (object_load(&all, which, probe, chosen) == 0) {
		attach_chosen(&all, which, probe, chosen);
		return;
	}
	for (size_t i = 0; i < PROBE_PROGRAMS; i++) {
		struct object one CLEANUP(object_close) = { 0 };
		if (programs[i].object != which || !(chosen & 1u << i))
			continue;
		int r = object_load(&one, which, probe, 1u << i);
		if (r < 0)
			probe->errors[i] = -r;
		else
			attach(&one, probe, i);
	}
}

int
probe_add_own(struct probe *probe, uint32_t pid)
{
	uint8_t one = 1;

	return bpf_map_update_elem(probe->maps[PROBE_OWN], &pid, &one, BPF_ANY);
}

static int
begin_numbers(struct probe *probe)
{
	struct khien_counter counter = { .sequence = probe->base };
	uint32_t len = probe->cpus * KHIEN_CLASSES;

	for (uint32_t i = 0; i < len; i++) {
		int r = bpf_map_update_elem(probe->maps[PROBE_COUNTERS], &i,
					    &counter, BPF_ANY);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
load_maps_of(size_t which, struct probe *probe)
{
	struct object maps CLEANUP(object_close) = { 0 };

	return object_load(&maps, which, probe, 0);
}

/* The maps, made before any program runs, with our own processes in them. */
static int
load_maps(struct probe *probe, const uint32_t *own, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < OBJECTS; i++)
		r = load_maps_of(i, probe);
	for (size_t i = 0; r == 0 && i < len; i++)
		r = probe_add_own(probe, own[i]);
	if (r == 0)
		r = begin_numbers(probe);
	return r;
}

int
probe_load(struct probe *probe, struct probe_wanted wanted, const uint32_t *own,
	   size_t len)
{
	uint32_t chosen[OBJECTS] = { 0 };
	int r = load_maps(probe, own, len);

	if (r < 0)
		return r;
	for (size_t i = 0; i < PROBE_PROGRAMS; i++) {
		if (probe_is_wanted(wanted, i))
			chosen[programs[i].object] |= 1u << i;
		else
			probe->errors[i] = ECANCELED;
	}
	for (size_t i = 0; i < OBJECTS; i++)
		if (chosen[i])
			load_object(i, probe, chosen[i]);
	/* libbpf leaves behind what it read of the kernel's types. */
	(void)malloc_trim(0);
	return 0;
}

int
probe_open_seeds(struct probe *probe)
{
	if (probe->links[SEED] < 0)
		return -ENOENT;
	return bpf_iter_create(probe->links[SEED]);
}

void
probe_done(struct probe *probe)
{
	for (size_t i = 0; i < PROBE_MAPS; i++)
		file_closep(&probe->maps[i]);
	for (size_t i = 0; i < PROBE_PROGRAMS; i++)
		file_closep(&probe->links[i]);
}
