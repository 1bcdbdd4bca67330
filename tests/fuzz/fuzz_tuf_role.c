/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metadata of all four kinds, as the mirror or the folder may hold it: the
 * first byte says which.  What is accepted keeps its bounds, and a search in it
 * ends.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/tuf/delegate.h"
#include "updater/tuf/listing.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/name.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/root.h"
#include "updater/tuf/targets.h"
#include "updater/tuf/trust.h"
#include "updater/tuf/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return trust_init();
}

static void
try_targets(struct metadata *metadata)
{
	struct targets *targets = NULL;
	struct delegate *delegate = NULL;
	struct reason why;
	const struct signers *signers;
	struct target target;
	struct verify counted;
	char url[NAME_URL_SIZE];
	const char *role;

	if (targets_parse(metadata, &targets, &why) < 0)
		return;
	if (delegate_new("a/b", targets, &delegate) == 0) {
		int r = delegate_next(delegate, &role, &signers, &why);
		if (r == 0 && strlen(role) > TARGETS_ROLE_MAX)
			abort();
		if (r == 0)
			(void)verify_count(targets->metadata, signers, &counted,
					   &why);
		if (delegate_found(delegate, &target) == 0)
			(void)name_target_url(url, sizeof(url), &target, true,
					      &why);
	}
	delegate_free(delegate);
	targets_free(targets);
}

static void
try_listing(const struct metadata *metadata)
{
	struct listing listing;
	struct reason why;

	if (listing_check_snapshot(metadata, &why) == 0) {
		if (listing_compare(metadata, metadata, &why) < 0)
			abort();
		(void)listing_find(metadata, "targets", &listing, &why);
	}
	if (listing_of_timestamp(metadata, &listing, &why) == 0 &&
	    (listing.version < 1 || listing.version > METADATA_VERSION_MAX))
		abort();
}

/* A root, and a whole refresh in which every file is this one. */
static void
try_root(const uint8_t *bytes, size_t size)
{
	CLEANUP(trust_freep) struct trust *trust = NULL;
	const struct policy policy = { 0 };
	struct reason why;
	struct trust_wanted wanted;
	struct trust_taken taken;

	if (trust_new(bytes, size, &policy, 0, &trust, &why) < 0)
		return;
	for (int i = 0; i < 2 * TRUST_ROOTS_MAX; i++) {
		trust_next(trust, &wanted);
		if (!wanted.from)
			return;
		if (strchr(wanted.file, '/'))
			abort();
		(void)trust_take(trust, bytes, size, &taken, &why);
	}
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct metadata *metadata = NULL;
	struct reason why;

	if (!size)
		return 0;
	enum metadata_type type = bytes[0] % METADATA_TYPES;
	bytes++;
	size--;
	if (type == METADATA_ROOT) {
		try_root(bytes, size);
		return 0;
	}
	int r = metadata_parse(bytes, size, type, &metadata, &why);
	if (r < 0)
		return 0;
	if (metadata->version < 1 || metadata->version > METADATA_VERSION_MAX)
		abort();
	if (type == METADATA_TARGETS) {
		try_targets(metadata);
		return 0;
	}
	try_listing(metadata);
	metadata_free(metadata);
	return 0;
}
