/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/root.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/verify.h"

void
root_free(struct root *root)
{
	if (!root)
		return;
	for (size_t i = 0; i < METADATA_TYPES; i++)
		signers_done(&root->signers[i]);
	signers_keys_done(&root->keys);
	metadata_free(root->metadata);
	free(root);
}

void
root_freep(struct root **root)
{
	root_free(*root);
	*root = NULL;
}

static int
parse_body(struct root *root, struct reason *why)
{
	const struct doc_value *body = root->metadata->body;
	const struct doc_value *consistent =
		doc_member(body, "consistent_snapshot");
	const struct doc_value *roles = doc_member(body, "roles");

	if (consistent && !doc_is_bool(consistent, NULL))
		return reason_set(why, -EBADMSG,
				  "has a consistent_snapshot that is neither "
				  "true nor false");
	root->consistent = doc_true(consistent, NULL);
	int r = signers_keys_parse(doc_member(body, "keys"), &root->keys, why);
	for (size_t i = 0; i < METADATA_TYPES && r == 0; i++)
		r = signers_parse(&root->keys, metadata_name(i),
				  doc_member(roles, metadata_name(i)),
				  &root->signers[i], why);
	return r;
}

static int
check_signed(const struct metadata *metadata, const struct signers *signers,
	     const struct policy *policy, struct reason *why)
{
	struct verify counted;

	int r = verify_count(metadata, signers, &counted, why);
	if (r < 0)
		return r;
	return policy_check_signed(policy, METADATA_ROOT, &counted, why);
}

int
root_parse(const void *bytes, size_t len, const struct policy *policy,
	   struct root **ret_root, struct reason *why)
{
	CLEANUP(root_freep) struct root *root = calloc(1, sizeof(*root));

	if (!root)
		return -ENOMEM;
	int r = metadata_parse(bytes, len, METADATA_ROOT, &root->metadata, why);
	if (r == 0)
		r = parse_body(root, why);
	if (r == 0)
		r = check_signed(root->metadata, &root->signers[METADATA_ROOT],
				 policy, why);
	if (r == 0)
		*ret_root = TAKE(root);
	return r;
}

int
root_check_later(const struct root *root, const struct root *next,
		 const struct policy *policy, struct reason *why)
{
	if (next->metadata->version <= root->metadata->version)
		return reason_set(why, -EPROTO,
				  "has version %" PRId64 ", not after "
				  "%" PRId64,
				  next->metadata->version,
				  root->metadata->version);
	return check_signed(next->metadata, &root->signers[METADATA_ROOT],
			    policy, why);
}

int
root_check_next(const struct root *root, const struct root *next,
		const struct policy *policy, struct reason *why)
{
	int64_t version = root->metadata->version + 1;

	if (next->metadata->version != version)
		return reason_set(why, -EPROTO,
				  "has version %" PRId64 " instead of "
				  "%" PRId64,
				  next->metadata->version, version);
	return root_check_later(root, next, policy, why);
}

bool
root_is_rotated(const struct root *root, const struct root *next)
{
	return signers_lost(&root->signers[METADATA_TIMESTAMP],
			    &next->signers[METADATA_TIMESTAMP]) ||
	       signers_lost(&root->signers[METADATA_SNAPSHOT],
			    &next->signers[METADATA_SNAPSHOT]);
}
