/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/content.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the signal handler knows of the mappings. */
static struct slot {
	volatile uintptr_t start, end;
	volatile sig_atomic_t cut;
} slots[CONTENT_OPEN_MAX];

static size_t page_size;

/* Of the one small part that is open. */
static uint8_t small[CONTENT_READ_MAX];
static bool small_taken;

static struct slot *
find_slot(uintptr_t address)
{
	for (size_t i = 0; i < CONTENT_OPEN_MAX; i++)
		if (address >= slots[i].start && address < slots[i].end)
			return &slots[i];
	return NULL;
}

/* Zeroes from the missing page to the mapping's end: one signal a mapping. */
static void
on_sigbus(int signal, siginfo_t *why, void *context)
{
	int saved = errno;
	uintptr_t address = (uintptr_t)why->si_addr;
	struct slot *slot = find_slot(address);

	(void)context;
	if (slot) {
		uintptr_t page = address & ~(page_size - 1);
		void *map =
			mmap((void *)page, slot->end - page, PROT_READ,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (map != MAP_FAILED) {
			slot->cut = 1;
			errno = saved;
			return;
		}
	}
	/* Not ours to answer: the instruction runs again, and ends us. */
	struct sigaction action = { .sa_handler = SIG_DFL };
	(void)sigaction(signal, &action, NULL);
	errno = saved;
}

int
content_init(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus,
				    .sa_flags = SA_SIGINFO };

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	(void)sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

static struct slot *
slot_of(const struct content *content)
{
	return find_slot((uintptr_t)content->map);
}

/* What is missing is zero, as in a mapping. */
static int
read_small(struct content *content, int fd, uint64_t at, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n =
			pread(fd, small + len, size - len, (off_t)(at + len));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	memset(small + len, 0, size - len);
	small_taken = true;
	content->bytes = small;
	content->size = size;
	content->cut = len < size;
	return 0;
}

static int
map(struct content *content, int fd, uint64_t at, size_t size)
{
	size_t before = (size_t)(at & (page_size - 1));
	struct slot *slot = NULL;

	for (size_t i = 0; i < CONTENT_OPEN_MAX; i++)
		if (slots[i].end == 0)
			slot = &slots[i];
	assert(slot);
	void *start = mmap(NULL, before + size, PROT_READ, MAP_PRIVATE, fd,
			   (off_t)(at - before));
	if (start == MAP_FAILED)
		return -errno;
	(void)madvise(start, before + size, MADV_SEQUENTIAL);
	size_t pages = (before + size + page_size - 1) & ~(page_size - 1);
	slot->cut = 0;
	slot->start = (uintptr_t)start;
	slot->end = (uintptr_t)start + pages;
	content->map = start;
	content->map_size = before + size;
	content->bytes = (const uint8_t *)start + before;
	content->size = size;
	return 0;
}

int
content_open(struct content *content, int fd, uint64_t at, size_t size)
{
	*content = (struct content){ 0 };
	if (size == 0)
		return 0;
	if (size <= CONTENT_READ_MAX && !small_taken)
		return read_small(content, fd, at, size);
	return map(content, fd, at, size);
}

bool
content_was_cut(const struct content *content)
{
	return content->cut || (content->map && slot_of(content)->cut != 0);
}

void
content_close(struct content *content)
{
	if (content->map) {
		struct slot *slot = slot_of(content);
		slot->start = 0;
		slot->end = 0;
		(void)munmap(content->map, content->map_size);
	} else if (content->bytes) {
		small_taken = false;
	}
	*content = (struct content){ 0 };
}
