/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/acts.h"

#include <assert.h>
#include <linux/types.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/khien_abi.h"

#define NONE (-1)
#if defined(__x86_64__)
#define COMPAT(i386) (i386) /* the numbers of asm/unistd_32.h */
#else
#define COMPAT(i386) NONE /* arm has numbers of its own */
#endif

struct line {
	uint8_t act;
	int16_t number; /* NONE: only 32-bit programs have it */
	int16_t compat; /* of a 32-bit program; NONE: has not got it */
};

static const struct line lines[] = {
	{ KHIEN_ACT_UID, SYS_setuid, COMPAT(213) },
	{ KHIEN_ACT_UID, SYS_setreuid, COMPAT(203) },
	{ KHIEN_ACT_UID, SYS_setresuid, COMPAT(208) },
	{ KHIEN_ACT_UID, SYS_setfsuid, COMPAT(215) },
	{ KHIEN_ACT_GID, SYS_setgid, COMPAT(214) },
	{ KHIEN_ACT_GID, SYS_setregid, COMPAT(204) },
	{ KHIEN_ACT_GID, SYS_setresgid, COMPAT(210) },
	{ KHIEN_ACT_GID, SYS_setfsgid, COMPAT(216) },
	/* Those with identities of 16 bits. */
	{ KHIEN_ACT_UID, NONE, COMPAT(23) },
	{ KHIEN_ACT_UID, NONE, COMPAT(70) },
	{ KHIEN_ACT_UID, NONE, COMPAT(164) },
	{ KHIEN_ACT_UID, NONE, COMPAT(138) },
	{ KHIEN_ACT_GID, NONE, COMPAT(46) },
	{ KHIEN_ACT_GID, NONE, COMPAT(71) },
	{ KHIEN_ACT_GID, NONE, COMPAT(170) },
	{ KHIEN_ACT_GID, NONE, COMPAT(139) },
	{ KHIEN_ACT_CAPS, SYS_capset, COMPAT(185) },
	{ KHIEN_ACT_UNSHARE, SYS_unshare, COMPAT(310) },
	{ KHIEN_ACT_SETNS, SYS_setns, COMPAT(346) },
	{ KHIEN_ACT_PTRACE, SYS_ptrace, COMPAT(26) },
	{ KHIEN_ACT_VM_WRITE, SYS_process_vm_writev, COMPAT(348) },
	{ KHIEN_ACT_OPEN, SYS_openat, COMPAT(295) },
	{ KHIEN_ACT_OPEN, SYS_openat2, COMPAT(437) },
#ifdef SYS_open
	{ KHIEN_ACT_OPEN, SYS_open, COMPAT(5) },
	{ KHIEN_ACT_OPEN, SYS_creat, COMPAT(8) },
#endif
	{ KHIEN_ACT_MEMFD, SYS_memfd_create, COMPAT(356) },
	{ KHIEN_ACT_MMAP, SYS_mmap, COMPAT(192) },
	{ KHIEN_ACT_OLD_MMAP, NONE, COMPAT(90) },
	{ KHIEN_ACT_MPROTECT, SYS_mprotect, COMPAT(125) },
	{ KHIEN_ACT_MPROTECT, SYS_pkey_mprotect, COMPAT(380) },
	{ KHIEN_ACT_INIT_MODULE, SYS_init_module, COMPAT(128) },
	{ KHIEN_ACT_FINIT_MODULE, SYS_finit_module, COMPAT(350) },
	{ KHIEN_ACT_DELETE_MODULE, SYS_delete_module, COMPAT(129) },
	{ KHIEN_ACT_BPF, SYS_bpf, COMPAT(357) },
	{ KHIEN_ACT_CHROOT, SYS_chroot, COMPAT(61) },
	{ KHIEN_ACT_PIVOT_ROOT, SYS_pivot_root, COMPAT(217) },
};

static void
put(uint8_t *half, uint8_t *kinds, uint8_t kind, int number, uint8_t act)
{
	if (number == NONE)
		return;
	assert(number < KHIEN_CALLS);
	half[number] = act;
	kinds[number] |= kind;
}

void
acts_fill(uint8_t *acts, uint8_t *kinds)
{
	memset(acts, 0, (size_t)2 * KHIEN_CALLS);
	memset(kinds, 0, KHIEN_CALLS);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *line = &lines[i];
		put(acts, kinds, KHIEN_CALLS_NATIVE, line->number, line->act);
		put(acts + KHIEN_CALLS, kinds, KHIEN_CALLS_COMPAT, line->compat,
		    line->act);
	}
}

static void
pass(struct khien_call *half, uint8_t *kinds, uint8_t kind, int number)
{
	if (number == NONE || half[number].type)
		return;
	half[number].type = KHIEN_PASSED;
	kinds[number] |= kind;
}

void
acts_pass(struct khien_call *calls, uint8_t *kinds)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		pass(calls, kinds, KHIEN_CALLS_NATIVE, lines[i].number);
		pass(calls + KHIEN_CALLS, kinds, KHIEN_CALLS_COMPAT,
		     lines[i].compat);
	}
}
