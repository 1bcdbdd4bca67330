/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is taken for an index is written and read as the same, and no host is
 * told to run what is taken back, failed or too old.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/release/choose.h"
#include "updater/release/index.h"
#include "updater/release/wave.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return libcrypto_init();
}

static void
check_stable(const struct index *index)
{
	CLEANUP(index_freep) struct index *again = NULL;
	CLEANUP_FREE char *once = NULL;
	CLEANUP_FREE char *twice = NULL;
	struct reason why = { "" };

	if (index_write(index, &once, &why) < 0 ||
	    index_parse(once, strlen(once), &again, &why) < 0 ||
	    index_write(again, &twice, &why) < 0 || strcmp(once, twice) != 0)
		abort();
}

static void
check_choice(const struct index *index, int64_t active, int64_t floor,
	     int64_t bad, int64_t now_s)
{
	const struct choose_host host = {
		.engine = "0.1.0",
		.seed = "0123456789abcdef0123456789abcdef",
		.place = CHOOSE_ANY_PLACE,
		.now_s = now_s,
		.active = active,
		.floor = floor,
		.bad = &bad,
		.bad_len = 1,
	};
	struct choose_result got;
	struct reason why;

	if (choose_release(index, &host, &got, &why) < 0)
		abort();
	if (got.target &&
	    (index_revoked(index, got.target) || got.target == bad ||
	     got.target < floor ||
	     (got.target != active && !index_find(index, got.target))))
		abort();
	if (got.active == CHOOSE_STAYS && got.target < active)
		abort();
	if (got.waiting &&
	    (got.waiting <= got.target || got.waiting_s <= now_s))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP(index_freep) struct index *index = NULL;
	struct reason why = { "" };

	int r = index_parse(bytes, size, &index, &why);
	if ((r < 0) != !index || (r < 0) != !!why.text[0])
		abort();
	if (r < 0)
		return 0;
	check_stable(index);
	check_choice(index, 0, 0, 0, INT64_MAX - 1);
	for (size_t i = 0; i < index->releases_len; i++) {
		int64_t number = index->releases[i].number;
		check_choice(index, number, 0, number, 1795305600);
		check_choice(index, number, 7, 8, 1795305600);
		check_choice(index, 7, number, 8, 0);
	}
	return 0;
}
