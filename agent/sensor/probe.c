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
#include "agent/sensor/attach.h"
#include "agent/sensor/fit.h"
#include "agent/sensor/guard.h"
#include "agent/sensor/opening.h"
#include "agent/sensor/programs.h"
#include "kernel/khien_abi.h"

#define LAST_LINES 20 /* of what libbpf says at once */

/* The programs that are to be loaded. */
struct chosen {
	bool has[PROGRAMS];
};

static const char *const map_names[PROBE_MAPS] = {
	"critical", "bulk",   "counters", "own",      "reach",	"stops",
	"names",    "known",  "armed",	  "handlers", "claims", "guard",
	"guarded",  "places", "ours",	  "lefts",    "wants",	"bad",
};

const char *
probe_map_name(size_t map)
{
	return map_names[map];
}

bool
probe_is_wanted(struct probe_wanted wanted, size_t program)
{
	switch (programs_get(program)->sensor) {
	case PROGRAMS_OF_PROCESS:
		return wanted.process;
	case PROGRAMS_OF_FILE:
		return wanted.file;
	case PROGRAMS_OF_NETWORK:
		return wanted.network;
	case PROGRAMS_OF_PRIVILEGE:
		return wanted.privilege;
	case PROGRAMS_OF_GUARD:
		return wanted.guard;
	default:
		return true;
	}
}

/* Where the last `lines` of a text's lines begin. */
static char *
last_lines(char *text, size_t lines)
{
	char *at = text + strlen(text);

	for (; at > text; at--)
		if (at[-1] == '\n' && at[0] != '\0' && lines-- == 1)
			break;
	return at;
}

/*
 * What the verifier says of a program that it refuses is long, and only its end
 * says why.
 */
__attribute__((format(printf, 2, 0))) static int
log_line(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text CLEANUP_FREE = NULL;

	if (level == LIBBPF_DEBUG)
		return 0;
	int len = vasprintf(&text, format, args);
	if (len < 0) {
		text = NULL;
		return len;
	}
	char *rest = last_lines(text, LAST_LINES);
	if (rest > text)
		log_debug("%.*s", (int)strcspn(text, "\n"), text);
	while (rest) {
		const char *line = strsep(&rest, "\n");
		if (*line)
			log_debug("%s", line);
	}
	return len;
}

int
probe_init(struct probe *probe)
{
	*probe = (struct probe){ 0 };
	for (size_t i = 0; i < PROBE_MAPS; i++)
		probe->maps[i] = -1;
	for (size_t i = 0; i < PROGRAMS; i++)
		probe->links[i] = -1;
	(void)libbpf_set_print(log_line);
	int cpus = libbpf_num_possible_cpus();
	if (cpus <= 0)
		return cpus < 0 ? cpus : -ENODEV;
	probe->cpus = (uint32_t)cpus;
	probe->base = loop_now_ns() / 1000;
	return 0;
}

static void
object_closep(struct bpf_object **object)
{
	bpf_object__close(*object);
	*object = NULL;
}

static int
set_size(struct bpf_object *object, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__set_max_entries(map, entries) : 0;
}

/* Sizes by the number of cpus; the shared maps are those we have already. */
static int
set_maps(struct bpf_object *object, size_t which, const struct probe *probe)
{
	/* See iterator_slot and uring_slots, and lane.h for the others. */
	int r = set_size(object, "scratch",
			 which == PROGRAMS_TRACING ? 2 * probe->cpus + 1 :
						     KHIEN_LANES);

	if (r == 0)
		r = set_size(object, "counters",
			     KHIEN_NUMBERINGS(probe->cpus) * KHIEN_CLASSES);
	if (r == 0 && !probe->hooked)
		r = set_size(object, "lefts", 1);
	for (size_t i = 0; r == 0 && i < PROBE_MAPS; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(object, map_names[i]);
		if (map && probe->maps[i] >= 0)
			r = bpf_map__reuse_fd(map, probe->maps[i]);
	}
	return r;
}

