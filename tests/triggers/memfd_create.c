/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a file without a name: memfd_create [named|fails]. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "named";

	if (strcmp(how, "fails") == 0) {
		if (memfd_create("x", 0x40000000) >= 0 ||
		    memfd_create(NULL, 0) >= 0)
			errx(2, "what was to be refused was granted");
	} else if (memfd_create("khien", MFD_CLOEXEC | MFD_ALLOW_SEALING) < 0) {
		err(2, "%s", how);
	}
	(void)printf("{\"type\":\"memfd_create\",\"pid\":%d}\n", getpid());
	return 0;
}
