/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/client/anchor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "updater/client/folder.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/root.h"
#include "updater/tuf/trust.h"

#define FILE_NAME "root.json"

/* A root's bytes and what they say; NULL: it cannot be used. */
struct source {
	uint8_t *bytes; /* owned */
	size_t len;
	struct root *root; /* owned */
};

static void
source_done(struct source *source)
{
	free(source->bytes);
	root_free(source->root);
}

static int
replace(struct folder *folder, const void *root, size_t len, bool forget,
	struct reason *why)
{
	int r = 0;

	if (forget)
		r = folder_remove(folder, "timestamp.json");
	if (forget && r == 0)
		r = folder_remove(folder, "snapshot.json");
	if (r == 0)
		r = folder_write(folder, FILE_NAME, root, len);
	return r < 0 ? reason_about(why, r, FILE_NAME) : 0;
}

int
anchor_set(struct folder *folder, const void *root, size_t len,
	   const struct policy *policy, struct reason *why)
{
	CLEANUP(root_freep) struct root *parsed = NULL;

	why->text[0] = '\0';
	int r = root_parse(root, len, policy, &parsed, why);
	if (r < 0)
		return reason_about(why, r, "trusted root");
	return replace(folder, root, len, true, why);
}

/* What may be otherwise a moment later says nothing of the file. */
static bool
is_passing(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

static int
read_stored(const struct folder *folder, const struct policy *policy,
	    struct source *stored, struct reason *why)
{
	why->text[0] = '\0';
	int r = folder_read(folder, FILE_NAME, TRUST_ROOT_MAX, &stored->bytes,
			    &stored->len);
	if (r == 0)
		r = root_parse(stored->bytes, stored->len, policy,
			       &stored->root, why);
	if (r < 0 && !why->text[0])
		(void)reason_set(why, r, "cannot be read: %s", strerror(-r));
	return r;
}

static int
read_package(int package, const struct policy *policy, struct source *source,
	     struct reason *why)
{
	size_t size = TRUST_ROOT_MAX + 1;

	why->text[0] = '\0';
	source->bytes = malloc(size);
	if (!source->bytes)
		return -ENOMEM;
	int r = file_read(package, FILE_NAME, (char *)source->bytes, size,
			  &source->len);
	if (r == 0)
		r = root_parse(source->bytes, source->len, policy,
			       &source->root, why);
	return r < 0 ? reason_about(why, r, "the package's " FILE_NAME) : 0;
}

/* Which of two that can be used. */
static int
choose(struct folder *folder, const struct source *stored,
       const struct source *source, const struct policy *policy,
       struct reason *why)
{
	int64_t version = source->root->metadata->version;

	if (version <= stored->root->metadata->version)
		return 0;
	int r = root_check_later(stored->root, source->root, policy, why);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		log_warning("the package's %s has version %" PRId64
			    ", but %s: going on with version %" PRId64,
			    FILE_NAME, version, why->text,
			    stored->root->metadata->version);
		why->text[0] = '\0';
		return 0;
	}
	return replace(folder, source->bytes, source->len,
		       root_is_rotated(stored->root, source->root), why);
}

int
anchor_keep(struct folder *folder, int package, const struct policy *policy,
	    struct reason *why)
{
	CLEANUP(source_done) struct source stored = { 0 }, source = { 0 };
	struct reason lost;

	why->text[0] = '\0';
	int known = read_stored(folder, policy, &stored, &lost);
	if (is_passing(known))
		return reason_about(why, known, FILE_NAME);
	int r = read_package(package, policy, &source, why);
	if (r == -ENOMEM)
		return r;
	if (known < 0 && r < 0)
		return r;
	if (r < 0) {
		log_warning("%s; going on with the stored one", why->text);
		why->text[0] = '\0';
		return 0;
	}
	if (known == 0)
		return choose(folder, &stored, &source, policy, why);
	if (known != -ENOENT)
		log_warning("stored %s: %s; beginning with the package's",
			    FILE_NAME, lost.text);
	return replace(folder, source.bytes, source.len, false, why);
}
