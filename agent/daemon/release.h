/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an update stands, and what is to be done next: one question at a time
 * to khien-verify, a trial of what it staged, then scanners are replaced and
 * watched.  Pure; update.c has the processes.
 *
 *	idle -> asking -> idle			nothing was staged
 *		      -> trying -> settling -> idle
 *	idle -> settling -> idle		taking back
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/msg_update.h"

#define RELEASE_WATCH_MS 600000 /* from activation on */
#define RELEASE_DEATHS 3	/* of scanners in that time: it is bad */
#define RELEASE_RETRY_MS 30000	/* taking back failed: once more */
#define RELEASE_UNKNOWN UINT64_MAX

enum release_at {
	RELEASE_IDLE = 0,
	RELEASE_ASKING,	  /* `kind` came from a client */
	RELEASE_TRYING,	  /* `staged` is on trial */
	RELEASE_SETTLING, /* `kind` is our own: activate, refuse, take back */
};

struct release {
	enum release_at at;
	uint16_t kind;	  /* enum msg_update_kind: asked of khien-verify */
	uint64_t staged;  /* on trial, or what is settled */
	uint64_t active;  /* as khien-verify said last */
	uint64_t loaded;  /* what scanners read, as far as we know */
	uint64_t watched; /* 0: none */
	uint64_t watch_end_ms;
	uint32_t deaths;
	uint64_t bad;			     /* to be taken back; 0: none */
	uint64_t bad_from_ms;		     /* not before */
	char why[MSG_UPDATE_REASON_MAX + 1]; /* `staged` is refused */
	char bad_why[MSG_UPDATE_REASON_MAX + 1];
};

/* What is left to the caller after something happened. */
enum release_do {
	RELEASE_NOTHING = 0,
	RELEASE_GO_ON,	 /* there is a next step of the same update */
	RELEASE_REPLACE, /* scanners, as other rules are in force; idle now */
	RELEASE_END,	 /* idle now */
};

void release_init(struct release *release);

/* A client's question.  False: something is under way. */
bool release_ask(struct release *release, uint16_t kind);

/*
 * khien-verify answered what it was asked.  wall_s is the time of day: a
 * release that was activated less than RELEASE_WATCH_MS ago is watched although
 * it was done before our time.
 */
enum release_do release_answered(struct release *release,
				 const struct msg_updated *updated,
				 uint64_t wall_s, uint64_t now_ms);

/* It ended without an answer. */
enum release_do release_unanswered(struct release *release, uint64_t now_ms);

/*
 * The trial is over: `why` is "" or what is wrong with the release.  Nothing is
 * settled when the one in force is to be taken back first.
 */
enum release_do release_tried(struct release *release, const char *why);

/* A scanner died of itself. */
void release_died(struct release *release, uint64_t now_ms);

/* The engine says that it is bad; nothing when it is not active. */
void release_condemn(struct release *release, uint64_t number, const char *why,
		     uint64_t now_ms);

/* True when idle, and what is to be taken back is due: settling now. */
bool release_next(struct release *release, uint64_t now_ms);

/* When release_next() should be asked; UINT64_MAX: need not be. */
uint64_t release_due_ms(const struct release *release);
