/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/tally.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/khien_abi.h"

int
tally_open(struct tally *tally, int fd, uint64_t *seen, size_t len,
	   uint64_t base)
{
	*tally = (struct tally){ .len = fd < 0 ? 0 : len, .base = base };
	if (fd < 0)
		return 0;
	tally->seen = seen;
	tally->done = calloc(len, sizeof(*tally->done));
	if (!tally->done)
		return -ENOMEM;
	void *counters = mmap(NULL, len * sizeof(struct khien_counter),
			      PROT_READ, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED) {
		int r = -errno;
		tally_close(tally);
		return r;
	}
	tally->counters = counters;
	return 0;
}

void
tally_close(struct tally *tally)
{
	if (tally->counters)
		(void)munmap((void *)(uintptr_t)tally->counters,
			     tally->len * sizeof(struct khien_counter));
	free(tally->done);
	*tally = (struct tally){ 0 };
}

static size_t
index_of(uint16_t class, uint32_t cpu)
{
	return (size_t)cpu * KHIEN_CLASSES + class - 1;
}

int
tally_check(const struct tally *tally, uint16_t class, uint32_t cpu,
	    uint64_t sequence, uint64_t *ret_missing)
{
	if (class < 1 || class > KHIEN_CLASSES ||
	    index_of(class, cpu) >= tally->len || sequence == 0)
		return -EBADMSG;
	uint64_t seen = tally->seen[index_of(class, cpu)];
	if (sequence <= seen)
		return -EALREADY;
	*ret_missing = sequence - seen - 1;
	return 0;
}

void
tally_set(struct tally *tally, uint16_t class, uint32_t cpu, uint64_t sequence)
{
	tally->seen[index_of(class, cpu)] = sequence;
}

void
tally_look(struct tally *tally)
{
	for (size_t i = 0; i < tally->len; i++)
		tally->done[i] = __atomic_load_n(&tally->counters[i].sequence,
						 __ATOMIC_ACQUIRE);
}

bool
tally_next(const struct tally *tally, uint16_t *ret_class, uint32_t *ret_cpu,
	   uint64_t *ret_sequence, uint64_t *ret_missing)
{
	for (size_t i = 0; i < tally->len; i++) {
		if (tally->done[i] <= tally->seen[i])
			continue;
		*ret_class = (uint16_t)(i % KHIEN_CLASSES + 1);
		*ret_cpu = (uint32_t)(i / KHIEN_CLASSES);
		*ret_sequence = tally->done[i];
		*ret_missing = tally->done[i] - tally->seen[i];
		return true;
	}
	return false;
}

uint64_t
tally_lost(const struct tally *tally, uint16_t class)
{
	uint64_t sum = 0;

	for (size_t i = class - 1u; i < tally->len; i += KHIEN_CLASSES)
		sum += __atomic_load_n(&tally->counters[i].lost,
				       __ATOMIC_RELAXED);
	return sum;
}

uint64_t
tally_total(const struct tally *tally, uint16_t class)
{
	uint64_t sum = 0;

	for (size_t i = class - 1u; i < tally->len; i += KHIEN_CLASSES)
		sum += __atomic_load_n(&tally->counters[i].sequence,
				       __ATOMIC_RELAXED) -
		       tally->base;
	return sum;
}
