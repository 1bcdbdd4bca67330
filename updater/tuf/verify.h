/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts who has signed a file, each key once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct metadata;
struct reason;
struct signers;

struct verify {
	size_t classical, post_quantum; /* good signatures, by distinct keys */
};

/*
 * Returns 0; -EKEYREJECTED when fewer than the threshold of `signers` have
 * signed; -ENOPKG when it would perhaps be enough, were the schemes of all
 * signatures known here; -ENOMEM.
 */
int verify_count(const struct metadata *metadata, const struct signers *signers,
		 struct verify *ret_counted, struct reason *why);
