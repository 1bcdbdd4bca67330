/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/spell.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/event.h"
#include "agent/lib/str.h"

/* Numbers that are the same on all machines: see the kernel's uapi headers. */
struct word {
	uint64_t value;
	const char *name;
};

static const struct word requests[] = {
	{ 0, "PTRACE_TRACEME" },
	{ 1, "PTRACE_PEEKTEXT" },
	{ 2, "PTRACE_PEEKDATA" },
	{ 3, "PTRACE_PEEKUSER" },
	{ 4, "PTRACE_POKETEXT" },
	{ 5, "PTRACE_POKEDATA" },
	{ 6, "PTRACE_POKEUSER" },
	{ 7, "PTRACE_CONT" },
	{ 8, "PTRACE_KILL" },
	{ 9, "PTRACE_SINGLESTEP" },
	{ 12, "PTRACE_GETREGS" },
	{ 13, "PTRACE_SETREGS" },
	{ 14, "PTRACE_GETFPREGS" },
	{ 15, "PTRACE_SETFPREGS" },
	{ 16, "PTRACE_ATTACH" },
	{ 17, "PTRACE_DETACH" },
	{ 19, "PTRACE_SETFPXREGS" },
	{ 24, "PTRACE_SYSCALL" },
	{ 0x4203, "PTRACE_SETSIGINFO" },
	{ 0x4204, "PTRACE_GETREGSET" },
	{ 0x4205, "PTRACE_SETREGSET" },
	{ 0x4206, "PTRACE_SEIZE" },
	{ 0x4207, "PTRACE_INTERRUPT" },
	{ 0x420b, "PTRACE_SETSIGMASK" },
	{ 0x4212, "PTRACE_SET_SYSCALL_INFO" },
	{ 0, NULL },
};

static const struct word protections[] = {
	{ 1, "PROT_READ" },
	{ 2, "PROT_WRITE" },
	{ 4, "PROT_EXEC" },
	{ 0, NULL },
};

static const struct word clones[] = {
	{ 0x80, "CLONE_NEWTIME" },	 { 0x200, "CLONE_FS" },
	{ 0x400, "CLONE_FILES" },	 { 0x20000, "CLONE_NEWNS" },
	{ 0x40000, "CLONE_SYSVSEM" },	 { 0x2000000, "CLONE_NEWCGROUP" },
	{ 0x4000000, "CLONE_NEWUTS" },	 { 0x8000000, "CLONE_NEWIPC" },
	{ 0x10000000, "CLONE_NEWUSER" }, { 0x20000000, "CLONE_NEWPID" },
	{ 0x40000000, "CLONE_NEWNET" },	 { 0, NULL },
};

static const struct word memories[] = {
	{ 1, "MFD_CLOEXEC" }, { 2, "MFD_ALLOW_SEALING" },
	{ 4, "MFD_HUGETLB" }, { 8, "MFD_NOEXEC_SEAL" },
	{ 16, "MFD_EXEC" },   { 0, NULL },
};

/* Beside the access mode; the rest differs between machines. */
static const struct word opens[] = {
	{ 0x400, "O_APPEND" },
	{ 0x800, "O_NONBLOCK" },
	{ 0x8000, "O_LARGEFILE" },
	{ 0x80000, "O_CLOEXEC" },
	{ 0, NULL },
};

static const char *const programs[] = {
	"UNSPEC",
	"SOCKET_FILTER",
	"KPROBE",
	"SCHED_CLS",
	"SCHED_ACT",
	"TRACEPOINT",
	"XDP",
	"PERF_EVENT",
	"CGROUP_SKB",
	"CGROUP_SOCK",
	"LWT_IN",
	"LWT_OUT",
	"LWT_XMIT",
	"SOCK_OPS",
	"SK_SKB",
	"CGROUP_DEVICE",
	"SK_MSG",
	"RAW_TRACEPOINT",
	"CGROUP_SOCK_ADDR",
	"LWT_SEG6LOCAL",
	"LIRC_MODE2",
	"SK_REUSEPORT",
	"FLOW_DISSECTOR",
	"CGROUP_SYSCTL",
	"RAW_TRACEPOINT_WRITABLE",
	"CGROUP_SOCKOPT",
	"TRACING",
	"STRUCT_OPS",
	"EXT",
	"LSM",
	"SK_LOOKUP",
	"SYSCALL",
	"NETFILTER",
};

