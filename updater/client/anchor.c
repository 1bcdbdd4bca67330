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

#define PACKAGE "the package's " FILE_NAME

/* What the package has; root is NULL: it cannot be used, and why. */
struct offer {
	const void *bytes; /* borrowed */
	size_t len;
	struct root *root; /* owned */
	int result;
	struct reason why;
};

static void
offer_done(struct offer *offer)
{
	root_free(offer->root);
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
	    struct root **ret_root, struct reason *why)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	why->text[0] = '\0';
	int r = folder_read(folder, FILE_NAME, TRUST_ROOT_MAX, &bytes, &len);
	if (r < 0)
		return reason_set(why, r, "cannot be read: %s", strerror(-r));
	return root_parse(bytes, len, policy, ret_root, why);
}

/* Which of two that can be used. */
static int
choose(struct folder *folder, const struct root *stored,
       const struct offer *offer, const struct policy *policy,
       struct reason *why)
{
	int r = root_check_later(stored, offer->root, policy, why);

	if (r == 0)
		return replace(folder, offer->bytes, offer->len,
			       root_is_rotated(stored, offer->root), why);
	if (r == -ENOMEM)
		return r;
	if (r != -EPROTO)
		log_warning("%s has version %" PRId64 ", but %s: going on with "
			    "version %" PRId64,
			    PACKAGE, offer->root->metadata->version, why->text,
			    stored->metadata->version);
	why->text[0] = '\0';
	return 0;
}

static int
decide(struct folder *folder, const struct offer *offer,
       const struct policy *policy, struct reason *why)
{
	CLEANUP(root_freep) struct root *stored = NULL;

	int r = read_stored(folder, policy, &stored, why);
	if (is_passing(r))
		return reason_about(why, r, FILE_NAME);
	if (offer->root && stored)
		return choose(folder, stored, offer, policy, why);
	if (offer->root && r != -ENOENT)
		log_warning("stored %s: %s; beginning with the package's",
			    FILE_NAME, why->text);
	why->text[0] = '\0';
	if (offer->root)
		return replace(folder, offer->bytes, offer->len, false, why);
	*why = offer->why;
	if (!stored)
		return offer->result;
	log_warning("%s; going on with the stored one", why->text);
	why->text[0] = '\0';
	return 0;
}

int
anchor_offer(struct folder *folder, const void *root, size_t len,
	     const struct policy *policy, struct reason *why)
{
	CLEANUP(offer_done) struct offer offer = { .bytes = root, .len = len };

	int r = root_parse(root, len, policy, &offer.root, &offer.why);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		offer.result = reason_about(&offer.why, r, PACKAGE);
	return decide(folder, &offer, policy, why);
}

int
anchor_keep(struct folder *folder, int package, const struct policy *policy,
	    struct reason *why)
{
	CLEANUP_FREE char *bytes = malloc(TRUST_ROOT_MAX + 1);
	struct offer none = { 0 };
	size_t len;

	if (!bytes)
		return -ENOMEM;
	int r = file_read(package, FILE_NAME, bytes, TRUST_ROOT_MAX + 1, &len);
	if (r == 0)
		return anchor_offer(folder, bytes, len, policy, why);
	none.result = reason_about(&none.why, r, PACKAGE);
	return decide(folder, &none, policy, why);
}
