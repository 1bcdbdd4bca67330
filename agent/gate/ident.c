/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#ifndef STATX_MNT_ID /* Linux 5.8 */
#define STATX_MNT_ID 0x1000U
#endif
#ifndef AT_HANDLE_FID /* Linux 6.5: a handle that need not be openable */
#define AT_HANDLE_FID 0x200
#endif

/* FAT's times have the coarsest grain, of two seconds. */
#define GRAIN_NS INT64_C(2000000000)

struct room {
	struct file_handle head;
	uint8_t bytes[IDENT_HANDLE_MAX];
};

static int64_t
time_ns(const struct statx_timestamp *time)
{
	return (int64_t)((uint64_t)time->tv_sec * 1000000000U + time->tv_nsec);
}

static int64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)((uint64_t)now.tv_sec * 1000000000U +
			 (uint64_t)now.tv_nsec);
}

static void
read_handle(int fd, int flags, struct ident *ident)
{
	struct room room = { .head = { .handle_bytes = IDENT_HANDLE_MAX } };
	int mount_id;

	if (name_to_handle_at(fd, "", &room.head, &mount_id,
			      AT_EMPTY_PATH | flags) < 0)
		return;
	ident->handle_type = room.head.handle_type;
	ident->handle_len = (uint16_t)room.head.handle_bytes;
	memcpy(ident->handle,
	       (uint8_t *)&room + offsetof(struct file_handle, f_handle),
	       room.head.handle_bytes);
}

/* All but the handle. */
static int
read_attributes(int fd, struct ident *ret_ident)
{
	int64_t read_ns = now_ns();
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS | STATX_MNT_ID, &stx) < 0)
		return -errno;

	*ret_ident = (struct ident){
		.device = makedev(stx.stx_dev_major, stx.stx_dev_minor),
		.inode = stx.stx_ino,
		.size = stx.stx_size,
		.ctime_ns = time_ns(&stx.stx_ctime),
		.mtime_ns = time_ns(&stx.stx_mtime),
		.mode = stx.stx_mode,
		.uid = stx.stx_uid,
		.gid = stx.stx_gid,
		.links = stx.stx_nlink,
		.read_ns = read_ns,
	};
	if (stx.stx_mask & STATX_MNT_ID)
		ret_ident->mount_id = stx.stx_mnt_id;
	return 0;
}

int
ident_read(int fd, struct ident *ret_ident)
{
	int r = read_attributes(fd, ret_ident);

	if (r < 0)
		return r;
	read_handle(fd, 0, ret_ident);
	if (ret_ident->handle_len == 0)
		read_handle(fd, AT_HANDLE_FID, ret_ident);
	return 0;
}

int
ident_read_again(int fd, const struct ident *before, struct ident *ret_ident)
{
	struct ident now;
	int r = read_attributes(fd, &now);

	if (r < 0)
		return r;
	now.handle_type = before->handle_type;
	now.handle_len = before->handle_len;
	memcpy(now.handle, before->handle, sizeof(now.handle));
	*ret_ident = now;
	return 0;
}

bool
ident_same_file(const struct ident *a, const struct ident *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->handle_type == b->handle_type &&
	       a->handle_len == b->handle_len &&
	       memcmp(a->handle, b->handle, a->handle_len) == 0;
}

bool
ident_same_content(const struct ident *a, const struct ident *b)
{
	return ident_same_file(a, b) && a->size == b->size &&
	       a->ctime_ns == b->ctime_ns && a->mtime_ns == b->mtime_ns;
}

bool
ident_is_settled(const struct ident *ident)
{
	return ident->ctime_ns < ident->read_ns - GRAIN_NS;
}
