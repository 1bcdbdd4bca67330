/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/behaviour.h"

#include <linux/types.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/event.h"
#include "agent/lib/str.h"
#include "kernel/khien_abi.h"

enum rule {
	RULE_ESCALATION,
	RULE_INJECTION,
	RULE_MODULE_ELSEWHERE,
	RULE_MODULE_MEMORY,
	RULE_GUARD_SIGNAL,
	RULE_GUARD_TRACE,
	RULE_GUARD_LIMIT,
	RULE_GUARD_FILE,
	RULE_GUARD_MOUNT,
	RULE_GUARD_KERNEL,
	RULES,
};

static const struct behaviour rules[RULES] = {
	[RULE_ESCALATION] = {
		"behaviour_escalation",
		"099f1f61-75ab-49a4-8c24-79e8c61b0fab",
		"a process has a user or capabilities that no system call "
		"gave it: what an exploit of the kernel leaves",
		"critical",
		"T1068",
		{ EVENT_ESCALATE },
	},
	[RULE_INJECTION] = {
		"behaviour_injection",
		"b8e415b8-2625-4acf-a006-2646b20df4ab",
		"a process writes into the memory or registers of one of "
		"another user, or of one with more rights",
		"high",
		"T1055.008 T1055.009",
		{ EVENT_PTRACE, EVENT_VM_WRITE, EVENT_MEM_OPEN },
	},
	[RULE_MODULE_ELSEWHERE] = {
		"behaviour_module_elsewhere",
		"6385f410-b0ce-4d72-8371-4c4cd7a338f7",
		"a kernel module was loaded from a file outside the folders "
		"of kernel modules",
		"high",
		"T1547.006 T1014",
		{ EVENT_MODULE_LOAD },
	},
	[RULE_MODULE_MEMORY] = {
		"behaviour_module_memory",
		"1f694c5f-fd62-49f8-8e59-7bc9e3780f17",
		"a kernel module was loaded from memory, not from a file",
		"high",
		"T1547.006 T1014 T1620",
		{ EVENT_MODULE_LOAD },
	},
	[RULE_GUARD_SIGNAL] = {
		"behaviour_guard_signal",
		"445b4592-4a30-4f2d-91a4-d2a27c135ce7",
		"somebody was refused to end or stop a process of the agent",
		"high",
		"T1562.001",
		{ EVENT_GUARD },
	},
	[RULE_GUARD_TRACE] = {
		"behaviour_guard_trace",
		"31633a27-cec4-4316-ae6e-41572cdd7a98",
		"somebody was refused to trace a process of the agent, or to "
		"get at its memory or descriptors",
		"high",
		"T1562.001 T1055.008",
		{ EVENT_GUARD },
	},
	[RULE_GUARD_LIMIT] = {
		"behaviour_guard_limit",
		"a9fdf573-e415-480c-b2cb-00f3ccc73509",
		"somebody was refused to starve or freeze a process of the "
		"agent",
		"high",
		"T1562.001",
		{ EVENT_GUARD },
	},
	[RULE_GUARD_FILE] = {
		"behaviour_guard_file",
		"a7160f4b-3c0a-4f8c-bfca-a74bc42e7f4d",
		"somebody was refused to change, replace or remove a file of "
		"the agent",
		"high",
		"T1562.001",
		{ EVENT_GUARD },
	},
	[RULE_GUARD_MOUNT] = {
		"behaviour_guard_mount",
		"0ca1e5a4-5cba-4142-bae6-162ad34aa14f",
		"somebody was refused to mount over files of the agent",
		"high",
		"T1562.001",
		{ EVENT_GUARD },
	},
	[RULE_GUARD_KERNEL] = {
		"behaviour_guard_kernel",
		"10c50462-3cd7-497d-97a8-01e0b409e490",
		"somebody was refused to get hold of a kernel program of the "
		"agent, or of its maps",
		"high",
		"T1562.001",
		{ EVENT_GUARD },
	},
};

/* By what was tried: see KHIEN_GUARD_SIGNAL. */
static const struct {
	uint8_t rule;
	const char *what; /* "%u" in it is value2 */
} attempts[] = {
	[KHIEN_GUARD_SIGNAL] = { RULE_GUARD_SIGNAL, "signal %u" },
	[KHIEN_GUARD_TRACE] = { RULE_GUARD_TRACE, "access of mode %u" },
	[KHIEN_GUARD_LIMIT] = { RULE_GUARD_LIMIT, "resource limit %u" },
	[KHIEN_GUARD_SCHEDULE] = { RULE_GUARD_LIMIT, "scheduling" },
	[KHIEN_GUARD_PROC] = { RULE_GUARD_LIMIT, "writing to /proc" },
	[KHIEN_GUARD_CGROUP] = { RULE_GUARD_LIMIT,
				 "writing to its control group" },
	[KHIEN_GUARD_BPF] = { RULE_GUARD_KERNEL, "object %u" },
	[KHIEN_GUARD_WRITE] = { RULE_GUARD_FILE, "opening to write" },
	[KHIEN_GUARD_MAKE] = { RULE_GUARD_FILE, "making a file" },
	[KHIEN_GUARD_REMOVE] = { RULE_GUARD_FILE, "removing" },
	[KHIEN_GUARD_RENAME] = { RULE_GUARD_FILE, "renaming" },
	[KHIEN_GUARD_LINK] = { RULE_GUARD_FILE, "linking" },
	[KHIEN_GUARD_CHANGE] = { RULE_GUARD_FILE,
				 "changing mode, owner, size or attributes" },
	[KHIEN_GUARD_MOUNT] = { RULE_GUARD_MOUNT, "mounting" },
	[KHIEN_GUARD_UMOUNT] = { RULE_GUARD_MOUNT, "unmounting" },
};

