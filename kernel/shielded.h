/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files are guarded, and what is told when one is. */
#pragma once

#include "kernel/core.h"
#include "kernel/guard.h"
#include "kernel/khien_abi.h"
#include "kernel/path.h"
#include "kernel/ring.h"

#define SHIELDED_DEPTH 20 /* folders within one that is guarded */
#define SHIELDED_ENTRIES 1024

/* Results of shielded_find(): with how many names there are below the place
   << 8, and which one it is. */
#define SHIELDED_GUARDED (1u << 16)
#define SHIELDED_ABOVE (1u << 17) /* it holds something that is */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHIELDED_ENTRIES);
	__type(key, struct khien_guard_key);
	__type(value, __u32);
} guarded __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KHIEN_GUARD_PLACES);
	__type(key, __u32);
	__type(value, struct khien_guard_place);
} places __weak SEC(".maps");

static __always_inline void
shielded_put_name(struct khien_guard_key *key, struct dentry *dentry)
{
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);

	key->len = BPF_CORE_READ(dentry, d_name.len);
	/* A dentry has room for as many, however short its name is. */
	(void)bpf_probe_read_kernel(key->name, sizeof(key->name), name);
#pragma unroll
	for (__u32 i = 0; i < sizeof(key->name); i++)
		if (i >= key->len)
			key->name[i] = 0;
}

static __always_inline bool
shielded_has_prefix(const struct khien_guard_key *key)
{
	const char prefix[] = KHIEN_GUARD_PREFIX;

#pragma unroll
	for (__u32 i = 0; i < sizeof(prefix) - 1; i++)
		if (key->name[i] != prefix[i])
			return false;
	return true;
}

/* What a folder on the way up says of what is in it; 0: it is no such. */
static __always_inline __u32
shielded_look(struct khien_guard_key *key, __u32 folder, struct dentry *dentry,
	      __u32 depth)
{
	__u32 kind = folder >> 16, place = folder & 0xff;

	if (kind == KHIEN_GUARD_INSIDE)
		return SHIELDED_GUARDED | (depth + 1) << 8 | place;
	shielded_put_name(key, dentry);
	__u32 *value = bpf_map_lookup_elem(&guarded, key);
	if (value)
		return SHIELDED_GUARDED | depth << 8 | (*value & 0xff);
	if (kind == KHIEN_GUARD_NAMES && shielded_has_prefix(key))
		return SHIELDED_GUARDED | (depth + 1) << 8 | place;
	return 0;
}

/*
 * Looks a dentry up, which may have no inode yet.  Not locked: what is renamed
 * meanwhile may be missed, but nobody renames what is guarded or above it.
 * Verified once, as it is no part of its callers; `holds` is whether it is
 * asked for what holds something guarded, too.
 */
__weak __noinline __u32
shielded_find(__u64 dentry_at, __u32 holds)
{
	struct dentry *dentry = (void *)dentry_at;
	struct khien_guard_key key = { 0 };
	__u32 *value;

	key.device = BPF_CORE_READ(dentry, d_sb, s_dev);
	if (!bpf_map_lookup_elem(&guarded, &key))
		return 0;
	key.inode = BPF_CORE_READ(dentry, d_inode, i_ino);
	value = holds && key.inode ? bpf_map_lookup_elem(&guarded, &key) : 0;
	if (value)
		return SHIELDED_ABOVE | (*value & 0xff);
	for (__u32 depth = 0; depth < SHIELDED_DEPTH; depth++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		key.inode = BPF_CORE_READ(parent, d_inode, i_ino);
		value = bpf_map_lookup_elem(&guarded, &key);
		if (value)
			return shielded_look(&key, *value, dentry, depth);
		if (parent == dentry)
			return 0;
		dentry = parent;
	}
	return 0;
}

/* Appends the names of a dentry and of those above it up to a place, and the
   place's own path, as a walk.  Returns the offset after it. */
__weak __noinline __u32
shielded_walk(__u64 dentry_at, __u32 found, __u32 lane)
{
	__u8 *record = bpf_map_lookup_elem(&scratch, &lane);
	struct dentry *dentry = (void *)dentry_at;
	__u32 depth = found >> 8 & 0xff, number = found & 0xff;
	__u64 at = sizeof(struct khien_privilege);
	struct khien_guard_place *place = bpf_map_lookup_elem(&places, &number);
	long len;

	if (!record || !place)
		return at;
	for (__u32 i = 0; i < SHIELDED_DEPTH && i < depth; i++) {
		path_hide(at);
		if (at > KHIEN_RECORD_SIZE - KHIEN_NAME_SIZE)
			return sizeof(struct khien_privilege);
		len = bpf_probe_read_kernel_str(record + at, KHIEN_NAME_SIZE,
						BPF_CORE_READ(dentry,
							      d_name.name));
		if (len <= 0 || len > KHIEN_NAME_SIZE)
			return sizeof(struct khien_privilege);
		at += len;
		dentry = BPF_CORE_READ(dentry, d_parent);
	}
	path_hide(at);
	if (at > KHIEN_RECORD_SIZE - KHIEN_GUARD_PATH_SIZE - 1)
		return sizeof(struct khien_privilege);
	len = bpf_probe_read_kernel_str(record + at, KHIEN_GUARD_PATH_SIZE,
					place->path);
	if (len <= 0 || len > KHIEN_GUARD_PATH_SIZE)
		return sizeof(struct khien_privilege);
	at += len > 1 ? len : 0; /* of "/" there is nothing */
	path_hide(at);
	if (at >= KHIEN_RECORD_SIZE)
		return sizeof(struct khien_privilege);
	record[at] = 0;
	return at + 1;
}

static __always_inline int
shielded_tell(struct khien_guard *page, __u32 what, __u64 detail,
	      struct dentry *dentry, __u32 found)
{
	__u32 lane = 0;

	__sync_fetch_and_add(&page->denied, 1);
	struct khien_privilege *rec = guard_record(what, detail, &lane);
	if (!rec)
		return GUARD_REFUSED;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	if (inode)
		path_put_inode(&rec->file, inode);
	if (often_count(rec, what)) {
		__u32 at = shielded_walk((__u64)dentry, found, lane);
		rec->len[KHIEN_PRIVILEGE_PATH] = at - sizeof(*rec);
		ring_put(&critical, KHIEN_CRITICAL, lane, &rec->head, at);
	}
	lane_end(lane);
	return GUARD_REFUSED;
}

/*
 * 0, or what a hook refuses with: the file is guarded, or, with `holds`, holds
 * something that is; and it is told.
 */
static __always_inline int
shielded_refuse(__u32 what, __u64 detail, struct dentry *dentry, bool holds)
{
	struct khien_guard *page = guard_page();

	if (!page || !guard_is_armed(page))
		return 0;
	/* Whose it is comes last: nearly all that is done is done elsewhere. */
	__u64 at = guard_number(dentry);
	__u32 found = shielded_find(at, holds);
	if (!found || guard_is_own((void *)bpf_get_current_task()))
		return 0;
	return shielded_tell(page, what, detail, (void *)at, found);
}
