/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/signing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/args.h"
#include "updater/repo/draft.h"
#include "updater/repo/paper.h"
#include "updater/repo/say.h"
#include "updater/repo/secret.h"
#include "updater/repo/shelf.h"
#include "updater/repo/show.h"
#include "updater/tuf/key.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

/* The delegators of a role: those of the outcome, and of what it follows. */
static size_t
delegators_of(const struct repo *repo, enum repo_area area, enum duty_id id,
	      const struct metadata *delegators[SIGNING_SIDES_MAX])
{
	enum duty_id above = id < DUTY_CHANNEL ? DUTY_ROOT : DUTY_TARGETS;
	const struct paper *now =
		set_get(&repo->staged[area], &repo->published, above);
	const struct paper *old = repo->published.papers[DUTY_ROOT];
	size_t len = 0;

	if (now)
		delegators[len++] = now->metadata;
	if (id == DUTY_ROOT && old && old != now)
		delegators[len++] = old->metadata;
	return len;
}

/* Good signatures, each key once.  See verify_count(), which only says whether
   they are enough. */
static int
count(const struct paper *paper, const struct signers *signers,
      struct signing_side *side)
{
	const struct key *seen[SIGNERS_KEYS_MAX];

	for (size_t i = 0; i < signers->len; i++) {
		const struct key *key = signers->list[i];
		const char *sig = metadata_sig(paper->metadata, key_id(key));
		bool again = false;
		if (!sig)
			continue;
		int r = key_verify(key, paper->metadata->canonical,
				   paper->metadata->canonical_len, sig);
		if (r == -ENOMEM)
			return r;
		for (size_t j = 0; j < side->good; j++)
			again |= key_equal(seen[j], key);
		if (r == 0 && !again)
			seen[side->good++] = key;
		side->wrong |= r == -EKEYREJECTED;
	}
	return 0;
}

int
signing_count(const struct repo *repo, enum repo_area area,
	      const struct paper *paper,
	      struct signing_side sides[SIGNING_SIDES_MAX], struct reason *why)
{
	const struct metadata *delegators[SIGNING_SIDES_MAX];
	size_t len = delegators_of(repo, area, paper->id, delegators);

	if (!len)
		return reason_set(why, -ENOENT,
				  "%s has nobody above it: neither root nor "
				  "targets are there",
				  duty_name(paper->id));
	for (size_t i = 0; i < len; i++) {
		CLEANUP(set_signers_done) struct set_signers who = { 0 };
		int r = set_signers(delegators[i], paper->id, &who, why);
		sides[i] = (struct signing_side){
			.delegator = delegators[i],
			.threshold = who.signers.threshold,
		};
		if (r == 0)
			r = count(paper, &who.signers, &sides[i]);
		if (r < 0)
			return r;
	}
	return (int)len;
}

int
signing_check_versions(const struct repo *repo, enum repo_area area,
		       struct reason *why)
{
	for (unsigned int i = 0; i < DUTY_LEN; i++) {
		const struct paper *paper = repo->staged[area].papers[i];
		int64_t next = set_version(&repo->published, i) + 1;
		if (!paper || paper->metadata->version == next)
			continue;
		return reason_set(why, -ESTALE,
				  "%s: %s has version %" PRId64 ", and %" PRId64
				  " is next: it was prepared for another state "
				  "of the repository, or is published already; "
				  "stage it again",
				  repo_area_name(area), duty_name(i),
				  paper->metadata->version, next);
	}
	return 0;
}

struct checking {
	const struct repo *repo;
	enum repo_area area;
	struct reason *why;
};

static bool
is_same_entry(const struct doc_value *a, const struct doc_value *b)
{
	const char *left = doc_text(a, "hashes.sha256");
	const char *right = doc_text(b, "hashes.sha256");

	return left && right && str_equal(left, right) &&
	       doc_number_or(a, "length", -1) == doc_number_or(b, "length", -1);
}

static int
check_target(void *arg, const char *name, const struct doc_value *entry)
{
	static const struct set none;
	const struct checking *checking = arg;
	const struct set *base = &checking->repo->published;
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	if (is_same_entry(entry, shelf_entry(&none, base, name)))
		return 0;
	return shelf_read(checking->repo, checking->area, name, entry,
			  TRUST_LISTED_MAX, &bytes, &len, checking->why);
}

int
signing_check_targets(const struct repo *repo, enum repo_area area,
		      struct reason *why)
{
	struct checking checking = { repo, area, why };
	int r = 0;

	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++) {
		const struct paper *paper = repo->staged[area].papers[i];
		if (paper && duty_type(i) == METADATA_TARGETS)
			r = doc_each(paper->metadata->body, "targets",
				     check_target, &checking);
	}
	return r;
}