/* Of ptrace(2): those that change another's memory or registers. */
static const uint64_t pokes[] = {
	4,	/* PTRACE_POKETEXT */
	5,	/* PTRACE_POKEDATA */
	6,	/* PTRACE_POKEUSER */
	13,	/* PTRACE_SETREGS */
	15,	/* PTRACE_SETFPREGS */
	19,	/* PTRACE_SETFPXREGS */
	0x4205, /* PTRACE_SETREGSET */
	0x4212, /* PTRACE_SET_SYSCALL_INFO */
};

static const char *const module_folders[] = {
	"/lib/modules/",
	"/usr/lib/modules/",
};

/*
 * They unpack a compressed module in memory where the kernel cannot.  insmod is
 * the same file as modprobe, but loads whatever it is given.
 */
static const char *const loaders[] = {
	"/usr/bin/kmod",
	"/usr/sbin/kmod",
	"/bin/kmod",
	"/sbin/kmod",
	"/usr/bin/udevadm",
	"/bin/udevadm",
	"/usr/lib/systemd/systemd",
	"/lib/systemd/systemd",
	"/usr/lib/systemd/systemd-udevd",
	"/lib/systemd/systemd-udevd",
	"/usr/lib/systemd/systemd-modules-load",
	"/lib/systemd/systemd-modules-load",
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

const struct behaviour *
behaviour_get(size_t i)
{
	return i < RULES ? &rules[i] : NULL;
}

void
behaviour_each(void (*fn)(void *arg, const struct behaviour *behaviour),
	       void *arg)
{
	for (size_t i = 0; i < RULES; i++)
		fn(arg, &rules[i]);
}

bool
behaviour_knows(uint16_t type)
{
	for (size_t i = 0; i < RULES; i++)
		for (size_t t = 0; t < BEHAVIOUR_TYPES; t++)
			if (rules[i].types[t] == type && type)
				return true;
	return false;
}

static bool
is_poke(uint64_t request)
{
	for (size_t i = 0; i < LEN(pokes); i++)
		if (pokes[i] == request)
			return true;
	return false;
}

/*
 * A debugger of one's own user may do so, and who is not known is not accused.
 * With the same user it is the rights of root that a target can have more of:
 * in a user namespace they are worth nothing outside.
 */
static bool
is_injection(const struct event *event, const struct behaviour_scene *scene)
{
	if (!scene->target_known || scene->target_own || !event->pid ||
	    event->pid == event->target_pid)
		return false;
	if (scene->target_uid != event->uid ||
	    scene->target_euid != event->euid)
		return true;
	return event->euid == 0 && (scene->target_caps & ~event->caps);
}

static const struct behaviour *
judge_module(const struct event *event, const struct behaviour_scene *scene)
{
	if (!event->inode && !*event->path) {
		if (str_equal(scene->comm, "insmod"))
			return &rules[RULE_MODULE_MEMORY];
		for (size_t i = 0; i < LEN(loaders); i++)
			if (str_equal(scene->executable, loaders[i]))
				return NULL;
		return &rules[RULE_MODULE_MEMORY];
	}
	/* The beginning is missing: it cannot be told where the file is. */
	if (!*event->path || event->flags & EVENT_PATH_CUT)
		return NULL;
	if (event->flags & EVENT_MEMFD)
		return &rules[RULE_MODULE_MEMORY];
	for (size_t i = 0; i < LEN(module_folders); i++)
		if (str_starts(event->path, module_folders[i]))
			return NULL;
	return &rules[RULE_MODULE_ELSEWHERE];
}

/* What this version does not know is refused by one of ours all the same. */
static const struct behaviour *
judge_guard(const struct event *event)
{
	if (!event->value || event->value >= LEN(attempts))
		return &rules[RULE_GUARD_SIGNAL];
	return &rules[attempts[event->value].rule];
}

bool
behaviour_describe(const struct event *event, char *dst, size_t size)
{
	if (event->type != EVENT_GUARD || !event->value ||
	    event->value >= LEN(attempts))
		return false;
	int len = snprintf(dst, size, "%s: ", judge_guard(event)->description);
	if (len < 0 || (size_t)len >= size)
		return false;
	const char *what = attempts[event->value].what;
	const char *number = strstr(what, "%u");
	if (number)
		(void)snprintf(dst + len, size - (size_t)len, "%.*s%u",
			       (int)(number - what), what,
			       (unsigned int)event->value2);
	else
		(void)snprintf(dst + len, size - (size_t)len, "%s", what);
	return true;
}

const struct behaviour *
behaviour_judge(const struct event *event, const struct behaviour_scene *scene)
{
	bool injects = false;

	switch (event->type) {
	case EVENT_ESCALATE:
		return &rules[RULE_ESCALATION];
	case EVENT_GUARD:
		return judge_guard(event);
	case EVENT_MODULE_LOAD:
		return judge_module(event, scene);
	case EVENT_PTRACE:
		injects = is_poke(event->value);
		break;
	case EVENT_VM_WRITE:
	case EVENT_MEM_OPEN:
		injects = true;
		break;
	default:
		break;
	}
	return injects && is_injection(event, scene) ? &rules[RULE_INJECTION] :
						       NULL;
}
