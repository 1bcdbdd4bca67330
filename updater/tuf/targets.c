/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/hex.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/reason.h"

#define BITS_MAX 32
#define SUM_LEN 64
#define BIN_DIGITS_MAX 8 /* of BITS_MAX bits */

struct walk {
	size_t len;
	struct reason *why;
};

void
targets_free(struct targets *targets)
{
	if (!targets)
		return;
	for (size_t i = 0; i < targets->len; i++)
		signers_done(&targets->delegations[i].signers);
	free(targets->delegations);
	signers_keys_done(&targets->keys);
	metadata_free(targets->metadata);
	free(targets);
}

static void
freep(struct targets **targets)
{
	targets_free(*targets);
}

static int
parse_target(const char *name, const struct doc_value *value,
	     struct target *ret_target, struct reason *why)
{
	const struct doc_value *custom = doc_member(value, "custom");

	if (!doc_is_object(value, NULL) ||
	    (custom && !doc_is_object(custom, NULL)))
		return reason_set(why, -EBADMSG, "lists %.64s, malformed",
				  name);
	int r = hashes_parse(value, &ret_target->hashes, why);
	if (r < 0)
		return r;
	if (ret_target->hashes.length == HASHES_NONE || !ret_target->hashes.all)
		return reason_set(why, -EBADMSG,
				  "lists %.64s without length and hashes",
				  name);
	ret_target->name = name;
	ret_target->custom = custom;
	return 0;
}

static int
check_target(void *arg, const char *name, const struct doc_value *value)
{
	struct target target;
	struct walk *walk = arg;

	if (!name || ++walk->len > TARGETS_ENTRIES_MAX)
		return reason_set(walk->why, -EBADMSG,
				  "lists more than %d targets",
				  TARGETS_ENTRIES_MAX);
	return parse_target(name, value, &target, walk->why);
}

/* A list of texts, and each one of hexadecimal digits if it has to be. */
static int
check_texts(const struct doc_value *list, const char *role, bool digits,
	    struct reason *why)
{
	size_t len = doc_len(list, NULL);
	bool good = doc_is_list(list, NULL) && len <= TARGETS_PATTERNS_MAX;

	for (size_t i = 0; i < len && good; i++) {
		const char *text = doc_text(doc_item(list, NULL, i), NULL);
		good = text &&
		       (!digits || (hex_is(text) && strlen(text) <= SUM_LEN));
	}
	return good ? 0 :
		      reason_set(why, -EBADMSG,
				 "delegates malformed paths to %.64s", role);
}

/* No role may pass for one of the four, whose files it would replace. */
static bool
is_role_name(const char *name)
{
	if (!name || !name[0] || strlen(name) > TARGETS_ROLE_MAX)
		return false;
	for (size_t i = 0; i < METADATA_TYPES; i++)
		if (str_equal(name, metadata_name(i)))
			return false;
	return true;
}

static int
parse_paths(struct targets_delegation *delegation,
	    const struct doc_value *value, struct reason *why)
{
	const struct doc_value *end = doc_member(value, "terminating");
	int r = 0;

	delegation->paths = doc_member(value, "paths");
	delegation->prefixes = doc_member(value, "path_hash_prefixes");
	if ((end && !doc_is_bool(end, NULL)) ||
	    (delegation->paths && delegation->prefixes))
		return reason_set(why, -EBADMSG,
				  "has a malformed delegation to %.64s",
				  delegation->name);
	delegation->terminating = doc_true(end, NULL);
	if (delegation->paths)
		r = check_texts(delegation->paths, delegation->name, false,
				why);
	if (delegation->prefixes)
		r = check_texts(delegation->prefixes, delegation->name, true,
				why);
	return r;
}

static int
parse_delegation(struct targets *targets, const struct doc_value *value,
		 struct reason *why)
{
	struct targets_delegation *delegation =
		&targets->delegations[targets->len];
	const char *name = doc_text(value, "name");

	if (!is_role_name(name))
		return reason_set(why, -EBADMSG,
				  "delegates to %.64s, which is no name",
				  name ? name : "nobody");
	for (size_t i = 0; i < targets->len; i++)
		if (str_equal(targets->delegations[i].name, name))
			return reason_set(why, -EBADMSG,
					  "delegates to %.64s twice", name);
	targets->len++;
	delegation->name = name;
	int r = signers_parse(&targets->keys, name, value, &delegation->signers,
			      why);
	return r < 0 ? r : parse_paths(delegation, value, why);
}

static int
parse_succinct(struct targets *targets, const struct doc_value *value,
	       struct reason *why)
{
	struct targets_delegation *delegation = &targets->delegations[0];
	const char *prefix = doc_text(value, "name_prefix");
	int64_t bits = doc_number_or(value, "bit_length", 0);

	if (bits < 1 || bits > BITS_MAX || !prefix || !prefix[0] ||
	    strlen(prefix) > TARGETS_ROLE_MAX - 1 - BIN_DIGITS_MAX)
		return reason_set(why, -EBADMSG,
				  "has malformed succinct delegations");
	targets->len = 1;
	delegation->prefix = prefix;
	delegation->bits = (unsigned int)bits;
	return signers_parse(&targets->keys, prefix, value,
			     &delegation->signers, why);
}

static int
parse_delegations(struct targets *targets, const struct doc_value *value,
		  struct reason *why)
{
	const struct doc_value *roles = doc_member(value, "roles");
	const struct doc_value *succinct = doc_member(value, "succinct_roles");
	size_t len = doc_len(roles, NULL);

	if (!roles == !succinct || (roles && !doc_is_list(roles, NULL)) ||
	    len > TARGETS_DELEGATIONS_MAX)
		return reason_set(why, -EBADMSG,
				  "has malformed delegations, or more than %d",
				  TARGETS_DELEGATIONS_MAX);
	int r = signers_keys_parse(doc_member(value, "keys"), &targets->keys,
				   why);
	if (r < 0)
		return r;
	targets->delegations = calloc(len + 1, sizeof(targets->delegations[0]));
	if (!targets->delegations)
		return -ENOMEM;
	if (succinct)
		return parse_succinct(targets, succinct, why);
	for (size_t i = 0; i < len && r == 0; i++)
		r = parse_delegation(targets, doc_item(roles, NULL, i), why);
	return r;
}

int
targets_parse(struct metadata *metadata, struct targets **ret_targets,
	      struct reason *why)
{
	const struct doc_value *delegations =
		doc_member(metadata->body, "delegations");
	CLEANUP(freep) struct targets *targets = calloc(1, sizeof(*targets));
	struct walk walk = { .why = why };

	if (!targets) {
		metadata_free(metadata);
		return -ENOMEM;
	}
	targets->metadata = metadata;
	if (!doc_is_object(metadata->body, "targets"))
		return reason_set(why, -EBADMSG, "has no object \"targets\"");
	int r = doc_each(metadata->body, "targets", check_target, &walk);
	if (r == 0 && delegations)
		r = parse_delegations(targets, delegations, why);
	if (r == 0)
		*ret_targets = TAKE(targets);
	return r;
}

int
targets_find(const struct targets *targets, const char *name,
	     struct target *ret_target)
{
	const struct doc_value *value = doc_member(
		doc_member(targets->metadata->body, "targets"), name);

	if (!value)
		return -ENOENT;
	return parse_target(name, value, ret_target, NULL);
}
