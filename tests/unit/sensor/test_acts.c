/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Without <sys/syscall.h>: the numbers here are those of 32-bit programs. */
#include "agent/sensor/acts.h"

#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#if defined(__x86_64__)
#include <asm/unistd_32.h>
#endif

#include "kernel/khien_abi.h"

static uint8_t acts[2 * KHIEN_CALLS], kinds[KHIEN_CALLS];

static void
test_both_halves_are_as_their_bytes_say(void **state)
{
	bool seen[256] = { false };

	(void)state;
	acts_fill(acts, kinds);
	for (size_t i = 0; i < KHIEN_CALLS; i++) {
		assert_int_equal(acts[i] != 0,
				 (kinds[i] & KHIEN_CALLS_NATIVE) != 0);
		assert_int_equal(acts[KHIEN_CALLS + i] != 0,
				 (kinds[i] & KHIEN_CALLS_COMPAT) != 0);
		seen[acts[i]] = true;
	}
	for (int act = KHIEN_ACT_UID; act <= KHIEN_ACT_PIVOT_ROOT; act++)
		assert_int_equal(seen[act], act != KHIEN_ACT_OLD_MMAP);
}

#if defined(__x86_64__)
/* One that is missing here would be a change that no call explains. */
static void
test_numbers_of_i386(void **state)
{
	static const struct {
		int number;
		uint8_t act;
	} cases[] = {
		{ __NR_setuid, KHIEN_ACT_UID },
		{ __NR_setuid32, KHIEN_ACT_UID },
		{ __NR_setreuid, KHIEN_ACT_UID },
		{ __NR_setreuid32, KHIEN_ACT_UID },
		{ __NR_setresuid, KHIEN_ACT_UID },
		{ __NR_setresuid32, KHIEN_ACT_UID },
		{ __NR_setfsuid, KHIEN_ACT_UID },
		{ __NR_setfsuid32, KHIEN_ACT_UID },
		{ __NR_setgid, KHIEN_ACT_GID },
		{ __NR_setgid32, KHIEN_ACT_GID },
		{ __NR_setregid, KHIEN_ACT_GID },
		{ __NR_setregid32, KHIEN_ACT_GID },
		{ __NR_setresgid, KHIEN_ACT_GID },
		{ __NR_setresgid32, KHIEN_ACT_GID },
		{ __NR_setfsgid, KHIEN_ACT_GID },
		{ __NR_setfsgid32, KHIEN_ACT_GID },
		{ __NR_capset, KHIEN_ACT_CAPS },
		{ __NR_unshare, KHIEN_ACT_UNSHARE },
		{ __NR_setns, KHIEN_ACT_SETNS },
		{ __NR_ptrace, KHIEN_ACT_PTRACE },
		{ __NR_process_vm_writev, KHIEN_ACT_VM_WRITE },
		{ __NR_open, KHIEN_ACT_OPEN },
		{ __NR_openat, KHIEN_ACT_OPEN },
		{ __NR_openat2, KHIEN_ACT_OPEN },
		{ __NR_creat, KHIEN_ACT_OPEN },
		{ __NR_memfd_create, KHIEN_ACT_MEMFD },
		{ __NR_mmap, KHIEN_ACT_OLD_MMAP },
		{ __NR_mmap2, KHIEN_ACT_MMAP },
		{ __NR_mprotect, KHIEN_ACT_MPROTECT },
		{ __NR_pkey_mprotect, KHIEN_ACT_MPROTECT },
		{ __NR_init_module, KHIEN_ACT_INIT_MODULE },
		{ __NR_finit_module, KHIEN_ACT_FINIT_MODULE },
		{ __NR_delete_module, KHIEN_ACT_DELETE_MODULE },
		{ __NR_bpf, KHIEN_ACT_BPF },
		{ __NR_chroot, KHIEN_ACT_CHROOT },
		{ __NR_pivot_root, KHIEN_ACT_PIVOT_ROOT },
	};
	size_t len = sizeof(cases) / sizeof(cases[0]), there = 0;

	(void)state;
	acts_fill(acts, kinds);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(acts[KHIEN_CALLS + cases[i].number],
				 cases[i].act);
	for (size_t i = 0; i < KHIEN_CALLS; i++)
		there += acts[KHIEN_CALLS + i] != 0;
	assert_int_equal(there, len);
}
#endif

/* What the table of files has stays there, and its bytes with it. */
static void
test_passed(void **state)
{
	static struct khien_call calls[2 * KHIEN_CALLS];
	static uint8_t file_kinds[KHIEN_CALLS];

	(void)state;
	acts_fill(acts, kinds);
	for (size_t i = 0; i < KHIEN_CALLS; i++)
		if (acts[i] == KHIEN_ACT_OPEN)
			calls[i].type = KHIEN_OPEN;
	acts_pass(calls, file_kinds);
	for (size_t i = 0; i < KHIEN_CALLS; i++) {
		uint8_t type = acts[i] ? KHIEN_PASSED : 0;
		if (acts[i] == KHIEN_ACT_OPEN)
			type = KHIEN_OPEN;
		assert_int_equal(calls[i].type, type);
		assert_int_equal((file_kinds[i] & KHIEN_CALLS_NATIVE) != 0,
				 type == KHIEN_PASSED);
		assert_int_equal((file_kinds[i] & KHIEN_CALLS_COMPAT) != 0,
				 acts[KHIEN_CALLS + i] != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_halves_are_as_their_bytes_say),
#if defined(__x86_64__)
		cmocka_unit_test(test_numbers_of_i386),
#endif
		cmocka_unit_test(test_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