/* Copies the descriptors of the shared maps that we have not got yet. */
static int
take_maps(struct bpf_object *object, struct probe *probe)
{
	for (size_t i = 0; i < PROBE_MAPS; i++) {
		int fd = bpf_object__find_map_fd_by_name(object, map_names[i]);
		if (fd < 0 || probe->maps[i] >= 0)
			continue;
		probe->maps[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (probe->maps[i] < 0)
			return -errno;
	}
	return 0;
}

static void
attach(struct bpf_object *object, struct probe *probe, size_t program)
{
	struct bpf_program *bpf = bpf_object__find_program_by_name(
		object, programs_get(program)->name);
	int fd = bpf ? attach_program(bpf, probe, program) : -ENOENT;

	probe->links[program] = fd < 0 ? -1 : fd;
	probe->errors[program] = fd < 0 ? -fd : 0;
}

/*
 * Loads those programs of the object that are chosen; with none it only makes
 * the maps.  They are attached later: see attach_chosen().
 */
static int
object_load(struct bpf_object **object, size_t which, struct probe *probe,
	    const struct chosen *chosen)
{
	int r = opening_open(object, which, probe);

	if (r == 0)
		r = set_maps(*object, which, probe);
	for (size_t i = 0; r == 0 && i < PROGRAMS; i++) {
		if (programs_get(i)->object != which || chosen->has[i])
			continue;
		struct bpf_program *bpf = bpf_object__find_program_by_name(
			*object, programs_get(i)->name);
		if (bpf)
			r = bpf_program__set_autoload(bpf, false);
	}
	if (r == 0)
		r = bpf_object__load(*object);
	if (r == 0)
		r = take_maps(*object, probe);
	return r;
}

static void
attach_chosen(struct bpf_object *object, size_t which, struct probe *probe,
	      const struct chosen *chosen)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (programs_get(i)->object == which && chosen->has[i])
			attach(object, probe, i);
}

static size_t
count_chosen(const struct chosen *chosen, size_t which)
{
	size_t count = 0;

	for (size_t i = 0; i < PROGRAMS; i++)
		count += programs_get(i)->object == which && chosen->has[i];
	return count;
}

/* Moves about a half of the object's programs from one to the other. */
static void
halve(struct chosen *chosen, struct chosen *half, size_t which)
{
	size_t left = count_chosen(chosen, which) / 2;

	for (size_t i = 0; i < PROGRAMS && left > 0; i++) {
		if (programs_get(i)->object != which || !chosen->has[i])
			continue;
		half->has[i] = true;
		chosen->has[i] = false;
		left--;
	}
}

/*
 * Leaves the programs of the object that the kernel takes: found by halves, as
 * few are refused and each attempt takes its time.
 */
static void
find_accepted(size_t which, struct probe *probe, struct chosen *chosen)
{
	struct bpf_object *object CLEANUP(object_closep) = NULL;
	struct chosen half = { 0 };
	size_t count = count_chosen(chosen, which);

	if (count == 0)
		return;
	int r = object_load(&object, which, probe, chosen);
	if (r == 0)
		return;
	if (count > 1) {
		halve(chosen, &half, which);
		find_accepted(which, probe, &half);
		find_accepted(which, probe, chosen);
	}
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (programs_get(i)->object != which)
			continue;
		if (count == 1 && chosen->has[i]) {
			probe->errors[i] = fit_why(-r);
			chosen->has[i] = false;
		}
		chosen->has[i] = chosen->has[i] || half.has[i];
	}
}

/* What an object would make, of what others need: without reading the kernel's
   types, which takes most of a load's time. */
static int
make_maps(struct bpf_object **object, size_t which, struct probe *probe)
{
	int r = opening_open(object, which, probe);

	if (r == 0)
		r = set_maps(*object, which, probe);
	for (size_t i = 0; r == 0 && i < PROBE_MAPS; i++) {
		const struct bpf_map *map =
			bpf_object__find_map_by_name(*object, map_names[i]);
		if (!map || probe->maps[i] >= 0)
			continue;
		struct bpf_map_create_opts opts = {
			.sz = sizeof(opts), .map_flags = bpf_map__map_flags(map)
		};
		probe->maps[i] =
			bpf_map_create(bpf_map__type(map), map_names[i],
				       bpf_map__key_size(map),
				       bpf_map__value_size(map),
				       bpf_map__max_entries(map), &opts);
		if (probe->maps[i] < 0)
			r = probe->maps[i];
	}
	return r;
}

static void
drop(size_t which, struct probe *probe, struct chosen *chosen, int32_t error)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (programs_get(i)->object != which || !chosen->has[i])
			continue;
		probe->errors[i] = error;
		chosen->has[i] = false;
	}
}

/*
 * All at once; when that is refused, all that the kernel takes: together again,
 * as an object's programs have maps in common.  With none the maps alone.
 */
