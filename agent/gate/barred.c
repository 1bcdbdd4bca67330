/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/barred.h"

#include <errno.h>
#include <linux/magic.h>
#include <linux/types.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/gate/ident.h"
#include "kernel/khien_abi.h"

struct barred {
	struct khien_bad *list; /* owned: memory of ours, or the map's */
	size_t size;		/* of what is mapped */
	uint32_t turn; /* in a full bucket, which one makes room next */
	uint64_t forced;
};

static struct khien_bad *
map(size_t size, int flags, int fd)
{
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

static size_t
whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

struct barred *
barred_new(void)
{
	struct barred *barred = calloc(1, sizeof(*barred));

	if (!barred)
		return NULL;
	barred->size = whole_pages(sizeof(*barred->list));
	barred->list = map(barred->size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (barred->list)
		return barred;
	free(barred);
	return NULL;
}

void
barred_free(struct barred *barred)
{
	if (barred)
		(void)munmap(barred->list, barred->size);
	free(barred);
}

/* Read by the kernel while it is written: it has the file when all is there. */
static void
write_entry(struct khien_bad_file *entry, const struct khien_bad_file *file)
{
	__atomic_store_n(&entry->inode, 0, __ATOMIC_SEQ_CST);
	entry->size = file->size;
	entry->mtime_ns = file->mtime_ns;
	entry->device = file->device;
	__atomic_store_n(&entry->inode, file->inode, __ATOMIC_SEQ_CST);
}

/* Two files of one number on file systems that tell no device are one here:
   then the later one is known. */
static bool
is_same(const struct khien_bad_file *a, uint64_t inode, uint32_t device)
{
	return a->inode == inode &&
	       (!a->device || !device || a->device == device);
}

static struct khien_bad_file *
find(struct khien_bad *list, uint64_t inode, uint32_t device)
{
	struct khien_bad_file *bucket = &list->files[khien_bad_place(inode)];

	for (size_t i = 0; inode && i < KHIEN_BAD_WAYS; i++)
		if (is_same(&bucket[i], inode, device))
			return &bucket[i];
	return NULL;
}

static void
count(struct khien_bad *list, int change)
{
	__atomic_store_n(&list->len, list->len + (uint32_t)change,
			 __ATOMIC_SEQ_CST);
}

static void
add(struct barred *barred, const struct khien_bad_file *file)
{
	struct khien_bad *list = barred->list;
	struct khien_bad_file *entry = find(list, file->inode, file->device);
	struct khien_bad_file *bucket =
		&list->files[khien_bad_place(file->inode)];

	if (!file->inode)
		return;
	for (size_t i = 0; !entry && i < KHIEN_BAD_WAYS; i++)
		if (!bucket[i].inode)
			entry = &bucket[i];
	if (!entry) {
		entry = &bucket[barred->turn++ % KHIEN_BAD_WAYS];
		barred->forced++;
	}
	bool is_new = !entry->inode;
	write_entry(entry, file);
	if (is_new)
		count(list, 1);
}

int
barred_share(struct barred *barred, int fd)
{
	struct khien_bad *before = barred->list;
	struct khien_bad *list = map(barred->size, MAP_SHARED, fd);

	if (!list)
		return -errno;
	barred->list = list;
	for (size_t i = 0; i < KHIEN_BAD_FILES; i++)
		if (before->files[i].inode)
			add(barred, &before->files[i]);
	barred_set(barred, before->on);
	(void)munmap(before, barred->size);
	return 0;
}

void
barred_set(struct barred *barred, bool on)
{
	__atomic_store_n(&barred->list->on, on, __ATOMIC_SEQ_CST);
}

static uint32_t
kernel_device(const struct ident *ident)
{
	return (uint32_t)major(ident->device) << 20 |
	       (uint32_t)minor(ident->device);
}

void
barred_add(struct barred *barred, const struct ident *ident, uint64_t fs_type)
{
	/* Of these stat(2) says a device that is not the kernel's own. */
	bool differs = fs_type == BTRFS_SUPER_MAGIC ||
		       fs_type == OVERLAYFS_SUPER_MAGIC;
	struct khien_bad_file file = {
		.inode = ident->inode,
		.size = ident->size,
		.mtime_ns = ident->mtime_ns,
		.device = differs ? 0 : kernel_device(ident),
	};

	add(barred, &file);
}

void
barred_drop(struct barred *barred, const struct ident *ident)
{
	if (!barred->list->len)
		return;
	struct khien_bad_file *entry =
		find(barred->list, ident->inode, kernel_device(ident));
	if (!entry)
		return;
	__atomic_store_n(&entry->inode, 0, __ATOMIC_SEQ_CST);
	count(barred->list, -1);
}

void
barred_count(const struct barred *barred, struct barred_counts *ret_counts)
{
	*ret_counts = (struct barred_counts){
		.files = barred->list->len,
		.denied = barred->list->denied,
		.forced = barred->forced,
	};
}
