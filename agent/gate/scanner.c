/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/scanner.h"

void
scanner_init(struct scanner *scanner)
{
	*scanner = (struct scanner){
		.chan = -1,
		.leader = SCANNER_NONE,
		.retry = SCANNER_NONE,
	};
}
