/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages about releases of rules; msg.h says how a message begins and ends.
 *
 *   khienctl -> engine -> khiend -> verify   MSG_UPDATE
 *   verify -> khiend -> engine               MSG_UPDATED
 *   verify -> fetch and back                 MSG_FETCH, MSG_FETCHED
 *   scan -> khiend                           MSG_TRIAL
 *
 * Each get returns 0, or -EBADMSG when anything is out of its bounds.  Texts
 * lie in the message that was read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define MSG_UPDATE_NUMBER_MAX (1ULL << 53) /* of a release: as JSON has it */
#define MSG_UPDATE_REASON_MAX 1023	   /* bytes of a sentence */
#define MSG_UPDATE_NAME_MAX 63		   /* bytes of a role's name */
#define MSG_UPDATE_PATH_MAX 511		   /* bytes of what is to be fetched */
#define MSG_UPDATE_MIRROR_MAX 4095	   /* bytes of a mirror's address */

enum msg_update_kind {
	MSG_UPDATE_CHECK = 1, /* what is there; changes metadata alone */
	MSG_UPDATE_NOW,	      /* bring and stage what is due */
	MSG_UPDATE_IMPORT,    /* the same out of a file (fd attached) */
	MSG_UPDATE_ACTIVATE,  /* `number` passed its trial */
	MSG_UPDATE_TAKE_BACK, /* active `number` is bad, for `reason` */
	MSG_UPDATE_STATUS,    /* what the last answer was, anew */
	MSG_UPDATE_REFUSE,    /* staged `number` is bad, for `reason` */
};

/*
 * MSG_UPDATE (fd attached when its kind is MSG_UPDATE_IMPORT).
 *
 * khien-verify lives for one of these.  khiend gives it, before MSG_READY: the
 * configuration; under the name "update" an O_PATH descriptor of
 * state_dir/update, which is its own; and for MSG_UPDATE_CHECK and _NOW, when
 * there is an [update] url, a link to khien-fetch, which lives as long.  Then
 * comes the message.  It answers with one MSG_UPDATED without `more`, and with
 * one that has it at least every 60 s before: after 300 s of silence it is
 * killed, as it is half an hour after its start.  When it has answered it is
 * hung up on, and has 2 s to end.
 *
 * A release is staged when it stands in releases/ under its number, whole.
 */
struct msg_update {
	uint64_t id;	    /* the answer carries the same */
	uint16_t kind;	    /* enum msg_update_kind */
	uint64_t number;    /* never 0 where the kind above names it, else 0 */
	const char *reason; /* "" where the kind above does not name it */
};
void msg_update_put(struct buf *buf, const struct msg_update *update);
int msg_update_get(struct buf *buf, struct msg_update *ret_update);

enum msg_update_alarm {
	MSG_UPDATE_FINE = 0,
	MSG_UPDATE_CLOCK,   /* the clock is behind what was signed already */
	MSG_UPDATE_FREEZE,  /* nothing new although something must be */
	MSG_UPDATE_EXPIRED, /* and clock and freeze cannot be told apart */
	MSG_UPDATE_HALF,    /* half of its life is over */
	MSG_UPDATE_FIFTH,   /* four fifths of its life are over */
};

/*
 * MSG_UPDATED.  Numbers of releases and times (seconds since 1970) are 0 where
 * there is none.  One with `more` is a sign of life: of it only kind, requests,
 * bytes and note count, and another follows.
 */
struct msg_updated {
	uint64_t id;   /* of the question */
	uint16_t kind; /* enum msg_update_kind */
	bool more;     /* not the answer yet */
	uint64_t active, previous;
	uint64_t staged;      /* to be tried, and then activated or refused */
	uint64_t newest;      /* in the index */
	uint64_t waiting;     /* the newest that waits for its wave */
	uint64_t bad;	      /* the newest remembered as bad */
	uint64_t activated_s; /* since when `active` is */
	uint64_t wave_s;      /* when the wave of `waiting` begins */
	uint64_t issued_s, expires_s; /* of the role that ends first */
	const char *role;	      /* its name, or "" */
	uint64_t checked_s; /* metadata was last found good and current */
	uint64_t floor_s;   /* the newest time ever verified */
	uint16_t alarm;	    /* enum msg_update_alarm */
	uint32_t requests;  /* made of mirrors for this answer */
	uint64_t bytes;	    /* received for this answer */
	const char *error;  /* what failed, where, what to do; "" nothing did */
	const char *note;   /* what else is worth saying, or "" */
	const char *bad_reason; /* of `bad` */
};
void msg_update_put_state(struct buf *buf, const struct msg_updated *updated);
int msg_update_get_state(struct buf *buf, struct msg_updated *ret_updated);

enum msg_fetch_what {
	MSG_FETCH_METADATA = 1,
	MSG_FETCH_TARGET,
};

/* MSG_FETCH (fd attached: an empty file to be written to). */
struct msg_fetch {
	uint64_t id;	   /* the answer carries the same */
	uint16_t what;	   /* enum msg_fetch_what */
	const char *path;  /* as the mirror has it, beneath the folder of its
			      kind: no leading '/', never "" */
	uint64_t size_max; /* bytes; never 0 */
	uint32_t from;	   /* the mirror to begin with, 0 the first: those
			      before it gave what was bad, or lack what must
			      be there */
};
void msg_update_put_fetch(struct buf *buf, const struct msg_fetch *fetch);
int msg_update_get_fetch(struct buf *buf, struct msg_fetch *ret_fetch);

/*
 * MSG_FETCHED.  What was written is hostile, and may still change.  When it is
 * bad, ask again with `from` above `index`.  ENOENT: of metadata, the mirror
 * that answered has no such file, and those behind it were not asked; of a
 * target, no mirror has it.  ENXIO: there is no mirror from `from` on.
 */
struct msg_fetched {
	uint64_t id;
	uint32_t error;	    /* 0 or errno */
	uint64_t size;	    /* written */
	uint64_t date_s;    /* the mirror's clock, or 0 */
	const char *mirror; /* whose answer it is, or "" */
	const char *reason; /* of an error; "" when there is none */
	uint32_t index;	    /* of `mirror`; else of the last that was asked */
};
void msg_update_put_fetched(struct buf *buf, const struct msg_fetched *fetched);
int msg_update_get_fetched(struct buf *buf, struct msg_fetched *ret_fetched);

/* khien-scan under this index tries a release, and is linked to nobody. */
#define MSG_TRIAL_INDEX 64

/*
 * MSG_TRIAL.  khiend says which release by a MSG_UPDATE_ACTIVATE, right behind
 * MSG_READY.  A release that ends its trial without an answer did badly.
 */
struct msg_trial {
	bool ok;
	uint32_t rules;	  /* compiled */
	uint32_t vectors; /* that matched what they must */
	uint32_t samples; /* good files of this machine that did not match */
	const char *why;  /* names rule and file; "" when ok */
};
void msg_update_put_trial(struct buf *buf, const struct msg_trial *trial);
int msg_update_get_trial(struct buf *buf, struct msg_trial *ret_trial);
