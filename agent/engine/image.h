/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process executes: shared by all that forked without executing
 * something else.  The one it executed before stays reachable for a while,
 * because a verdict may arrive after the next exec.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_ARGS_MAX 1024 /* of the arguments; the store has all */
#define IMAGE_DEPTH_MAX 3   /* an image and those before it */

struct event;

struct image {
	struct image *older; /* a reference, or NULL */
	uint64_t since_ns;   /* boot time of the exec */
	uint32_t refs;
	uint32_t size; /* of all this, in bytes */
	uint32_t args_len;
	bool args_cut;
	const char *comm; /* the four point behind this struct */
	const char *executable;
	const char *cwd;
	const uint8_t *args;
};

/*
 * With one reference, the caller's; takes over the reference to `older`, also
 * when it returns NULL (no memory).
 */
struct image *image_new(const struct event *event, struct image *older);

struct image *image_get(struct image *image);
void image_put(struct image *image); /* NULL is fine */

/* Whether the event tells what the image says already. */
bool image_is_same(const struct image *image, const struct event *event);

/* The image that ran at a boot time, or the oldest known; NULL stays NULL. */
const struct image *image_at(const struct image *image, uint64_t boot_ns);

/* Bytes that all images take now. */
size_t image_total(void);
