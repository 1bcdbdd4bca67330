/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/image.h"

#include <stdlib.h>
#include <string.h>

#include "agent/lib/event.h"

static size_t total;

size_t
image_total(void)
{
	return total;
}

struct image *
image_get(struct image *image)
{
	if (image)
		image->refs++;
	return image;
}

void
image_put(struct image *image)
{
	while (image && --image->refs == 0) {
		struct image *older = image->older;
		total -= image->size;
		free(image);
		image = older;
	}
}

/* Cuts what lies too far back; whoever shares it loses it as well. */
static void
trim(struct image *image)
{
	for (int i = 1; image && i < IMAGE_DEPTH_MAX; i++)
		image = image->older;
	if (!image)
		return;
	image_put(image->older);
	image->older = NULL;
}

static const char *
append(char **at, const char *text)
{
	char *copy = *at;
	size_t len = strlen(text) + 1;

	memcpy(copy, text, len);
	*at += len;
	return copy;
}

struct image *
image_new(const struct event *event, struct image *older)
{
	size_t args_len = event->args_len;

	if (args_len > IMAGE_ARGS_MAX)
		args_len = IMAGE_ARGS_MAX;
	size_t size = sizeof(struct image) + strlen(event->comm) +
		      strlen(event->path) + strlen(event->cwd) + 3 + args_len;
	struct image *image = malloc(size);
	if (!image) {
		image_put(older);
		return NULL;
	}
	char *at = (char *)(image + 1);
	*image = (struct image){
		.older = older,
		.since_ns = event->boot_ns,
		.refs = 1,
		.size = (uint32_t)size,
		.args_len = (uint32_t)args_len,
		.args_cut = args_len < event->args_len,
	};
	image->comm = append(&at, event->comm);
	image->executable = append(&at, event->path);
	image->cwd = append(&at, event->cwd);
	memcpy(at, event->args, args_len);
	image->args = (const uint8_t *)at;
	total += size;
	trim(image);
	return image;
}

bool
image_is_same(const struct image *image, const struct event *event)
{
	size_t len = event->args_len;

	if (len > IMAGE_ARGS_MAX)
		len = IMAGE_ARGS_MAX;
	return strcmp(image->executable, event->path) == 0 &&
	       image->args_len == len &&
	       memcmp(image->args, event->args, len) == 0;
}

const struct image *
image_at(const struct image *image, uint64_t boot_ns)
{
	while (image && image->older && image->since_ns > boot_ns)
		image = image->older;
	return image;
}
