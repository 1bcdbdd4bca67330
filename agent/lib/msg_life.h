/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages by which the agent sees that it is at work, and what it costs;
 * msg.h says how a message begins and ends.
 *
 *   engine -> khiend and back   MSG_PROVE, MSG_PROVED
 *   gate -> engine              MSG_SCANS
 *
 * Each get returns 0, or -EBADMSG when anything is out of its bounds.  Texts
 * lie in the message that was read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define MSG_LIFE_NONCE 32 /* hexadecimal digits, in lower case */
#define MSG_LIFE_ERROR_MAX 255
/* What khien-proof writes is <state_dir>/proof/khien-proof-<nonce>. */
#define MSG_LIFE_FOLDER "proof"
#define MSG_LIFE_FILE "khien-proof-"

/* Whether that is a nonce and nothing else. */
bool msg_life_is_nonce(const char *text);

/*
 * MSG_PROVE: khiend has khien-proof run, with the nonce as its only argument
 * and in the file that it writes.  One at a time.
 */
void msg_life_put_prove(struct buf *buf, const char *nonce);
int msg_life_get_prove(struct buf *buf, const char **ret_nonce);

/* MSG_PROVED: it has ended. */
struct msg_proved {
	const char *nonce;
	const char *error; /* "": its file is written; else why not */
};
void msg_life_put_proved(struct buf *buf, const struct msg_proved *proved);
int msg_life_get_proved(struct buf *buf, struct msg_proved *ret_proved);

/*
 * MSG_SCANS: entries up to the end of the message.  An entry with a path is a
 * scan; one without is what a process asked without any scan.
 */
struct msg_scans {
	uint64_t boot_ns;   /* of the question, or of the last */
	uint32_t pid;	    /* thread group that asked; 0: nobody did */
	uint32_t questions; /* for which somebody waited */
	uint32_t us;	    /* that a scanner had the file */
	const char *path;   /* "": no scan */
};
/* Bytes of an entry with a path of that length. */
size_t msg_life_scans_size(size_t path_len);
void msg_life_put_scans(struct buf *buf, const struct msg_scans *scans);
/* Returns 1 and an entry, 0 at the end, -EBADMSG. */
int msg_life_get_scans(struct buf *buf, struct msg_scans *ret_scans);
