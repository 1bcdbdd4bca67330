/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/policy.h"

#include <errno.h>
#include <inttypes.h>

#include "updater/tuf/key.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/verify.h"

int
policy_check_machine(const struct policy *policy, struct reason *why)
{
	if (!policy->hybrid || key_has_post_quantum())
		return 0;
	return reason_set(why, -ENOPKG,
			  "hybrid signatures are asked for, and %s has no "
			  "ML-DSA: that takes OpenSSL 3.5, as in Debian 13",
			  libcrypto_version());
}

int
policy_check_signed(const struct policy *policy, enum metadata_type type,
		    const struct verify *counted, struct reason *why)
{
	if (!policy->hybrid ||
	    (type != METADATA_ROOT && type != METADATA_TARGETS))
		return 0;
	if (counted->classical && counted->post_quantum)
		return 0;
	return reason_set(why, -ENOKEY,
			  "has %zu classical and %zu post-quantum signatures",
			  counted->classical, counted->post_quantum);
}

int
policy_check_version(const struct policy *policy, enum metadata_type type,
		     int64_t version, struct reason *why)
{
	if (version >= policy->version_min[type])
		return 0;
	return reason_set(why, -ESTALE,
			  "has version %" PRId64
			  ", and this installation takes "
			  "none below %" PRId64,
			  version, policy->version_min[type]);
}
