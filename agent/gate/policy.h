/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is answered to whom: decided from the verdict, the configuration and
 * what responders allowed, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allow;
struct conf;
struct msg_verdict;

struct policy {
	const struct allow *allow; /* borrowed; NULL: nothing */
	unsigned int min_severity; /* msg_severity_find() */
	bool deny_malicious;
	bool deny_deadline;
	bool deny_crash;
};

/* Borrows allow, which may change and may be NULL. */
void policy_init(struct policy *policy, const struct conf *conf,
		 const struct allow *allow);

/* Whether a rule matched that is severe enough to act upon. */
bool policy_counts(const struct policy *policy,
		   const struct msg_verdict *verdict);

/* Whether a responder allowed it, whatever matched. */
bool policy_allows(const struct policy *policy,
		   const struct msg_verdict *verdict);

/*
 * Whether who asked is denied.  MSG_TIMEOUT stands for the deadline as well as
 * for the scan's own limit.  `writable`: by an unprivileged user, who could
 * make a file that ends or defeats the scanner.
 */
bool policy_denies(const struct policy *policy,
		   const struct msg_verdict *verdict, bool writable);
