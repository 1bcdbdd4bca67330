/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/fit.h"

#include <errno.h>
#include <stddef.h>

#include "agent/lib/file.h"
#include "agent/sensor/prototype.h"

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

void
fit_choose(int32_t errors[PROGRAMS])
{
	struct prototype *prototype CLEANUP(prototype_closep) = NULL;
	size_t chosen[PROGRAMS_CHOICES];

	if (prototype_open(&prototype) < 0)
		return;
	find_forms(prototype, chosen);
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct programs_form *form = programs_form(i);
		if (!form)
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
