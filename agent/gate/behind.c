/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/behind.h"

void
behind_resume(struct behind *behind, uint64_t stopped_ns, uint64_t now_ns,
	      size_t waiting)
{
	struct behind_part *first = &behind->first;
	struct behind_part *second = &behind->second;

	if (first->len == 0)
		*first = (struct behind_part){ .since_ns = stopped_ns,
					       .len = waiting };
	if (second->len == 0)
		second->since_ns = behind->resumed_ns;
	second->len = waiting > first->len ? waiting - first->len : 0;
	behind->resumed_ns = now_ns;
}

uint64_t
behind_next(struct behind *behind, uint64_t now_ns)
{
	struct behind_part *first = &behind->first;

	if (first->len == 0)
		return 0;
	uint64_t since_ns = first->since_ns;
	if (--first->len == 0) {
		*first = behind->second;
		behind->second = (struct behind_part){ 0 };
	}
	return now_ns > since_ns ? now_ns - since_ns : 0;
}
