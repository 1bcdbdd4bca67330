/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/policy.h"

#include "agent/lib/allow.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

void
policy_init(struct policy *policy, const struct conf *conf,
	    const struct allow *allow)
{
	*policy = (struct policy){
		.allow = allow,
		.min_severity = msg_severity_find(conf->min_severity),
		.deny_malicious = !str_equal(conf->on_malicious, "alert"),
		.deny_deadline = str_equal(conf->on_deadline, "deny"),
		.deny_crash = str_equal(conf->on_crash, "deny"),
	};
}

bool
policy_counts(const struct policy *policy, const struct msg_verdict *verdict)
{
	for (uint32_t i = 0; i < verdict->len; i++)
		if (msg_severity_find(verdict->matches[i].severity) >=
		    policy->min_severity)
			return true;
	return false;
}

bool
policy_allows(const struct policy *policy, const struct msg_verdict *verdict)
{
	return policy->allow && allow_has(policy->allow, verdict);
}

bool
policy_denies(const struct policy *policy, const struct msg_verdict *verdict,
	      bool writable)
{
	/* Whatever else went wrong with the scan: what it found counts. */
	if (policy_counts(policy, verdict))
		return policy->deny_malicious &&
		       !policy_allows(policy, verdict);
	switch (verdict->result) {
	case MSG_TIMEOUT:
		return policy->deny_deadline;
	case MSG_CRASHED:
	case MSG_FAILED:
		return policy->deny_crash && writable;
	default:
		return false;
	}
}
