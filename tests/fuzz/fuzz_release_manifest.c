/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is taken for a manifest is written and read as the same, keeps its
 * bounds, and has no path that leaves its folder.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "updater/release/blob.h"
#include "updater/release/manifest.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

#define NUMBER 7

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_stable(struct manifest *manifest)
{
	CLEANUP(manifest_freep) struct manifest *again = NULL;
	CLEANUP_FREE char *once = NULL;
	CLEANUP_FREE char *twice = NULL;
	struct reason why = { "" };

	if (manifest_write(manifest, &once, &why) < 0) {
		/* Only by members that are written out, as "vectors":[]. */
		if (!strstr(why.text, "are allowed"))
			abort();
		return;
	}
	if (manifest_parse(once, strlen(once), NUMBER, &again, &why) < 0 ||
	    manifest_write(again, &twice, &why) < 0 || strcmp(once, twice) != 0)
		abort();
}

static void
check_path(const char *path)
{
	if (path[0] == '/' || path[0] == '.' || strstr(path, "/.") ||
	    strstr(path, "//") || !strstr(path, ".yar") ||
	    strlen(path) >= PATH_SIZE)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP(manifest_freep) struct manifest *manifest = NULL;
	struct reason why = { "" };

	int r = manifest_parse(bytes, size, NUMBER, &manifest, &why);
	if ((r < 0) != !manifest || (r < 0) != !!why.text[0])
		abort();
	if (r < 0)
		return 0;
	if (!manifest->rules_len || manifest->rules_len > MANIFEST_RULES_MAX ||
	    manifest->vectors_len > MANIFEST_VECTORS_MAX)
		abort();
	for (size_t i = 0; i < manifest->rules_len; i++) {
		const struct manifest_rule *rule = &manifest->rules[i];
		check_path(rule->path);
		if (manifest_find(manifest, rule->path) != rule ||
		    !blob_is_sum(rule->sha256))
			abort();
	}
	check_stable(manifest);
	return 0;
}
