/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a hard link: link DIR [path|at].
 */
#include <string.h>

#include "tests/triggers/pair.h"

int
main(int argc, char **argv)
{
	struct pair pair;

	pair_make(&pair, "link", argc, argv);
	if (strcmp(pair.how, "at") == 0)
		pair_done(&pair, linkat(AT_FDCWD, pair.first, AT_FDCWD,
					pair.second, 0));
	else
		pair_done(&pair, link(pair.first, pair.second));
	return 0;
}
