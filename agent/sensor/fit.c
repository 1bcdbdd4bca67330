/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/fit.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/file.h"
#include "agent/sensor/prototype.h"
#include "agent/sensor/tier.h"

/* Of each choice the program whose form is the kernel's; PROGRAMS: none. */
static void
find_forms(const struct prototype *prototype, size_t *chosen)
{
	for (size_t i = 0; i < PROGRAMS_CHOICES; i++)
		chosen[i] = PROGRAMS;
	for (size_t i = 0; i < PROGRAMS; i++) {
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
	if (form->about && !prototype_has_struct(prototype, form->about))
		return PROGRAMS_UNNEEDED;
	return EOPNOTSUPP;
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

void
fit_choose(int32_t errors[PROGRAMS], struct fit *ret_fit)
{
	struct prototype *prototype CLEANUP(prototype_closep) = NULL;
	size_t chosen[PROGRAMS_CHOICES];

	*ret_fit = (struct fit){ 0 };
	int r = prototype_open(&prototype);
	if (r < 0) {
		set_tier(errors, -r);
		return;
	}
	choose_tier(prototype, errors);
	ret_fit->setattr_mapped =
		!prototype_hook_takes(prototype, "inode_setattr", "dentry");
	ret_fit->xattr_mapped =
		!prototype_hook_takes(prototype, "inode_setxattr", "dentry");
	find_forms(prototype, chosen);
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct programs_form *form = programs_form(i);
		if (!form || errors[i])
			continue;
		if (form->needs && !prototype_has(prototype, form->needs))
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
