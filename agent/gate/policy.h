/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is answered to whom: decided from the verdict and the configuration
   alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct msg_verdict;

struct policy {
	unsigned int min_severity; /* msg_severity_find() */
	bool deny_malicious;
	bool deny_deadline;
	bool deny_crash;
};

void policy_init(struct policy *policy, const struct conf *conf);

/* Whether a rule matched that is severe enough to act upon. */
bool policy_counts(const struct policy *policy,
		   const struct msg_verdict *verdict);

/*
 * Whether who asked is denied.  MSG_TIMEOUT stands for the deadline as well as
 * for the scan's own limit.  `writable`: by an unprivileged user, who could
 * make a file that ends or defeats the scanner.
 */
bool policy_denies(const struct policy *policy,
		   const struct msg_verdict *verdict, bool writable);
