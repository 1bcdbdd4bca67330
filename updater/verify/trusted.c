/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "updater/client/anchor.h"
#include "updater/client/folder.h"
#include "updater/release/index.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/root.h"
#include "updater/tuf/trust.h"

#define ROOT "root.json"
#define POLICY "policy.json"
#define POLICY_MAX 4096
#define MEMBERS 3 /* of the policy */
#define VERSION_MAX ((int64_t)1 << 53)
#define WHY_MAX 160

void
trusted_done(struct trusted *trusted)
{
	free(trusted->root);
	*trusted = (struct trusted){ 0 };
}

static const struct {
	const char *name;
	enum metadata_type type;
} floors[] = {
	{ "root", METADATA_ROOT },
	{ "timestamp", METADATA_TIMESTAMP },
	{ "snapshot", METADATA_SNAPSHOT },
	{ "targets", METADATA_TARGETS },
};

#define FLOORS (sizeof(floors) / sizeof(floors[0]))

static int
count(void *arg, const char *name, const struct doc_value *value)
{
	size_t *members = arg;

	(void)name;
	(void)value;
	++*members;
	return 0;
}

static size_t
members(const struct doc_value *value, const char *path)
{
	size_t len = 0;

	(void)doc_each(value, path, count, &len);
	return len;
}

/* Returns 0, or -EBADMSG. */
static int
get_floors(const struct doc_value *value, struct policy *policy)
{
	if (!doc_is_object(value, NULL) || members(value, NULL) != FLOORS)
		return -EBADMSG;
	for (size_t i = 0; i < FLOORS; i++) {
		int64_t *version = &policy->version_min[floors[i].type];
		if (doc_number(value, floors[i].name, version) < 0 ||
		    *version < 0 || *version > VERSION_MAX)
			return -EBADMSG;
	}
	return 0;
}

int
trusted_parse(const char *text, size_t len, struct trusted *trusted,
	      struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	char said[WHY_MAX];

	int r = doc_parse(text, len, &doc, said, sizeof(said));
	if (r == -EINVAL)
		return reason_set(why, -EBADMSG, "%s", said);
	if (r < 0)
		return r;
	const struct doc_value *root = doc_root(doc);
	trusted->policy = (struct policy){ .hybrid = doc_true(root, "hybrid") };
	if (members(root, NULL) != MEMBERS || !doc_is_bool(root, "hybrid") ||
	    get_floors(doc_get(root, "floor"), &trusted->policy) < 0 ||
	    doc_number(root, "release", &trusted->release) < 0 ||
	    trusted->release < 0 || trusted->release > INDEX_NUMBER_MAX)
		return reason_set(why, -EBADMSG,
				  "has not just the members hybrid, floor (of "
				  "root, timestamp, snapshot, targets) and "
				  "release");
	return 0;
}

static int
fail(struct reason *why, int r, const char *folder, const char *file)
{
	const char *text = why->text[0] ? why->text : strerror(-r);
	struct reason said;

	(void)reason_set(&said, r,
			 "%s/%s: %s; it comes with the package, [update] "
			 "trust says where it is",
			 folder, file, text);
	*why = said;
	return r;
}

static int
read_policy(int dir, struct trusted *trusted, struct reason *why)
{
	char text[POLICY_MAX];
	size_t len;

	int r = file_read(dir, POLICY, text, sizeof(text), &len);
	return r < 0 ? r : trusted_parse(text, len, trusted, why);
}

int
trusted_read(const char *folder, struct trusted *ret_trusted,
	     struct reason *why)
{
	CLEANUP_FD int dir =
		open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_trusted = (struct trusted){ 0 };
	why->text[0] = '\0';
	if (dir < 0)
		return fail(why, -errno, folder, ROOT);
	int r = folder_read(&(struct folder){ dir, -1 }, ROOT, TRUST_ROOT_MAX,
			    &ret_trusted->root, &ret_trusted->root_len);
	if (r < 0)
		return fail(why, r, folder, ROOT);
	r = read_policy(dir, ret_trusted, why);
	if (r == 0)
		return 0;
	trusted_done(ret_trusted);
	return fail(why, r, folder, POLICY);
}

int
trusted_begin(const struct trusted *trusted, struct folder *folder,
	      struct reason *why)
{
	CLEANUP(root_freep) struct root *root = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	why->text[0] = '\0';
	int r = folder_read(folder, ROOT, TRUST_ROOT_MAX, &bytes, &len);
	if (r == 0) {
		r = root_parse(bytes, len, &trusted->policy, &root, why);
		if (r == 0)
			r = policy_check_version(&trusted->policy,
						 METADATA_ROOT,
						 root->metadata->version, why);
		if (r == 0 || r == -ENOMEM)
			return r;
		log_warning("the stored root is no longer good: %s, beginning "
			    "anew with the package's",
			    why->text);
	} else if (r == -EIO || r == -ENOMEM) {
		return reason_about(why, r, ROOT);
	}
	return anchor_set(folder, trusted->root, trusted->root_len,
			  &trusted->policy, why);
}
