/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/debt.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"

/* Another size is that of another version: what it says cannot be read. */
static bool
is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == sizeof(struct debt);
}

int
debt_open(int kept, struct debt **ret_debt, int *ret_fd)
{
	CLEANUP_FD int fd = -1;

	if (kept >= 0 && is_ours(kept))
		fd = fcntl(kept, F_DUPFD_CLOEXEC, 0);
	else
		fd = memfd_create("khien-debt", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!is_ours(fd) && ftruncate(fd, sizeof(struct debt)) < 0)
		return -errno;
	struct debt *debt = mmap(NULL, sizeof(*debt), PROT_READ | PROT_WRITE,
				 MAP_SHARED, fd, 0);
	if (debt == MAP_FAILED)
		return -errno;
	*ret_debt = debt;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void
debt_close(struct debt *debt)
{
	if (debt)
		(void)munmap(debt, sizeof(*debt));
}
