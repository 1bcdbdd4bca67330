/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.json: what is known of releases from one run to the next.  Which
 * release is in force is said by the link `current` alone; what stands here of
 * it follows that (see activate.h).
 *
 * A file that is damaged or of a later version is set aside, and what can be
 * found out without it is: the floor of time comes back with the next refresh.
 * What is lost is which releases were bad.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct folder;
struct reason;

#define RECORD_FILE "state.json"
#define RECORD_ASIDE "state.json.aside"
/* Remembered as bad: those with the highest numbers. */
#define RECORD_BAD_MAX 32
#define RECORD_REASON_MAX 512 /* with its NUL */
/* The four, the channel and sixteen bins, and some. */
#define RECORD_ROLES_MAX 32
#define RECORD_ROLE_MAX 64 /* MSG_UPDATE_NAME_MAX, and a NUL */
#define RECORD_SIZE_MAX (256 * 1024)

struct record_bad {
	int64_t number;
	char reason[RECORD_REASON_MAX];
};

struct record_role {
	char name[RECORD_ROLE_MAX];
	int64_t issued_s, expires_s;
};

/* Numbers of releases and times: 0 where there is none. */
struct record {
	int64_t active, previous, staged;
	int64_t activated_s;
	/* In the index, when that was last read: */
	int64_t newest, waiting;
	int64_t wave_s;	   /* when the wave of `waiting` begins */
	int64_t floor_s;   /* see clock.h */
	int64_t checked_s; /* metadata was last found good and current */
	bool expired;	   /* the last refresh found something too old */
	struct record_bad bad[RECORD_BAD_MAX];
	size_t bad_len;
	struct record_role roles[RECORD_ROLES_MAX];
	size_t roles_len;
};

/* Of text: 0; -EBADMSG; -EPROTONOSUPPORT of a later version; -ENOMEM. */
int record_parse(const char *text, size_t len, struct record *ret_record,
		 struct reason *why);
/* To be freed with free(); NULL: no memory. */
char *record_text(const struct record *record);

/*
 * From the folder of updates.  Returns 0, also when there is none, and 1 when
 * it was set aside, and why; -errno.
 */
int record_load(struct folder *folder, struct record *ret_record,
		struct reason *why);
/* Whole or not at all.  Returns 0 or -errno and why. */
int record_save(struct folder *folder, const struct record *record,
		struct reason *why);

/* NULL: it is not remembered as bad. */
const struct record_bad *record_find_bad(const struct record *record,
					 int64_t number);
/* The reason is cut where it does not fit. */
void record_add_bad(struct record *record, int64_t number, const char *reason);
/* The highest number; NULL: there is none. */
const struct record_bad *record_newest_bad(const struct record *record);

/* What is too much is left out. */
void record_add_role(struct record *record, const char *name, int64_t issued_s,
		     int64_t expires_s);
