/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/elsewhere.h"

#include <stdlib.h>
#include <string.h>

#include "agent/lib/msg.h"
#include "agent/mounts/decide.h"
#include "agent/mounts/table.h"

void
elsewhere_clear(struct elsewhere *elsewhere)
{
	for (size_t i = 0; i < elsewhere->len; i++) {
		free(elsewhere->list[i].point);
		free(elsewhere->list[i].type);
	}
	elsewhere->len = 0;
	elsewhere->beyond = 0;
}

static bool
has(const struct elsewhere *elsewhere, uint64_t space, uint64_t device)
{
	for (size_t i = 0; i < elsewhere->len; i++)
		if (elsewhere->list[i].space == space &&
		    elsewhere->list[i].device == device)
			return true;
	return false;
}

void
elsewhere_add(struct elsewhere *elsewhere, uint64_t space, uint32_t pid,
	      const struct table_mount *mount)
{
	if (has(elsewhere, space, mount->device))
		return;
	struct elsewhere_mount added = {
		.space = space,
		.pid = pid,
		.id = mount->id,
		.device = mount->device,
		.kind = mount->kind,
		.reason = mount->reason,
	};
	if (elsewhere->len < ELSEWHERE_MAX) {
		added.point = strdup(mount->point);
		added.type = strdup(mount->type);
	}
	if (!added.point || !added.type) {
		free(added.point);
		free(added.type);
		elsewhere->beyond++;
		return;
	}
	elsewhere->list[elsewhere->len++] = added;
}

bool
elsewhere_has_device(const struct elsewhere *elsewhere, uint64_t device)
{
	for (size_t i = 0; i < elsewhere->len; i++)
		if (elsewhere->list[i].device == device)
			return true;
	return false;
}

bool
elsewhere_is_listed(const struct msg_cover *list, size_t len, uint64_t device)
{
	for (size_t i = 0; i < len; i++)
		if (list[i].device == device)
			return true;
	return false;
}

size_t
elsewhere_list(const struct elsewhere *elsewhere, struct msg_cover *list,
	       size_t len, size_t max)
{
	for (size_t i = 0; i < elsewhere->len && len < max; i++) {
		const struct elsewhere_mount *mount = &elsewhere->list[i];

		if (mount->reason == DECIDE_LAYERED &&
		    !elsewhere_is_listed(list, len, mount->device))
			list[len++] = (struct msg_cover){
				.device = mount->device,
				.kind = MSG_COVER_FOREIGN,
			};
	}
	return len;
}
