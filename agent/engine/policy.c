/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/policy.h"

#include "agent/lib/conf.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

void
policy_init(struct policy *policy, const struct conf *conf)
{
	*policy = (struct policy){
		.acts = str_equal(conf->mode, "enforce") &&
			!str_equal(conf->on_malicious, "alert"),
		.quarantines = str_equal(conf->on_malicious, "quarantine"),
		.min_severity = msg_severity_find(conf->min_severity),
	};
}

uint32_t
policy_actions(const struct policy *policy, const struct policy_case *what)
{
	uint32_t actions = MSG_ACT_KILL;

	if (!policy->acts || what->allowed || what->cause == MSG_CAUSE_ASKED ||
	    !what->severity || what->severity < policy->min_severity)
		return 0;
	/* Who was let by may have mapped it, as a library, by now. */
	if (what->answer == MSG_ANSWER_DEADLINE_ALLOWED ||
	    what->answer == MSG_ANSWER_LATE)
		actions |= MSG_ACT_KILL_MAPPED;
	if (policy->quarantines)
		actions |= MSG_ACT_QUARANTINE;
	return actions;
}

enum policy_outcome
policy_answered(uint16_t answer)
{
	return answer == MSG_ANSWER_DENIED ||
			       answer == MSG_ANSWER_DEADLINE_DENIED ?
		       POLICY_BLOCK :
		       POLICY_ALERT;
}

enum policy_outcome
policy_done(uint32_t done, uint32_t killed)
{
	if (done & MSG_ACT_QUARANTINE)
		return POLICY_QUARANTINE;
	return killed ? POLICY_KILL : POLICY_ALERT;
}

const char *
policy_word(enum policy_outcome outcome)
{
	static const char *const words[] = {
		[POLICY_ALERT] = "alert",
		[POLICY_BLOCK] = "block",
		[POLICY_KILL] = "kill",
		[POLICY_QUARANTINE] = "quarantine",
	};

	return words[outcome];
}
