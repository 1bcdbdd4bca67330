/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/reach.h"

#include <errno.h>
#include <linux/magic.h>
#include <linux/types.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/lib/conf.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"
#include "agent/sensor/probe.h"
#include "kernel/khien_abi.h"

static size_t
area_size(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct khien_reach) + page - 1) / page * page;
}

int
reach_open(struct reach *reach, int area, int stops)
{
	*reach = (struct reach){ .size = area_size() };
	void *mapped =
		mmap(NULL, reach->size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | (area < 0 ? MAP_ANONYMOUS : 0), area, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	reach->area = mapped;
	return stops < 0 ? 0 :
			   ring_open(&reach->stops, stops, PROBE_STOPS_SIZE);
}

void
reach_close(struct reach *reach)
{
	if (reach->area)
		(void)munmap(reach->area, reach->size);
	ring_close(&reach->stops);
	*reach = (struct reach){ 0 };
}

/* On 64-bit machines a cgroup's id is its folder's inode number. */
uint64_t
reach_find_scope(const char *folder)
{
	struct statfs fs;
	struct stat st;

	if (statfs(folder, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC ||
	    stat(folder, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return st.st_ino;
}

static void
set_flag(struct reach *reach, uint32_t flag, bool on)
{
	uint32_t flags = reach->area->flags & ~flag;

	__atomic_store_n(&reach->area->flags, on ? flags | flag : flags,
			 __ATOMIC_SEQ_CST);
}

static uint32_t
mode_of(const struct conf *conf)
{
	if (!str_equal(conf->mode, "enforce") ||
	    str_equal(conf->on_unreached, "allow"))
		return KHIEN_REACH_OFF;
	return str_equal(conf->on_unreached, "hold") ? KHIEN_REACH_HOLD :
						       KHIEN_REACH_KILL;
}

static void
arm(struct reach *reach)
{
	__atomic_store_n(&reach->area->mode,
			 reach->area->version ? reach->mode : KHIEN_REACH_OFF,
			 __ATOMIC_SEQ_CST);
}

void
reach_set(struct reach *reach, const struct conf *conf, uint64_t scope,
	  uint32_t khiend)
{
	struct khien_reach *area = reach->area;

	reach->mode = mode_of(conf);
	if (reach->mode == KHIEN_REACH_OFF)
		__atomic_store_n(&area->mode, KHIEN_REACH_OFF,
				 __ATOMIC_SEQ_CST);
	/* In this order nobody outside is ever taken for inside. */
	__atomic_store_n(&area->scope, scope, __ATOMIC_SEQ_CST);
	set_flag(reach, KHIEN_REACH_SCOPED, conf->scope_cgroup[0] != '\0');
	set_flag(reach, KHIEN_REACH_DENY, str_equal(conf->on_deadline, "deny"));
	__atomic_store_n(&area->khiend, khiend, __ATOMIC_SEQ_CST);
	arm(reach);
}

static void
publish_gate(struct reach *reach)
{
	__atomic_store_n(&reach->area->gate, reach->listed ? reach->gate : 0,
			 __ATOMIC_SEQ_CST);
}

void
reach_set_gate(struct reach *reach, uint32_t gate)
{
	reach->gate = gate;
	if (gate == 0)
		reach->listed = false;
	publish_gate(reach);
}

void
reach_disarm(struct reach *reach)
{
	reach->mode = KHIEN_REACH_OFF;
	arm(reach);
}

static uint32_t
kernel_device(uint64_t device)
{
	return (uint32_t)major(device) << 20 | (uint32_t)minor(device);
}

/* The half that the kernel does not read now. */
static __u64 *
next_half(const struct reach *reach)
{
	uint32_t half = (reach->area->version + 1) & 1;

	return reach->area->covers + (size_t)half * KHIEN_COVERS;
}

static bool
add(__u64 *covers, uint32_t device, uint16_t kind)
{
	uint32_t place = khien_cover_place(device);

	for (uint32_t i = 0; i < KHIEN_COVER_PROBES; i++) {
		__u64 *entry = &covers[(place + i) & (KHIEN_COVERS - 1)];
		if (*entry && *entry >> 32 != device)
			continue;
		__atomic_store_n(entry, (uint64_t)device << 32 | kind,
				 __ATOMIC_RELAXED);
		return true;
	}
	return false;
}

static uint16_t
kind_of(uint16_t kind)
{
	switch (kind) {
	case MSG_COVER_GATED:
		return KHIEN_COVER_GATED;
	case MSG_COVER_PASSED:
		return KHIEN_COVER_PASSED;
	default:
		return KHIEN_COVER_FOREIGN;
	}
}

void
reach_put(struct reach *reach, const struct msg_cover *covers, uint32_t len,
	  bool last)
{
	__u64 *half = next_half(reach);

	if (reach->list_len == 0 && reach->left_out == 0)
		memset(half, 0, KHIEN_COVERS * sizeof(*half));
	for (uint32_t i = 0; i < len; i++) {
		if (add(half, kernel_device(covers[i].device),
			kind_of(covers[i].kind)))
			reach->list_len++;
		else
			reach->left_out++;
	}
	if (!last)
		return;
	uint32_t version = reach->area->version + 1;
	/* 0 says that there is none, and the next half is the same. */
	__atomic_store_n(&reach->area->version, version ? version : 2,
			 __ATOMIC_SEQ_CST);
	set_flag(reach, KHIEN_REACH_PARTIAL, reach->left_out > 0);
	reach->list_len = reach->left_out = 0;
	reach->listed = true;
	publish_gate(reach);
	arm(reach);
}

void
reach_doubt(struct reach *reach)
{
	reach->list_len = reach->left_out = 0;
	set_flag(reach, KHIEN_REACH_PARTIAL, true);
}

bool
reach_is_wanted(const struct reach *reach)
{
	return reach->mode != KHIEN_REACH_OFF;
}

bool
reach_is_armed(const struct reach *reach)
{
	return reach->area->mode != KHIEN_REACH_OFF;
}

bool
reach_is_listed(const struct reach *reach, uint64_t device)
{
	const struct khien_reach *area = reach->area;
	const __u64 *half =
		area->covers + (size_t)(area->version & 1) * KHIEN_COVERS;
	uint32_t want = kernel_device(device);
	uint32_t place = khien_cover_place(want);

	for (uint32_t i = 0; i < KHIEN_COVER_PROBES; i++) {
		uint64_t entry = half[(place + i) & (KHIEN_COVERS - 1)];
		if (entry == 0)
			return false;
		if (entry >> 32 == want)
			return true;
	}
	return false;
}

void
reach_beat(struct reach *reach, uint64_t now_ns)
{
	__atomic_store_n(&reach->area->alive_ns, now_ns, __ATOMIC_RELAXED);
}

bool
reach_next(struct reach *reach, struct khien_stop *ret_stop)
{
	const uint8_t *bytes;
	size_t len;

	ring_look(&reach->stops);
	for (;;) {
		if (ring_peek(&reach->stops, &bytes, &len) <= 0)
			return false;
		if (len == sizeof(*ret_stop))
			break;
		ring_skip(&reach->stops, len); /* cannot be */
	}
	memcpy(ret_stop, bytes, sizeof(*ret_stop));
	return true;
}

void
reach_took(struct reach *reach)
{
	ring_skip(&reach->stops, sizeof(struct khien_stop));
	ring_release(&reach->stops);
}

void
reach_count(const struct reach *reach, uint64_t *ret_counts)
{
	const struct khien_reach *area = reach->area;

	ret_counts[0] = area ? area->killed : 0;
	ret_counts[1] = area ? area->held : 0;
	ret_counts[2] = area ? area->unheld : 0;
	ret_counts[3] = area ? area->failed : 0;
	ret_counts[4] = area ? area->followed : 0;
	ret_counts[5] = area ? area->version : 0;
}

const char *
reach_state(const struct reach *reach)
{
	const struct khien_reach *area = reach->area;

	if (!area || reach->mode == KHIEN_REACH_OFF)
		return "off";
	if (area->mode == KHIEN_REACH_OFF)
		return "waits for the list of file systems";
	if (area->flags & KHIEN_REACH_SCOPED && !area->scope)
		return "[gate] scope_cgroup is no cgroup: nobody is stopped";
	return area->mode == KHIEN_REACH_HOLD ? "hold" : "kill";
}
