/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/prototype.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

struct prototype {
	struct btf *types; /* owned */
};

int
prototype_open(struct prototype **ret)
{
	struct prototype *prototype CLEANUP(prototype_closep) =
		calloc(1, sizeof(*prototype));

	if (!prototype)
		return -ENOMEM;
	prototype->types = btf__load_vmlinux_btf();
	if (!prototype->types)
		return -errno;
	*ret = TAKE(prototype);
	return 0;
}

void
prototype_close(struct prototype *prototype)
{
	if (!prototype)
		return;
	btf__free(prototype->types);
	free(prototype);
}

void
prototype_closep(struct prototype **prototype)
{
	prototype_close(*prototype);
	*prototype = NULL;
}

/* What it is behind typedef, const and the like; NULL: there is none. */
static const struct btf_type *
resolve(const struct btf *types, __s32 id)
{
	id = id < 0 ? id : btf__resolve_type(types, (__u32)id);
	return id <= 0 ? NULL : btf__type_by_id(types, (__u32)id);
}

/* The function that a tracepoint's typedef points at. */
static const struct btf_type *
find_function(const struct btf *types, const char *tracepoint)
{
	char name[128];

	if (snprintf(name, sizeof(name), "btf_trace_%s", tracepoint) >=
	    (int)sizeof(name))
		return NULL;
	const struct btf_type *type = resolve(
		types, btf__find_by_name_kind(types, name, BTF_KIND_TYPEDEF));
	if (!type || !btf_is_ptr(type))
		return NULL;
	type = btf__type_by_id(types, type->type);
	return type && btf_is_func_proto(type) ? type : NULL;
}

bool
prototype_is(const struct prototype *prototype, const char *tracepoint,
	     const char *params)
{
	const struct btf *types = prototype->types;
	const struct btf_type *function = find_function(types, tracepoint);

	/* The first one is the tracepoint's own. */
	if (!function || btf_vlen(function) != strlen(params) + 1)
		return false;
	const struct btf_param *param = btf_params(function) + 1;
	for (size_t i = 0; params[i]; i++) {
		const struct btf_type *type =
			resolve(types, (__s32)param[i].type);
		if (!type || btf_is_ptr(type) != (params[i] == 'p'))
			return false;
	}
	return true;
}

uint32_t
prototype_hook(const struct prototype *prototype, const char *hook)
{
	char name[128];

	if (snprintf(name, sizeof(name), "bpf_lsm_%s", hook) >=
	    (int)sizeof(name))
		return 0;
	__s32 id =
		btf__find_by_name_kind(prototype->types, name, BTF_KIND_FUNC);
	return id < 0 ? 0 : (uint32_t)id;
}

bool
prototype_hook_takes(const struct prototype *prototype, const char *hook,
		     const char *name)
{
	const struct btf *types = prototype->types;
	const struct btf_type *type =
		btf__type_by_id(types, prototype_hook(prototype, hook));

	if (!type || !btf_is_func(type))
		return false;
	type = btf__type_by_id(types, type->type);
	if (!type || !btf_is_func_proto(type) || btf_vlen(type) == 0)
		return false;
	type = resolve(types, (__s32)btf_params(type)[0].type);
	if (!type || !btf_is_ptr(type))
		return false;
	type = resolve(types, (__s32)type->type);
	return type && btf_is_struct(type) &&
	       str_equal(btf__name_by_offset(types, type->name_off), name);
}

bool
prototype_has_struct(const struct prototype *prototype, const char *name)
{
	return btf__find_by_name_kind(prototype->types, name, BTF_KIND_STRUCT) >
	       0;
}

static bool
has_helper(const struct btf *types, const char *name)
{
	int id = btf__find_by_name_kind(types, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type =
		id < 0 ? NULL : btf__type_by_id(types, (__u32)id);

	if (!type)
		return false;
	for (__u16 i = 0; i < btf_vlen(type); i++)
		if (str_equal(btf__name_by_offset(types,
						  btf_enum(type)[i].name_off),
			      name))
			return true;
	return false;
}

bool
prototype_has(const struct prototype *prototype, const char *name)
{
	const struct btf *types = prototype->types;

	return btf__find_by_name_kind(types, name, BTF_KIND_TYPEDEF) > 0 ||
	       has_helper(types, name);
}
