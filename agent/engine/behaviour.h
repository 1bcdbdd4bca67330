/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is alarming by itself, whatever the rules say of files: events that
 * hardly any honest program causes.  Pure: an event and what is known of those
 * it is about in, a decision out.
 *
 * What a build, an installed package or a debugger of one's own does must not
 * be here: each rule says whom it lets pass, and why.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;

#define BEHAVIOUR_TYPES 4
#define BEHAVIOUR_RULESET "behaviour"

struct behaviour {
	const char *name; /* stays, as does the id */
	const char *id;	  /* UUID */
	const char *description;
	const char *severity; /* a word of msg_severity_name() */
	const char *attack;   /* technique ids, separated by space */
	/* Each of these events alone can raise it; 0 ends them. */
	uint16_t types[BEHAVIOUR_TYPES];
};

/* Beside the event: what the tree knows. */
struct behaviour_scene {
	const char *executable; /* whose process it was; "": not known */
	const char *comm;
	bool target_known; /* what follows is */
	bool target_own;   /* it descends from the process */
	uint32_t target_uid, target_euid;
	uint64_t target_caps; /* 0: none, or not known */
};

/* Number i; NULL behind the last. */
const struct behaviour *behaviour_get(size_t i);

/*
 * Calls fn with each and the events that it needs: when none of these arrives,
 * it cannot fire.
 */
void behaviour_each(void (*fn)(void *arg, const struct behaviour *behaviour),
		    void *arg);

/* Whether any could be raised by events of that type. */
bool behaviour_knows(uint16_t type);

/* NULL: nothing alarming. */
const struct behaviour *behaviour_judge(const struct event *event,
					const struct behaviour_scene *scene);

/*
 * More than the rule's own description, of what differs from one event to the
 * next.  False: there is no more.
 */
bool behaviour_describe(const struct event *event, char *dst, size_t size);
