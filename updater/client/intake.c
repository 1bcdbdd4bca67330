/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/client/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/client/folder.h"
#include "updater/tuf/hashes.h"
#include "updater/tuf/reason.h"

#define FIRST_SIZE 4096

struct intake {
	size_t size_max, len;
	uint8_t *bytes; /* owned; NULL when it goes to the folder */
	size_t size;
	struct folder *folder;	     /* or NULL */
	const struct hashes *hashes; /* NULL: not known */
	struct hashes_sum *sum;	     /* owned */
	int result;		     /* below 0: it was refused */
	struct reason why;	     /* of that */
};

void
intake_free(struct intake *intake)
{
	if (!intake)
		return;
	hashes_sum_free(intake->sum);
	free(intake->bytes);
	free(intake);
}

void
intake_freep(struct intake **intake)
{
	intake_free(*intake);
	*intake = NULL;
}

static struct intake *
begin(struct intake *intake)
{
	if (!intake)
		return NULL;
	int r = intake_restart(intake);
	/* What the folder says is told when it has ended. */
	if (r == -ENOMEM) {
		intake_free(intake);
		return NULL;
	}
	return intake;
}

struct intake *
intake_to_memory(size_t size_max)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (intake)
		intake->size_max = size_max;
	return begin(intake);
}

struct intake *
intake_to_target(const struct hashes *hashes, struct folder *folder)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return NULL;
	intake->size_max = (size_t)hashes->length;
	intake->hashes = hashes;
	intake->folder = folder;
	return begin(intake);
}

size_t
intake_size_max(const struct intake *intake)
{
	return intake->size_max;
}

static int
refuse(struct intake *intake, int r)
{
	intake->result = r;
	return r;
}

int
intake_restart(void *arg)
{
	struct intake *intake = arg;

	intake->len = 0;
	intake->result = 0;
	intake->why.text[0] = '\0';
	if (intake->hashes) {
		hashes_sum_free(intake->sum);
		intake->sum = hashes_sum_new(intake->hashes);
		if (!intake->sum)
			return refuse(intake, -ENOMEM);
	}
	if (intake->folder)
		return refuse(intake, folder_begin(intake->folder));
	if (!intake->bytes) {
		intake->bytes = malloc(FIRST_SIZE);
		intake->size = FIRST_SIZE;
	}
	return intake->bytes ? 0 : refuse(intake, -ENOMEM);
}

static int
keep(struct intake *intake, const void *bytes, size_t len)
{
	if (intake->folder)
		return folder_add(intake->folder, bytes, len);
	if (len > intake->size - intake->len) {
		size_t size = 2 * intake->size + len;
		uint8_t *more = realloc(intake->bytes, size);
		if (!more)
			return -ENOMEM;
		intake->bytes = more;
		intake->size = size;
	}
	memcpy(intake->bytes + intake->len, bytes, len);
	return 0;
}

int
intake_add(void *arg, const void *bytes, size_t len)
{
	struct intake *intake = arg;

	if (intake->result < 0 || !len)
		return intake->result;
	if (len > intake->size_max - intake->len)
		return refuse(intake, reason_set(&intake->why, -EFBIG,
						 "is longer than %zu bytes",
						 intake->size_max));
	int r = 0;
	if (intake->sum)
		r = hashes_sum_add(intake->sum, bytes, len, &intake->why);
	if (r == 0)
		r = keep(intake, bytes, len);
	if (r < 0)
		return refuse(intake, r);
	intake->len += len;
	return 0;
}

bool
intake_failed(const struct intake *intake)
{
	return intake->result < 0;
}

int
intake_end(struct intake *intake, struct reason *why)
{
	if (intake->result == 0 && intake->sum)
		intake->result = hashes_sum_end(intake->sum, &intake->why);
	if (intake->result < 0 && why)
		*why = intake->why;
	return intake->result;
}

uint8_t *
intake_take(struct intake *intake, size_t *ret_len)
{
	*ret_len = intake->len;
	return TAKE(intake->bytes);
}
