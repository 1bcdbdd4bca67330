/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/behaviour.h"

#include "agent/lib/event.h"
#include "agent/lib/str.h"

enum rule {
	RULE_ESCALATION,
	RULE_INJECTION,
	RULE_MODULE_ELSEWHERE,
	RULE_MODULE_MEMORY,
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

const struct behaviour *
behaviour_judge(const struct event *event, const struct behaviour_scene *scene)
{
	bool injects = false;

	switch (event->type) {
	case EVENT_ESCALATE:
		return &rules[RULE_ESCALATION];
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