/* Adds what the keys may sign of an area; *count of signatures goes up. */
static int
sign_area(struct repo *repo, enum repo_area area, const struct secrets *secrets,
	  size_t *count, struct reason *why)
{
	for (unsigned int i = 0; i < DUTY_LEN; i++) {
		const struct metadata *delegators[SIGNING_SIDES_MAX];
		struct paper *paper = repo->staged[area].papers[i];
		size_t len = delegators_of(repo, area, i, delegators);
		for (size_t j = 0; j < len && paper; j++) {
			size_t added;
			int r = secrets_sign(secrets, paper, delegators[j],
					     &added, why);
			if (r < 0)
				return reason_about(why, r, duty_name(i));
			*count += added;
			/* The delegator may be the paper itself, anew. */
			len = delegators_of(repo, area, i, delegators);
		}
	}
	return 0;
}

static int
prepare(struct repo *repo, enum repo_area area, struct reason *why)
{
	int r = signing_check_versions(repo, area, why);

	if (r == 0)
		r = signing_check_targets(repo, area, why);
	return r < 0 ? r : show_area(repo, area, why);
}

/* A root that its keys do not know is no root: nothing says whose it is. */
static int
sign(const struct args *args, struct repo *repo, const bool *wanted,
     struct reason *why)
{
	CLEANUP(secrets_done) struct secrets secrets = { 0 };
	size_t count = 0;
	int r = 0;

	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++)
		if (wanted[i])
			r = prepare(repo, i, why);
	if (r == 0)
		r = secrets_open(&secrets, args, repo->dir, NULL, why);
	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++)
		if (wanted[i])
			r = sign_area(repo, i, &secrets, &count, why);
	if (r == 0 && !count)
		r = reason_set(
			why, -ENOKEY,
			"nothing that is staged is for this key to sign: "
			"khien-repo key list shows whose turn it is");
	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++)
		if (wanted[i])
			r = repo_write_area(repo, i, why);
	for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++)
		if (wanted[i])
			r = show_missing(repo, i, why);
	return r;
}

/* Signatures of the same words, from a copy that was carried elsewhere. */
static int
merge_paper(struct paper *paper, const struct paper *other, size_t *count,
	    struct reason *why)
{
	const struct metadata *from = other->metadata;

	if (from->canonical_len != paper->metadata->canonical_len ||
	    memcmp(from->canonical, paper->metadata->canonical,
		   from->canonical_len) != 0)
		return reason_set(why, -EBADE,
				  "%s: the other copy is of something else: "
				  "only the same staged folder can be merged",
				  duty_name(paper->id));
	for (size_t i = 0; i < doc_len(from->sigs, NULL); i++) {
		const struct doc_value *one = doc_item(from->sigs, NULL, i);
		const char *keyid = doc_text_or(one, "keyid", "");
		if (metadata_sig(paper->metadata, keyid))
			continue;
		int r = paper_add(paper, keyid, doc_text_or(one, "sig", ""),
				  why);
		if (r < 0)
			return r;
		(*count)++;
	}
	return 0;
}

static int
merge(const struct args *args, struct repo *repo, struct reason *why)
{
	CLEANUP(repo_close) struct repo other = { .dir = -1 };
	enum repo_area area;
	size_t count = 0;

	int r = repo_open_carried(args_text(args, ARGS_FROM), &other, &area,
				  why);
	if (r == 0 && !repo_is_staged(repo, area))
		r = reason_set(
			why, -ESTALE,
			"%s is empty here: what those signatures are for "
			"is published, or was dropped",
			repo_area_name(area));
	if (r == 0)
		r = signing_check_versions(repo, area, why);
	for (unsigned int i = 0; i < DUTY_LEN && r == 0; i++) {
		struct paper *paper = repo->staged[area].papers[i];
		const struct paper *from = other.staged[area].papers[i];
		if (paper && from)
			r = merge_paper(paper, from, &count, why);
	}
	if (r == 0)
		r = repo_write_area(repo, area, why);
	if (r == 0)
		say_line("%zu signatures taken over", count);
	return r < 0 ? r : show_missing(repo, area, why);
}

int
signing_run(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	bool wanted[REPO_AREAS] = { false };
	enum repo_area area;
	bool any = false;
	int r;

	if (args->operands_len) {
		r = repo_open_carried(args->operands[0], &repo, &area, why);
		if (r < 0)
			return r;
		wanted[area] = any = true;
	} else {
		r = repo_open(args->repo, true, &repo, why);
		if (r == 0)
			r = draft_rebase(&repo, why);
		for (unsigned int i = 0; i < REPO_AREAS && r == 0; i++)
			any |= wanted[i] = repo_is_staged(&repo, i);
	}
	if (r == 0 && args_has(args, ARGS_FROM))
		return merge(args, &repo, why);
	if (r == 0 && !any)
		r = reason_set(why, -ENOENT,
			       "nothing is staged: stage, promote, withdraw or "
			       "rotate come first");
	return r < 0 ? r : sign(args, &repo, wanted, why);
}
