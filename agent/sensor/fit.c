/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/fit.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/sensor/prototype.h"
#include "agent/sensor/tier.h"

#define LOCKDOWN "/sys/kernel/security/lockdown"

/*
 * Of each choice the program whose form is the kernel's; PROGRAMS: none, as of
 * a kernel without types.
 */
static void
find_forms(const struct prototype *prototype, size_t *chosen)
{
	for (size_t i = 0; i < PROGRAMS_CHOICES; i++)
		chosen[i] = PROGRAMS;
	for (size_t i = 0; prototype && i < PROGRAMS; i++) {
		const struct programs_form *form = programs_form(i);
		if (form && form->choice &&
		    prototype_is(prototype, form->tracepoint, form->params))
			chosen[form->choice] = i;
	}
}

/* The error of a program that is missed, or not even that. */
static int32_t
error_of(const struct prototype *prototype, const struct programs_form *form)
{
	if (!prototype)
		return PROGRAMS_NO_TYPES;
	if (form->about && !prototype_has_struct(prototype, form->about))
		return PROGRAMS_UNNEEDED;
	return EOPNOTSUPP;
}

/* The smallest of all programs: 0, or what keeps it and all others away. */
static int32_t
try_bpf(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	CLEANUP_FD int map =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);
	if (map < 0)
		return PROGRAMS_NO_BPF - map;
	CLEANUP_FD int program =
		bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", code,
			      sizeof(code) / sizeof(code[0]), NULL);
	return program < 0 ? PROGRAMS_NO_BPF - program : 0;
}

/* The mode that is in force stands in brackets. */
static bool
is_locked(void)
{
	char text[128];
	size_t len;

	return file_read(AT_FDCWD, LOCKDOWN, text, sizeof(text), &len) == 0 &&
	       strstr(text, "[confidentiality]");
}

int32_t
fit_why(int error)
{
	/* Helpers that read the kernel's memory are unknown then. */
	if ((error == EINVAL || error == EPERM || error == EACCES) &&
	    is_locked())
		return PROGRAMS_LOCKED;
	return error;
}

static bool
is_of_tier(const int32_t *errors, size_t program)
{
	return !errors[program] && programs_get(program)->hook;
}

static void
set_tier(int32_t *errors, int32_t error)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (is_of_tier(errors, i))
			errors[i] = error;
}

/* Asked once for all of them: where one is refused, so are the others. */
static void
choose_tier(const struct prototype *prototype, int32_t *errors)
{
	bool any = false;

	for (size_t i = 0; i < PROGRAMS; i++)
		any = any || is_of_tier(errors, i);
	int32_t error = any ? tier_try(prototype) : 0;
	if (error) {
		set_tier(errors, error);
		return;
	}
	for (size_t i = 0; i < PROGRAMS; i++)
		if (is_of_tier(errors, i) &&
		    !prototype_hook(prototype, programs_get(i)->hook))
			errors[i] = PROGRAMS_UNNEEDED;
}

/* Those that are not to be tried; without types that is each with a form. */
static void
leave_out(const struct prototype *prototype, int32_t errors[PROGRAMS])
{
	size_t chosen[PROGRAMS_CHOICES];

	find_forms(prototype, chosen);
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct programs_form *form = programs_form(i);
		if (!form || errors[i])
			continue;
		if (form->needs &&
		    (!prototype || !prototype_has(prototype, form->needs)))
			errors[i] = error_of(prototype, form);
		if (!form->choice || chosen[form->choice] == i)
			continue;
		errors[i] = PROGRAMS_UNNEEDED;
		if (chosen[form->choice] < PROGRAMS)
			continue;
		/* None fits: one of them stands for what is missed. */
		errors[i] = error_of(prototype, form);
		chosen[form->choice] = i;
	}
}

static void
read_forms(const struct prototype *prototype, struct fit *fit)
{
	fit->setattr_mapped =
		!prototype_hook_takes(prototype, "inode_setattr", "dentry");
	fit->xattr_mapped =
		!prototype_hook_takes(prototype, "inode_setxattr", "dentry");
}

bool
fit_choose(int32_t errors[PROGRAMS], struct fit *ret_fit)
{
	struct prototype *prototype CLEANUP(prototype_closep) = NULL;
	int32_t none = try_bpf();

	*ret_fit = (struct fit){ 0 };
	if (prototype_open(&prototype) < 0 && !none)
		none = PROGRAMS_NO_TYPES;
	if (!none) {
		choose_tier(prototype, errors);
		read_forms(prototype, ret_fit);
	}
	leave_out(prototype, errors);
	for (size_t i = 0; i < PROGRAMS; i++)
		if (!errors[i])
			errors[i] = none;
	return none == 0;
}
