/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hook of the security modules saw, left for the program at the end of
 * the system call, or of io_uring's request, that it was called in: a hook may
 * be preempted, so it sends nothing itself.
 *
 * Left under the number of the thread, or the address of the request.  Only
 * what is surely taken away is left: see hooks.bpf.c.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"
#include "kernel/path.h"

/* At once.  Whoever finds no room goes on as if there were no hook. */
#define LEFTS 64
#define LEFT_WALK (KHIEN_PATH_SIZE + KHIEN_NAME_SIZE)
#define LEFT_TEXTS 3 /* path, path2 and name of struct khien_file */

struct left {
	struct khien_inode file;
	__u32 type; /* KHIEN_UNLINK, ... */
	__u32 flags;
	__u32 value;
	__u32 len[LEFT_TEXTS];
	__u8 text[2 * LEFT_WALK + KHIEN_NAME_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LEFTS);
	__type(key, __u64);
	__type(value, struct left);
} lefts __weak SEC(".maps");

/* Knob: there are hooks, so it is worth a look. */
const volatile __weak __u32 hooked = 0;

/* NULL: nothing of that type. */
static __always_inline struct left *
left_find(__u64 key, __u32 type)
{
	struct left *left = hooked ? bpf_map_lookup_elem(&lefts, &key) : 0;

	return left && left->type == type ? left : 0;
}

static __always_inline void
left_drop(__u64 key)
{
	if (hooked)
		(void)bpf_map_delete_elem(&lefts, &key);
}

/*
 * Appends text `which` at offset `at` of the record in scratch entry `slot`,
 * and returns its length.  Verified once, as it is no part of its callers.
 */
__weak __noinline __u32
left_put(__u64 key, __u32 which, __u32 at, __u32 slot)
{
	__u8 *record = bpf_map_lookup_elem(&scratch, &slot);
	struct left *left = bpf_map_lookup_elem(&lefts, &key);
	__u64 where = at, text = which;

	path_hide(text);
	path_hide(where);
	if (!record || !left || text >= LEFT_TEXTS ||
	    where > KHIEN_RECORD_SIZE - LEFT_WALK)
		return 0;
	__u64 len = left->len[text];
	path_hide(len);
	if (len == 0 || len > LEFT_WALK)
		return 0;
	__u64 from = (__u64)left->text + text * LEFT_WALK;
	if (bpf_probe_read_kernel(record + where, len, (void *)from) < 0)
		return 0;
	return len;
}

/* Both paths of the record are what was left, and no longer the caller's. */
static __always_inline __u32
left_put_file(struct khien_file *rec, const struct left *left, __u64 key,
	      __u32 at, __u32 slot)
{
	rec->head.flags &= ~KHIEN_PATH_BY_CALLER;
	rec->head.flags |= left->flags;
	rec->len[KHIEN_FILE_PATH] = left_put(key, 0, at, slot);
	at += rec->len[KHIEN_FILE_PATH];
	rec->len[KHIEN_FILE_PATH2] = left_put(key, 1, at, slot);
	at += rec->len[KHIEN_FILE_PATH2];
	rec->len[KHIEN_FILE_NAME] = left_put(key, 2, at, slot);
	return at + rec->len[KHIEN_FILE_NAME];
}