static int
load_object(struct bpf_object **object, size_t which, struct probe *probe,
	    struct chosen *chosen)
{
	if (!count_chosen(chosen, which))
		return make_maps(object, which, probe);
	int r = object_load(object, which, probe, chosen);
	if (r == 0)
		return 0;
	object_closep(object);
	/* What keeps the first away keeps most of them: not worth the time. */
	if (fit_why(-r) != PROGRAMS_LOCKED)
		find_accepted(which, probe, chosen);
	else
		drop(which, probe, chosen, PROGRAMS_LOCKED);
	if (count_chosen(chosen, which)) {
		r = object_load(object, which, probe, chosen);
		if (r == 0)
			return 0;
		object_closep(object);
	}
	drop(which, probe, chosen, -r);
	return make_maps(object, which, probe);
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
	uint32_t len = KHIEN_NUMBERINGS(probe->cpus) * KHIEN_CLASSES;

	for (uint32_t i = 0; i < len; i++) {
		int r = bpf_map_update_elem(probe->maps[PROBE_COUNTERS], &i,
					    &counter, BPF_ANY);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Every process that is there is known; then changes are compared. */
static int
arm(struct probe *probe)
{
	const uint32_t zero = 0, one = 1;
	CLEANUP_FD int fd = -1;
	char bytes[64];
	ssize_t len = 0;

	if (probe->links[PROGRAM_PRIVILEGE_SEED] >= 0) {
		fd = bpf_iter_create(probe->links[PROGRAM_PRIVILEGE_SEED]);
		do
			len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
		while (len > 0 || (len < 0 && errno == EAGAIN && fd >= 0));
	}
	if (len < 0)
		probe->errors[PROGRAM_PRIVILEGE_SEED] = errno;
	if (probe->errors[PROGRAM_PRIVILEGE_CALL] != 0 ||
	    probe->errors[PROGRAM_PRIVILEGE_FORK] != 0)
		return 0;
	return bpf_map_update_elem(probe->maps[PROBE_ARMED], &zero, &one,
				   BPF_ANY);
}

/* The programs that are wanted and not known to be of no use.  False: none can
   be had, nor maps. */
static bool
choose(struct probe *probe, struct probe_wanted wanted, struct chosen *chosen)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (!probe_is_wanted(wanted, i))
			probe->errors[i] = ECANCELED;
	bool any = fit_choose(probe->errors, &probe->fit);
	for (size_t i = 0; i < PROGRAMS; i++)
		chosen->has[i] = !probe->errors[i];
	return any;
}

/* No program runs before our own processes are in the maps. */
static int
begin(struct bpf_object **objects, struct probe *probe,
      const struct chosen *chosen, const uint32_t *own, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++)
		r = probe_add_own(probe, own[i]);
	if (r == 0)
		r = begin_numbers(probe);
	for (size_t i = 0; r == 0 && i < PROGRAMS_OBJECTS; i++) {
		attach_chosen(objects[i], i, probe, chosen);
		if (count_chosen(chosen, PROGRAMS_SECURITY))
			r = guard_note_object(probe, objects[i]);
	}
	return r;
}

int
probe_load(struct probe *probe, struct probe_wanted wanted, const uint32_t *own,
	   size_t len)
{
	struct bpf_object *objects[PROGRAMS_OBJECTS] = { 0 };
	struct chosen chosen;
	int r = 0;

	probe->passing = wanted.privilege;
	if (!choose(probe, wanted, &chosen))
		return 0;
	for (size_t i = PROGRAM_HOOKS_UNLINK; i <= PROGRAM_HOOKS_BPF; i++)
		probe->hooked = probe->hooked || chosen.has[i];
	/* Once each: what takes its time is to read the kernel's types. */
	for (size_t i = 0; r == 0 && i < PROGRAMS_OBJECTS; i++)
		r = load_object(&objects[i], i, probe, &chosen);
	if (r == 0)
		r = begin(objects, probe, &chosen, own, len);
	for (size_t i = 0; i < PROGRAMS_OBJECTS; i++)
		object_closep(&objects[i]);
	if (r == 0 && wanted.privilege)
		r = arm(probe);
	/* libbpf leaves behind what it read of the kernel's types. */
	(void)malloc_trim(0);
	return r;
}

int
probe_open_seeds(struct probe *probe)
{
	if (probe->links[PROGRAM_PROCESS_SEED] < 0)
		return -ENOENT;
	return bpf_iter_create(probe->links[PROGRAM_PROCESS_SEED]);
}

void
probe_done(struct probe *probe)
{
	for (size_t i = 0; i < PROBE_MAPS; i++)
		file_closep(&probe->maps[i]);
	for (size_t i = 0; i < PROGRAMS; i++)
		file_closep(&probe->links[i]);
}
