/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of io_uring that are under way, and what they ask for. */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

struct want {
	__u64 task;
	__u64 ring;
	__u64 data;	  /* the number that the ring's user gave it */
	__u64 base[2][2]; /* dentry and mount that a path started from */
	__s32 fd[2];	  /* directories of the paths */
	__u32 type;
	__u32 mode;
	__u32 value; /* flags of open(2) */
	__u32 flags; /* KHIEN_... */
	__u32 slot;  /* an open into the ring's own table, not a descriptor */
	__u32 text;  /* the second path is a text */
	char name[KHIEN_NAME_SIZE];
	char path[2][KHIEN_PATH_SIZE];
};

/* Requests that are under way; one more is told at once, as unconfirmed. */
#define WANTS 128

/* By the address of the request. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WANTS);
	__type(key, __u64);
	__type(value, struct want);
} wants __weak SEC(".maps");
