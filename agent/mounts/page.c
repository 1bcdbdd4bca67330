/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/page.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/loop.h"

#define NS_PER_MS 1000000U

/* Another size is that of another version: what it says cannot be read. */
static bool
is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == sizeof(struct page);
}

static bool
is_any(const struct page_way *way)
{
	return way->id != 0 || way->path != 0;
}

static bool
is_same(const struct page_way *a, const struct page_way *b)
{
	return a->space == b->space && a->id == b->id && a->path == b->path &&
	       a->device == b->device;
}

/* Who was killed in the middle of a walk for another reason did not hang. */
static void
note_hung(struct page *page)
{
	if (is_any(&page->walking) &&
	    loop_now_ns() - page->walking_ns >=
		    (uint64_t)PAGE_HUNG_MS * NS_PER_MS)
		page->hung[page->hung_next++ % PAGE_HUNG_MAX] = page->walking;
	page_end(page);
}

int
page_open(int kept, struct page **ret_page, int *ret_fd)
{
	CLEANUP_FD int fd = -1;

	if (kept >= 0 && is_ours(kept))
		fd = fcntl(kept, F_DUPFD_CLOEXEC, 0);
	else
		fd = memfd_create("khien-mounts", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!is_ours(fd) && ftruncate(fd, sizeof(struct page)) < 0)
		return -errno;
	struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
				 MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	note_hung(page);
	*ret_page = page;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void
page_close(struct page *page)
{
	if (page)
		(void)munmap(page, sizeof(*page));
}

void
page_begin(struct page *page, const struct page_way *way)
{
	page->walking_ns = loop_now_ns();
	page->walking = *way;
}

void
page_end(struct page *page)
{
	page->walking = (struct page_way){ 0 };
}

bool
page_is_hung(const struct page *page, const struct page_way *way)
{
	for (size_t i = 0; i < PAGE_HUNG_MAX; i++)
		if (is_same(&page->hung[i], way))
			return true;
	return false;
}
