/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Renames a file: rename DIR [path|at|at2].
 */
#include <string.h>

#include "tests/triggers/pair.h"

int
main(int argc, char **argv)
{
	struct pair pair;

	pair_make(&pair, "rename", argc, argv);
	if (strcmp(pair.how, "at") == 0)
		pair_done(&pair, renameat(AT_FDCWD, pair.first, AT_FDCWD,
					  pair.second));
	else if (strcmp(pair.how, "at2") == 0)
		pair_done(&pair, renameat2(AT_FDCWD, pair.first, AT_FDCWD,
					   pair.second, RENAME_NOREPLACE));
	else
		pair_done(&pair, rename(pair.first, pair.second));
	return 0;
}
