/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/pass.h"

#include <unistd.h>

#include "agent/lib/file.h"

/* A pipe of one byte never blocks; who is gone needs no leave. */
static void
give(int *fd)
{
	if (write(*fd, "", 1) < 0) {
		/* It has ended and will be reaped. */
	}
	file_closep(fd);
}

void
pass_add(struct pass *pass, int pid, int fd, uint64_t now_ms)
{
	if (pass->len == PASS_MAX) {
		give(&fd);
		return;
	}
	pass->entries[pass->len++] = (struct pass_entry){
		.pid = pid,
		.fd = fd,
		.due_ms = now_ms + PASS_MS,
	};
}

static void
remove_at(struct pass *pass, size_t at)
{
	give(&pass->entries[at].fd);
	pass->entries[at] = pass->entries[--pass->len];
}

void
pass_go(struct pass *pass, int pid)
{
	for (size_t i = 0; i < pass->len; i++)
		if (pass->entries[i].pid == pid) {
			remove_at(pass, i);
			return;
		}
}

void
pass_check(struct pass *pass, uint64_t now_ms)
{
	for (size_t i = pass->len; i > 0; i--)
		if (pass->entries[i - 1].due_ms <= now_ms)
			remove_at(pass, i - 1);
}

uint64_t
pass_due_ms(const struct pass *pass)
{
	uint64_t due_ms = 0;

	for (size_t i = 0; i < pass->len; i++)
		if (due_ms == 0 || pass->entries[i].due_ms < due_ms)
			due_ms = pass->entries[i].due_ms;
	return due_ms;
}

void
pass_done(struct pass *pass)
{
	while (pass->len)
		remove_at(pass, pass->len - 1);
}
