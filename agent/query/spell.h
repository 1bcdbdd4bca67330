/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of the kernel's interfaces in the words of its headers.  Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SPELL_SIZE 256

/*
 * What `value` of an event of that type means: "PTRACE_POKEDATA",
 * "PROT_READ|PROT_EXEC", "CLONE_NEWUSER|CLONE_NEWNS", "BPF_PROG_TYPE_KPROBE",
 * "MFD_CLOEXEC", "O_RDWR".  Bits without a name come last, in hexadecimal.
 * dst has SPELL_SIZE bytes; "" when there are no words for it.
 */
void spell_value(char *dst, const char *type, uint64_t value);

/* "A", "AAAA", ... or the number: a DNS question's type. */
void spell_question(char *dst, uint64_t type);

/* "tcp", "udp", ... or "" for a transport protocol that has no word. */
const char *spell_transport(uint64_t protocol);
