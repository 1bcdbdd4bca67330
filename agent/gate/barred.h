/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that were found bad, for the kernel program that lets nobody map them
 * as code, however old his descriptor is (kernel/mapping.bpf.c).  They stand in
 * a map of its own, shared with the sensor, which makes it: so what is answered
 * here holds there from the same moment on, and is still in force while another
 * gate starts.  Where there is no such program nobody reads it.
 *
 * An entry stays until a scan finds the same file to be no longer denied, or
 * until its bucket is full and the next one takes its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct barred;
struct ident;

/* NULL: no memory. */
struct barred *barred_new(void);
void barred_free(struct barred *barred);

/*
 * Takes the map, which may have entries of a gate before this one, and goes on
 * with what was here before.  fd is borrowed.  0 or -errno: all is as it was.
 */
int barred_share(struct barred *barred, int fd);

/* Whether anything is denied at all. */
void barred_set(struct barred *barred, bool on);

/* The file was found bad while it was as `ident` says; `fs_type` is f_type of
   statfs(2). */
void barred_add(struct barred *barred, const struct ident *ident,
		uint64_t fs_type);

/* Whatever it holds now, it is not denied. */
void barred_drop(struct barred *barred, const struct ident *ident);

struct barred_counts {
	uint64_t files;	 /* now */
	uint64_t denied; /* mappings, since the map was made */
	uint64_t forced; /* entries that made room for others */
};
void barred_count(const struct barred *barred,
		  struct barred_counts *ret_counts);
