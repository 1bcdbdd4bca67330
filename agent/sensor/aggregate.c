/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/aggregate.h"

#include <stdlib.h>
#include <string.h>

#include "agent/lib/event.h"
#include "agent/lib/str.h"
#include "agent/sensor/path.h"

#define PLACES 512 /* processes times types times places in a second */
#define BUCKETS 512
#define NONE UINT16_MAX
#define PATH_KEPT 1024 /* events with a longer path always pass */

/* What makes a place, beside process and type. */
struct key {
	const uint8_t *bytes; /* a path's directory, or a peer */
	size_t len;	      /* 0: all peers that have no place */
	bool peers;
};

struct place {
	uint64_t opened_ns;
	uint32_t seen; /* events; of all peers: how many had a place */
	uint64_t held;
	struct event event; /* key, and what the last one was like */
	size_t key_len;	    /* bytes of path, or remote, that are the key's */
	char comm[17];
	uint16_t next;	      /* in its bucket, or among the free */
	char path[PATH_KEPT]; /* the last one's; none of peers */
};

struct aggregate {
	struct place places[PLACES];
	uint16_t buckets[BUCKETS];
	uint16_t free;
	uint16_t turn;	 /* bucket to look at next for ended places */
	uint16_t *ended; /* link to the place that aggregate_next() returned */
	uint64_t held;
};

struct aggregate *
aggregate_new(void)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));

	if (!aggregate)
		return NULL;
	for (uint16_t i = 0; i < BUCKETS; i++)
		aggregate->buckets[i] = NONE;
	for (uint16_t i = 0; i < PLACES; i++)
		aggregate->places[i].next = i + 1 < PLACES ? i + 1 : NONE;
	return aggregate;
}

void
aggregate_free(struct aggregate *aggregate)
{
	free(aggregate);
}

void
aggregate_freep(struct aggregate **aggregate)
{
	aggregate_free(*aggregate);
	*aggregate = NULL;
}

/* FNV-1a over what makes a place. */
static uint16_t
bucket_of(const struct event *event, struct key key)
{
	uint64_t hash = 0xcbf29ce484222325u ^ event->pid ^
			((uint64_t)event->type << 32);

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ key.bytes[i]) * 0x100000001b3u;
	return (uint16_t)((hash ^ hash >> 32) % BUCKETS);
}

static bool
same_place(const struct place *place, const struct event *event, struct key key)
{
	const void *bytes =
		key.peers ? (const void *)place->event.remote : place->path;

	return place->event.pid == event->pid &&
	       place->event.start_ns == event->start_ns &&
	       place->event.type == event->type && place->key_len == key.len &&
	       (key.len == 0 || memcmp(bytes, key.bytes, key.len) == 0);
}

static struct place *
find_place(struct aggregate *aggregate, const struct event *event,
	   struct key key)
{
	uint16_t i = aggregate->buckets[bucket_of(event, key)];

	for (; i != NONE; i = aggregate->places[i].next)
		if (same_place(&aggregate->places[i], event, key))
			return &aggregate->places[i];
	return NULL;
}

/* NULL: there is no room. */
static struct place *
open_place(struct aggregate *aggregate, const struct event *event,
	   struct key key, uint64_t now_ns)
{
	uint16_t bucket = bucket_of(event, key);
	uint16_t i = aggregate->free;

	if (i == NONE)
		return NULL;
	struct place *place = &aggregate->places[i];
	aggregate->free = place->next;
	(void)str_copy(place->path, sizeof(place->path),
		       event->path ? event->path : "");
	place->opened_ns = now_ns;
	place->seen = 1;
	place->held = 0;
	place->event = *event;
	place->key_len = key.len;
	place->next = aggregate->buckets[bucket];
	aggregate->buckets[bucket] = i;
	return place;
}

/*
 * What the aggregate will tell: the last event, but nothing that is its own.
 * What was sent and received is all of theirs.
 */
