/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file as it comes from a mirror: bounded while it comes, compared with
 * what is signed of it, and gone unless it is whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct folder;
struct hashes;
struct intake;
struct reason;

/* Each returns NULL for want of memory. */

/* Nothing is known of it but its bound. */
struct intake *intake_to_memory(size_t size_max);
/*
 * A target: into memory, or as the file being written in `folder`, which the
 * caller ends or drops.  Hashes and folder are borrowed.
 */
struct intake *intake_to_target(const struct hashes *hashes,
				struct folder *folder);
void intake_free(struct intake *intake);
void intake_freep(struct intake **intake);

size_t intake_size_max(const struct intake *intake);

/*
 * For struct client_sink; arg is the intake.  Returns 0; -EFBIG; -ENOMEM;
 * errors of the folder.  After an error it only fails, until it begins anew.
 */
int intake_add(void *arg, const void *bytes, size_t len);
int intake_restart(void *arg);
bool intake_failed(const struct intake *intake);

/*
 * Once nothing more comes.  Returns 0; what intake_add() returned below 0;
 * -EBADE when it is not what was signed.
 */
int intake_end(struct intake *intake, struct reason *why);

/* The bytes, once they have ended well: the caller's, to be freed with free();
   never NULL. */
uint8_t *intake_take(struct intake *intake, size_t *ret_len);
