/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "agent/lib/file.h"
#include "updater/tuf/key.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/signers.h"

struct count {
	const struct key **good; /* owned; room for every signer */
	size_t len;
	size_t wrong;		      /* signatures */
	size_t unknown;		      /* signatures of schemes not known here */
	const struct key *an_unknown; /* one of those who made them */
};

/* A key that is there under two keyids is one key. */
static bool
is_counted(const struct count *count, const struct key *key)
{
	for (size_t i = 0; i < count->len; i++)
		if (key_equal(count->good[i], key))
			return true;
	return false;
}

static int
count_one(struct count *count, const struct metadata *metadata,
	  const struct key *key)
{
	const char *sig = metadata_sig(metadata, key_id(key));

	if (!sig || is_counted(count, key))
		return 0;
	int r = key_verify(key, metadata->canonical, metadata->canonical_len,
			   sig);
	if (r == 0)
		count->good[count->len++] = key;
	else if (r == -EKEYREJECTED)
		count->wrong++;
	else if (r == -ENOPKG) {
		count->unknown++;
		count->an_unknown = key;
	} else
		return r;
	return 0;
}

static int
too_few(const struct count *count, const struct signers *signers,
	struct reason *why)
{
	size_t all = count->len + count->unknown;

	if (count->unknown && (int64_t)all >= signers->threshold)
		return reason_set(why, -ENOPKG,
				  "has %zu of %" PRId64 " signatures, and %zu "
				  "that cannot be verified here (%s)",
				  count->len, signers->threshold,
				  count->unknown,
				  key_scheme(count->an_unknown));
	return reason_set(why, -EKEYREJECTED,
			  "has %zu of %" PRId64 " signatures, out of %zu keys "
			  "(%zu are wrong)",
			  count->len, signers->threshold, signers->len,
			  count->wrong);
}

int
verify_count(const struct metadata *metadata, const struct signers *signers,
	     struct verify *ret_counted, struct reason *why)
{
	CLEANUP_FREE const struct key **good =
		calloc(signers->len + 1, sizeof(good[0]));
	struct count count = { .good = good };
	struct verify counted = { 0 };

	if (!good)
		return -ENOMEM;
	for (size_t i = 0; i < signers->len; i++) {
		int r = count_one(&count, metadata, signers->list[i]);
		if (r < 0)
			return r;
	}
	if ((int64_t)count.len < signers->threshold)
		return too_few(&count, signers, why);
	for (size_t i = 0; i < count.len; i++)
		if (key_kind(good[i]) == KEY_POST_QUANTUM)
			counted.post_quantum++;
		else
			counted.classical++;
	*ret_counted = counted;
	return 0;
}