static void
hold(struct aggregate *aggregate, struct place *place,
     const struct event *event)
{
	uint64_t sent = place->held ? place->event.sent : 0;
	uint64_t received = place->held ? place->event.received : 0;

	place->event = *event;
	(void)str_copy(place->path, sizeof(place->path),
		       event->path ? event->path : "");
	(void)str_copy(place->comm, sizeof(place->comm),
		       event->comm ? event->comm : "");
	place->event.flags |= EVENT_AGGREGATE;
	place->event.comm = place->comm;
	place->event.path2 = NULL;
	place->event.name = NULL;
	place->event.sent += sent;
	place->event.received += received;
	place->held++;
	aggregate->held++;
}

static bool
hold_file(struct aggregate *aggregate, const struct event *event,
	  uint64_t now_ns)
{
	if (!event->path || strlen(event->path) >= PATH_KEPT)
		return false;
	struct key key = { .bytes = (const uint8_t *)event->path,
			   .len = path_directory(event->path) };
	struct place *place = find_place(aggregate, event, key);
	if (!place) {
		(void)open_place(aggregate, event, key, now_ns);
		return false;
	}
	if (place->seen < AGGREGATE_WHOLE) {
		place->seen++;
		return false;
	}
	hold(aggregate, place, event);
	return true;
}

/* Another peer has a place of its own, unless the process had so many. */
static bool
hold_of_many(struct aggregate *aggregate, const struct event *event,
	     struct key key, uint64_t now_ns)
{
	struct key all = { .peers = true };
	struct place *many = find_place(aggregate, event, all);

	if (!many) {
		if (open_place(aggregate, event, all, now_ns))
			(void)open_place(aggregate, event, key, now_ns);
		return false;
	}
	if (many->seen < AGGREGATE_PEERS &&
	    open_place(aggregate, event, key, now_ns)) {
		many->seen++;
		return false;
	}
	hold(aggregate, many, event);
	return true;
}

static bool
hold_peer(struct aggregate *aggregate, const struct event *event,
	  uint64_t now_ns)
{
	struct key key = { event->remote, sizeof(event->remote), true };
	uint32_t whole = event->type == EVENT_DNS ? AGGREGATE_WHOLE :
						    AGGREGATE_WHOLE_PEER;
	struct place *place = find_place(aggregate, event, key);

	if (!place)
		return hold_of_many(aggregate, event, key, now_ns);
	if (place->seen < whole) {
		place->seen++;
		return false;
	}
	hold(aggregate, place, event);
	return true;
}

bool
aggregate_hold(struct aggregate *aggregate, const struct event *event,
	       uint64_t now_ns)
{
	if (event->class != EVENT_BULK)
		return false;
	if (event_family(event->type) == EVENT_OF_NETWORK)
		return hold_peer(aggregate, event, now_ns);
	return hold_file(aggregate, event, now_ns);
}

/* Takes the place that *link names out of its bucket. */
static void
close_place(struct aggregate *aggregate, uint16_t *link)
{
	uint16_t i = *link;
	struct place *place = &aggregate->places[i];

	aggregate->held -= place->held;
	place->held = 0;
	*link = place->next;
	place->next = aggregate->free;
	aggregate->free = i;
}

/* The first place of a bucket that has something to tell. */
static const struct event *
next_of(struct aggregate *aggregate, uint16_t *link, uint64_t now_ns)
{
	while (*link != NONE) {
		struct place *place = &aggregate->places[*link];
		if (now_ns - place->opened_ns < AGGREGATE_NS) {
			link = &place->next;
			continue;
		}
		if (place->held == 0) {
			close_place(aggregate, link);
			continue;
		}
		aggregate->ended = link;
		if (place->event.path)
			place->event.path = place->path;
		place->event.count = place->held;
		return &place->event;
	}
	return NULL;
}

const struct event *
aggregate_next(struct aggregate *aggregate, uint64_t now_ns)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		uint16_t bucket = (uint16_t)((aggregate->turn + i) % BUCKETS);
		const struct event *event =
			next_of(aggregate, &aggregate->buckets[bucket], now_ns);
		if (!event)
			continue;
		aggregate->turn = bucket;
		return event;
	}
	return NULL;
}

void
aggregate_drop(struct aggregate *aggregate)
{
	if (aggregate->ended)
		close_place(aggregate, aggregate->ended);
	aggregate->ended = NULL;
}

uint64_t
aggregate_held(const struct aggregate *aggregate)
{
	return aggregate->held;
}
