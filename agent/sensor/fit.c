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
		const struct programs_entry *entry = programs_get(i);
		if (entry->choice &&
		    prototype_is(prototype, entry->tracepoint, entry->params))
			chosen[entry->choice] = i;
	}
}

/* The kernel does not have what the program tells of: nothing is missed. */
static bool
is_about_nothing(const struct prototype *prototype,
		 const struct programs_entry *entry)
{
	return entry->about && !prototype_has_struct(prototype, entry->about);
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
		const struct programs_entry *entry = programs_get(i);
		if (entry->needs && !prototype_has(prototype, entry->needs))
			errors[i] = is_about_nothing(prototype, entry) ?
					    PROGRAMS_UNNEEDED :
					    EOPNOTSUPP;
		if (!entry->choice || chosen[entry->choice] == i)
			continue;
		errors[i] = PROGRAMS_UNNEEDED;
		if (chosen[entry->choice] < PROGRAMS ||
		    is_about_nothing(prototype, entry))
			continue;
		errors[i] = EOPNOTSUPP;
		chosen[entry->choice] = i;
	}
}
