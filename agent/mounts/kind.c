/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/kind.h"

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/str.h"

static const char *const local_types[] = {
	"bcachefs", "btrfs",  "erofs",	  "exfat",   "ext2",	"ext3",
	"ext4",	    "f2fs",   "hfs",	  "hfsplus", "iso9660", "jfs",
	"minix",    "msdos",  "nilfs2",	  "ntfs",    "ntfs3",	"overlay",
	"ramfs",    "rootfs", "squashfs", "tmpfs",   "udf",	"ufs",
	"vfat",	    "xfs",    "zfs",
};

static const char *const node_types[] = { "devtmpfs" };

static const char *const kernel_types[] = {
	"binder",    "binfmt_misc", "bpf",     "cgroup",     "cgroup2",
	"configfs",  "cpuset",	    "debugfs", "devpts",     "efivarfs",
	"fusectl",   "hugetlbfs",   "mqueue",  "nfsd",	     "nsfs",
	"proc",	     "pstore",	    "resctrl", "rpc_pipefs", "securityfs",
	"selinuxfs", "smackfs",	    "sysfs",   "tracefs",    "xenfs",
};

static bool
is_in(const char *type, const char *const *types, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (str_equal(type, types[i]))
			return true;
	return false;
}

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

enum kind
kind_of(const char *type)
{
	if (is_in(type, local_types, LEN(local_types)))
		return KIND_LOCAL;
	if (is_in(type, node_types, LEN(node_types)))
		return KIND_NODES;
	if (is_in(type, kernel_types, LEN(kernel_types)))
		return KIND_KERNEL;
	return KIND_FOREIGN;
}
