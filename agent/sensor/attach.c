/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>

#include "agent/lib/file.h"
#include "agent/sensor/cgroup.h"
#include "agent/sensor/probe.h"
#include "kernel/khien_abi.h"

/*
 * Those of cgroups to all cgroups.  The kernel takes links beside whatever
 * program is there, and refuses them where somebody wants to be alone.
 */
static struct bpf_link *
make_link(struct bpf_program *bpf)
{
	enum bpf_prog_type type = bpf_program__type(bpf);

	if (type != BPF_PROG_TYPE_CGROUP_SKB &&
	    type != BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
		return bpf_program__attach(bpf);
	CLEANUP_FD int fd = cgroup_open();
	if (fd < 0) {
		errno = fd == -ENOENT ? PROGRAMS_NO_CGROUP2 : -fd;
		return NULL;
	}
	struct bpf_link *link = bpf_program__attach_cgroup(bpf, fd);
	int r = errno;
	file_closep(&fd);
	errno = r;
	return link;
}

/* Where in `handlers` it is called from; -1: it is attached by itself. */
static int
handler_of(const struct probe *probe, size_t program)
{
	if (program == PROGRAM_PRIVILEGE_MAPPING)
		return KHIEN_HANDLER_MAPPING;
	if (probe->links[PROGRAM_FILE_CALL] < 0)
		return -1;
	switch (program) {
	case PROGRAM_PRIVILEGE_CALL:
		return KHIEN_HANDLER_PRIVILEGE;
	case PROGRAM_NET_ACCEPT:
		return KHIEN_HANDLER_ACCEPT;
	case PROGRAM_REACH_MARK:
		return KHIEN_HANDLER_MARK;
	default:
		return -1;
	}
}

static int
attach_by_link(struct bpf_program *bpf)
{
	struct bpf_link *link = make_link(bpf);

	if (!link)
		return -errno;
	int fd = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		fd = -errno;
	(void)bpf_link__destroy(link);
	return fd;
}

int
attach_program(struct bpf_program *bpf, const struct probe *probe,
	       size_t program)
{
	int handler = handler_of(probe, program);
	int fd = bpf_program__fd(bpf);

	if (handler < 0)
		return attach_by_link(bpf);
	int r = bpf_map_update_elem(probe->maps[PROBE_HANDLERS], &handler, &fd,
				    BPF_ANY);
	if (r < 0)
		return r;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

bool
attach_is_link(const struct probe *probe, size_t program)
{
	return handler_of(probe, program) < 0;
}
