/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found in files that were denied, so that who executes one of them
 * again and again does not have it scanned each time.  A table of fixed size;
 * the entry that was longest not asked for makes room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct denied;
struct ident;
struct msg_verdict;

/* Files at once. */
#define DENIED_MAX 64
/* Bytes of a verdict: some ten rules with their descriptions. */
#define DENIED_SIZE 4096
/* So often the file itself goes along, for who is to act. */
#define DENIED_LEAD_MS 1000

/* NULL: no memory. */
struct denied *denied_new(void);
void denied_free(struct denied *denied);

/*
 * Copies the verdict on the file, which is told with it at now_ns; but not one
 * that is longer than DENIED_SIZE.
 */
void denied_add(struct denied *denied, const struct ident *ident,
		uint32_t generation, uint64_t now_ns,
		const struct msg_verdict *verdict);

/*
 * The verdict on exactly this content under the rules of that generation; its
 * texts are borrowed until the next call.  `*ret_leads`: the file is to be told
 * with it, as it was not in the last DENIED_LEAD_MS.
 */
bool denied_find(struct denied *denied, const struct ident *ident,
		 uint32_t generation, uint64_t now_ns,
		 struct msg_verdict *ret_verdict, bool *ret_leads);

/* The file was closed after writing. */
void denied_forget(struct denied *denied, const struct ident *ident);
void denied_clear(struct denied *denied);
