/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who goes on with a system call: so that one program at the end of all of them
 * is enough.  A place is empty where a program is absent.
 */
#pragma once

#include "kernel/core.h"
#include "kernel/khien_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, KHIEN_HANDLERS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} handlers __weak SEC(".maps");