#define PROGRAMS_LEN (sizeof(programs) / sizeof(programs[0]))

static const struct word questions[] = {
	{ 1, "A" },	  { 2, "NS" },	   { 5, "CNAME" },  { 6, "SOA" },
	{ 10, "NULL" },	  { 12, "PTR" },   { 13, "HINFO" }, { 15, "MX" },
	{ 16, "TXT" },	  { 25, "KEY" },   { 28, "AAAA" },  { 29, "LOC" },
	{ 33, "SRV" },	  { 35, "NAPTR" }, { 37, "CERT" },  { 39, "DNAME" },
	{ 43, "DS" },	  { 44, "SSHFP" }, { 46, "RRSIG" }, { 47, "NSEC" },
	{ 48, "DNSKEY" }, { 50, "NSEC3" }, { 52, "TLSA" },  { 64, "SVCB" },
	{ 65, "HTTPS" },  { 249, "TKEY" }, { 250, "TSIG" }, { 251, "IXFR" },
	{ 252, "AXFR" },  { 255, "ANY" },  { 257, "CAA" },  { 0, NULL },
};

static const struct word transports[] = {
	{ 1, "icmp" },	 { 6, "tcp" },	     { 17, "udp" },
	{ 33, "dccp" },	 { 47, "gre" },	     { 58, "ipv6-icmp" },
	{ 132, "sctp" }, { 136, "udplite" }, { 0, NULL },
};

/* NULL when the value has none. */
static const char *
find(const struct word *words, uint64_t value)
{
	for (; words->name; words++)
		if (words->value == value)
			return words->name;
	return NULL;
}

/* Appends a word, and a bar before it when it is not the first. */
static void
add(char *dst, const char *word)
{
	size_t len = strlen(dst);

	(void)snprintf(dst + len, SPELL_SIZE - len, "%s%s", len ? "|" : "",
		       word);
}

/* The bits that have names, and what is left. */
static void
add_bits(char *dst, const struct word *words, uint64_t bits)
{
	char rest[24];

	for (; words->name; words++) {
		if (!(bits & words->value))
			continue;
		add(dst, words->name);
		bits &= ~words->value;
	}
	if (!bits)
		return;
	(void)snprintf(rest, sizeof(rest), "0x%" PRIx64, bits);
	add(dst, rest);
}

static void
add_open(char *dst, uint64_t flags)
{
	static const char *const modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR",
					     "O_ACCMODE" };

	add(dst, modes[flags & 3]);
	add_bits(dst, opens, flags & ~UINT64_C(3));
}

void
spell_value(char *dst, const char *type, uint64_t value)
{
	dst[0] = '\0';
	if (str_equal(type, "ptrace")) {
		const char *name = find(requests, value);
		add(dst, name ? name : "");
	} else if (str_equal(type, "bpf_load") && value < PROGRAMS_LEN) {
		(void)snprintf(dst, SPELL_SIZE, "BPF_PROG_TYPE_%s",
			       programs[value]);
	} else if (str_starts(type, "map_")) {
		add_bits(dst, protections, value);
	} else if (str_equal(type, "unshare") || str_equal(type, "setns")) {
		add_bits(dst, clones, value);
	} else if (str_equal(type, "memfd_create")) {
		add_bits(dst, memories, value);
	} else if (str_equal(type, "mem_open")) {
		add_open(dst, value);
	} else if (str_equal(type, "credentials") ||
		   str_equal(type, "escalate")) {
		const char *name = event_type_name((uint16_t)value);
		add(dst, name ? name : "");
	}
}

void
spell_question(char *dst, uint64_t type)
{
	const char *name = find(questions, type);

	if (name)
		(void)snprintf(dst, SPELL_SIZE, "%s", name);
	else
		(void)snprintf(dst, SPELL_SIZE, "%" PRIu64, type);
}

const char *
spell_transport(uint64_t protocol)
{
	const char *name = find(transports, protocol);

	return name ? name : "";
}
