/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"
#include "agent/sensor/attach.h"
#include "agent/sensor/guarded.h"
#include "agent/sensor/probe.h"
#include "kernel/khien_abi.h"

#define INSTALLED "/libexec/khien" /* the programs' folder below a prefix */

/* Where others put units and profiles, and ours are. */
static const char *const shared[] = {
	"/etc/systemd/system",
	"/etc/systemd/system/multi-user.target.wants",
	"/etc/systemd/system/timers.target.wants",
	"/etc/systemd/system.control",
	"/run/systemd/system",
	"/run/systemd/system.control",
	"/run/systemd/transient",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/etc/apparmor.d",
	"/etc/apparmor.d/disable",
	"/etc/apparmor.d/force-complain",
};

static const char *const words[] = {
	[KHIEN_GUARD_SIGNAL] = "signal",
	[KHIEN_GUARD_TRACE] = "ptrace",
	[KHIEN_GUARD_LIMIT] = "limit",
	[KHIEN_GUARD_SCHEDULE] = "schedule",
	[KHIEN_GUARD_PROC] = "proc",
	[KHIEN_GUARD_CGROUP] = "cgroup",
	[KHIEN_GUARD_BPF] = "bpf",
	[KHIEN_GUARD_WRITE] = "write",
	[KHIEN_GUARD_MAKE] = "create",
	[KHIEN_GUARD_REMOVE] = "remove",
	[KHIEN_GUARD_RENAME] = "rename",
	[KHIEN_GUARD_LINK] = "link",
	[KHIEN_GUARD_CHANGE] = "attributes",
	[KHIEN_GUARD_MOUNT] = "mount",
	[KHIEN_GUARD_UMOUNT] = "umount",
};

const char *
guard_word(uint64_t what)
{
	if (what >= sizeof(words) / sizeof(words[0]) || !words[what])
		return "";
	return words[what];
}

static int
note(const struct probe *probe, uint64_t kind, uint32_t id)
{
	uint64_t key = kind << 32 | id;
	uint8_t one = 1;

	return bpf_map_update_elem(probe->maps[PROBE_OURS], &key, &one,
				   BPF_ANY);
}

static int
note_program(const struct probe *probe, int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &size);

	return r < 0 ? r : note(probe, KHIEN_GUARD_BPF_PROGRAM, info.id);
}

static int
note_map(const struct probe *probe, int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &size);

	return r < 0 ? r : note(probe, KHIEN_GUARD_BPF_MAP, info.id);
}

int
guard_note_object(const struct probe *probe, struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map,
				 object) if (r == 0 && bpf_map__fd(map) >= 0)
		r = note_map(probe, bpf_map__fd(map));
	bpf_object__for_each_program(
		program, object) if (r == 0 && bpf_program__fd(program) >= 0)
		r = note_program(probe, bpf_program__fd(program));
	return r;
}

/* What goes on by `handlers` is a program, and was noted. */
static int
note_links(const struct probe *probe)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < PROGRAMS; i++) {
		struct bpf_link_info info = { 0 };
		uint32_t size = sizeof(info);
		if (probe->links[i] < 0 || !attach_is_link(probe, i))
			continue;
		r = bpf_obj_get_info_by_fd(probe->links[i], &info, &size);
		if (r == 0)
			r = note(probe, KHIEN_GUARD_BPF_LINK, info.id);
	}
	return r;
}

static void
take(struct guarded *guarded, const char *path)
{
	if (!path[0])
		return;
	int r = guarded_add(guarded, path);
	if (r == 0)
		return;
	errno = -r;
	log_warning("%s is not guarded: %m", path);
}

/* A program's file, by the process that runs it.  Returns its length, or 0. */
static size_t
find_program(const char *link, char path[PATH_MAX])
{
	ssize_t len = readlink(link, path, PATH_MAX - 1);

	path[len < 0 ? 0 : len] = '\0';
	return strlen(path);
}

static void
take_beside(struct guarded *guarded, const char *prefix, size_t len,
	    const char *rest)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%.*s%s", (int)len, prefix, rest) <
	    (int)sizeof(path))
		take(guarded, path);
}

static void
take_programs(struct guarded *guarded)
{
	char path[PATH_MAX], link[64];
	const size_t installed = strlen(INSTALLED);

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)getppid());
	if (find_program(link, path))
		take(guarded, path);
	char *slash = find_program("/proc/self/exe", path) ?
			      strrchr(path, '/') :
			      NULL;
	if (!slash || slash == path)
		return;
	*slash = '\0';
	take(guarded, path);
	size_t len = strlen(path);
	if (len <= installed || !str_equal(path + len - installed, INSTALLED))
		return;
	take_beside(guarded, path, len - installed, "/bin/khienctl");
	take_beside(guarded, path, len - installed, "/share/khien");
}

static void
take_all(struct guarded *guarded, const struct conf *conf)
{
	take_programs(guarded);
	take(guarded, conf->source);
	if (conf->source[0])
		take_beside(guarded, conf->source, strlen(conf->source), ".d");
	take(guarded, "/etc/khien");
	take(guarded, conf->state_dir);
	take(guarded, conf->run_dir);
	take(guarded, conf->rules_dir);
	take(guarded, conf->local_dir);
	if (conf->url[0])
		take(guarded, conf->trust);
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		int r = guarded_add_names(guarded, shared[i]);
		if (r == 0 || r == -ENOENT)
			continue;
		errno = -r;
		log_warning("%s is not guarded: %m", shared[i]);
	}
}

static int
put_all(const struct probe *probe, const struct guarded *guarded)
{
	const struct khien_guard_place *place;
	const struct khien_guard_key *key;
	uint32_t value;
	int r = 0;

	for (uint32_t i = 0; r == 0; i++) {
		place = guarded_place(guarded, i);
		if (!place)
			break;
		r = bpf_map_update_elem(probe->maps[PROBE_PLACES], &i, place,
					BPF_ANY);
	}
	for (size_t i = 0; r == 0; i++) {
		key = guarded_entry(guarded, i, &value);
		if (!key)
			break;
		r = bpf_map_update_elem(probe->maps[PROBE_GUARDED], key, &value,
					BPF_ANY);
	}
	return r;
}

/* Last of all: khiend arms what is there. */
static int
put_count(const struct probe *probe)
{
	struct khien_guard page = { 0 };
	const uint32_t zero = 0;

	for (size_t i = 0; i < PROGRAMS; i++)
		if (programs_get(i)->sensor == PROGRAMS_OF_GUARD &&
		    probe->links[i] >= 0)
			page.programs++;
	return bpf_map_update_elem(probe->maps[PROBE_GUARD], &zero, &page,
				   BPF_ANY);
}

int
guard_fill(const struct probe *probe, const struct conf *conf)
{
	CLEANUP(guarded_freep) struct guarded *guarded = guarded_new();

	if (!guarded)
		return -ENOMEM;
	take_all(guarded, conf);
	int r = put_all(probe, guarded);
	if (r == 0)
		r = note_links(probe);
	return r < 0 ? r : put_count(probe);
}

static uint32_t
find_space(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

void
guard_find_spaces(uint32_t ret_spaces[2])
{
	ret_spaces[0] = find_space("/proc/self/ns/mnt");
	ret_spaces[1] = find_space("/proc/1/ns/mnt");
}
