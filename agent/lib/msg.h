/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What processes say to each other: one datagram a message, at most MSG_MAX
 * bytes, beginning with version, type and length.  The format of each type
 * stands here; msg_put_*() writes it and the msg_get_*() beside it reads it.
 *
 * Whoever receives a message that does not parse ends itself (-EBADMSG):
 * its parent restarts it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define MSG_VERSION 2
/* An exec with 32 KiB of arguments and five long paths, twice over. */
#define MSG_MAX (128 * 1024)
#define MSG_RULES_MAX 64  /* matches told for one file */
#define MSG_TEXT_MAX 8192 /* bytes of any text but a configuration's */

/* Values are on the wire between programs of one version: append only. */
enum msg_type {
	MSG_HELLO = 1, /* child to khiend: sealed and at work */
	MSG_BEAT,      /* khiend to child and back, with the same number */
	MSG_CONFIG,    /* khiend to child: struct conf; see conf_put() */
	MSG_LINK,      /* khiend to child: fd is a channel to another process */
	MSG_KEEP,      /* child to khiend: keep this fd under this name; khiend
			   gives all of them back to the next child */
	MSG_READY,     /* khiend to child: configuration, kept descriptors and
			   first links are all sent; seal yourself and start */
	MSG_STATUS,    /* any to engine: named values that status shows */
	MSG_EVENTS,    /* sensor, gate to engine: a batch of events */
	MSG_ACK,       /* engine to sensor, gate, khiend: that is stored */
	MSG_SYNC,      /* engine to sensor: drain now, answer with MSG_EVENTS */
	MSG_SCAN,      /* gate to scan, engine to gate: fd is to be scanned */
	MSG_VERDICT,   /* scan to gate, gate to engine: what came of it */
	MSG_RULE,      /* scan to engine: one loaded rule, or one that failed */
	MSG_PEER,      /* khiend to engine: a process started or ended */
	MSG_QUERY,     /* engine to query: fd is the client, answer it */
	MSG_STUCK,    /* gate to khiend: this scanner did not answer, kill it */
	MSG_RELOAD,   /* engine to khiend: read configuration, rules again */
	MSG_ANNOUNCE, /* khiend to gate: this pid is ours and about to execute;
			 and back: its questions are answered at once now */
	MSG_SETTLED,  /* khiend to gate: that pid is sealed, or gone */
	MSG_ACT,      /* engine to khiend, khiend to keep: do this (fd: file) */
	MSG_ACTED,    /* keep to khiend, khiend to engine: what came of it */
	MSG_ALLOW,    /* engine to gate: all that may be used although it
			 matches; see allow.h */
	MSG_MARK,     /* mounts to gate: watch this file system, or no more */
	MSG_MARKED,   /* gate to mounts: it is watched, or why not */
	MSG_MOUNT_IDS, /* mounts to gate: the mounts of our own namespace */
	MSG_COVER,     /* mounts to sensor: which file systems the gate sees */
	MSG_HELD,   /* sensor to khiend, khiend to keep: this process is held */
	MSG_JUDGE,  /* keep to khiend, khiend to gate: may it run? (fd: file) */
	MSG_JUDGED, /* gate to khiend, khiend to keep: the answer */
	MSG_FREED,  /* keep to khiend, khiend to engine: what became of it */
	MSG_UPDATE, /* engine to khiend, khiend to verify: do this about
		       releases of rules; see msg_update.h for these five */
	MSG_UPDATED, /* verify to khiend, khiend to engine: what came of it */
	MSG_FETCH,   /* verify to fetch: bring this (fd: where to) */
	MSG_FETCHED, /* fetch to verify: it is there, or why not */
	MSG_TRIAL,   /* scan to khiend: how a release did on trial */
	MSG_PROVE,   /* engine to khiend: run a proof of life; see msg_life.h
			 for these three */
	MSG_PROVED,  /* khiend to engine: it ran, or why not */
	MSG_SCANS,   /* gate to engine: what was scanned, and for whom */
	MSG_GUARD,   /* engine to khiend: turn the guard off or on, or stop; see
			 msg_guard.h for these two */
	MSG_GUARDED, /* khiend to engine: how it is guarded */
	MSG_BARRED,  /* sensor to gate: fd is the map of struct khien_bad, for
		       the files that may not be mapped as code; no payload */
	MSG_ATTACHED, /* sensor to mounts: its kernel programs see what the gate
			 marks from now on; no payload */
	MSG_TYPE_END, /* no message */
};

/*
 * Starts a message of `type` in `bytes` (borrowed, MSG_MAX is always enough).
 * After the payload is put, call msg_end().
 */
void msg_begin(struct buf *buf, void *bytes, size_t size, uint16_t type);

/* Fills in the length.  Returns 0, or -EMSGSIZE when something did not fit. */
int msg_end(struct buf *buf);

/*
 * Opens a received message.  Returns 0 and its type, with buf at the payload;
 * -EBADMSG when it is malformed; -EPROTO when its version is not ours.
 */
int msg_open(struct buf *buf, const void *bytes, size_t size,
	     uint16_t *ret_type);

/* MSG_HELLO, MSG_READY, MSG_SYNC, MSG_RELOAD have no payload. */

/* MSG_BEAT, MSG_ACK, MSG_ANNOUNCE, MSG_SETTLED carry one number. */
void msg_put_number(struct buf *buf, uint64_t number);
int msg_get_number(struct buf *buf, uint64_t *ret_number);

/* MSG_LINK: which process is at the other end (fd attached); MSG_STUCK. */
struct msg_link {
	uint16_t role;	/* enum role_id */
	uint16_t index; /* which of several */
	uint32_t pid;
};
void msg_put_link(struct buf *buf, const struct msg_link *link);
int msg_get_link(struct buf *buf, struct msg_link *ret_link);

/* MSG_KEEP: a name of at most 63 bytes (fd attached). */
void msg_put_keep(struct buf *buf, const char *name);
int msg_get_keep(struct buf *buf, const char **ret_name);

/*
 * MSG_STATUS: pairs of dotted name and value, as many as fit; a later value
 * of the same name replaces the earlier one.  Begin, put pairs, end.
 * A value is text; numbers are written in decimal, booleans as true, false.
 */
void msg_put_pair(struct buf *buf, const char *name, const char *value);
void msg_put_pair_number(struct buf *buf, const char *name, uint64_t value);
/* Returns 1 and a pair, 0 at the end, -EBADMSG. */
int msg_get_pair(struct buf *buf, const char **ret_name,
		 const char **ret_value);

/*
 * MSG_EVENTS: this head, then `len` events by event_put().  `number` counts
 * up in the life of the sender; 0 asks for no ack.
 * Every event whose boot_ns is below `drained_ns` has been sent.
 */
struct msg_events {
	uint64_t number;
	uint64_t drained_ns;
	uint32_t len;
};
/* Returns where `len` stands, for msg_set_events_len() after the last event. */
size_t msg_put_events(struct buf *buf, const struct msg_events *events);
void msg_set_events_len(struct buf *buf, size_t where, uint32_t len);
int msg_get_events(struct buf *buf, struct msg_events *ret_events);

/* Why a file is scanned. */
enum msg_cause {
	MSG_CAUSE_WRITE = 1, /* closed after writing */
	MSG_CAUSE_EXEC,	     /* executed */
	MSG_CAUSE_ASKED,     /* somebody asked for this scan */
	MSG_CAUSE_OPEN,	     /* opened, and whoever did waits for an answer */
	MSG_CAUSE_BEHAVIOUR, /* no scan at all; never sent, the engine's own */
};

/* MSG_SCAN (fd attached): the answer carries the same tag. */
struct msg_scan {
	uint64_t tag;
	uint16_t cause; /* enum msg_cause */
};
void msg_put_scan(struct buf *buf, const struct msg_scan *scan);
int msg_get_scan(struct buf *buf, struct msg_scan *ret_scan);

enum msg_result {
	MSG_CLEAN = 1,
	MSG_MATCH,
	MSG_TIMEOUT, /* the scan's own time limit */
	MSG_FAILED,  /* could not be read or scanned: see error */
	MSG_CRASHED, /* the scanner died or was killed on it; from the gate */
	MSG_SKIPPED, /* not a regular file */
};

enum msg_verdict_flag {
	MSG_PARTIAL = 1 << 0, /* larger than max_size: head and tail scanned */
	MSG_CHANGED = 1 << 1, /* size or times changed while it was read */
	MSG_ALLOWED = 1 << 2, /* a responder allowed it; said by the gate */
};

/* What the kernel was told of who waited for the verdict. */
enum msg_answer {
	MSG_ANSWER_NONE = 0, /* nobody waited */
	MSG_ANSWER_ALLOWED,
	MSG_ANSWER_DENIED,
	MSG_ANSWER_DEADLINE_ALLOWED, /* before there was a verdict */
	MSG_ANSWER_DEADLINE_DENIED,
	MSG_ANSWER_LATE, /* one of these two, and this is what the scan found */
};

struct msg_match {
	const char *rule;	 /* identifier */
	const char *id;		 /* meta id, a UUID; "" when none */
	const char *ruleset;	 /* the rule file's path under its folder */
	const char *description; /* meta; "" when none */
	const char *severity;	 /* one of the five words */
	const char *attack;	 /* technique ids, separated by space; or "" */
};

/*
 * MSG_VERDICT: a scanner fills what stands first, down to the matches;
 * the gate adds who and what before it passes it on to the engine, and may
 * attach the file.
 */
struct msg_verdict {
	uint64_t tag;
	uint16_t result; /* enum msg_result */
	uint16_t cause;	 /* enum msg_cause */
	uint32_t flags;	 /* enum msg_verdict_flag */
	uint64_t size;
	uint32_t duration_us; /* reading, hashing and matching */
	const char *sha256;   /* 64 hexadecimal digits; "" when not computed */
	const char *error;    /* "" or what went wrong */
	uint32_t len;	      /* matches */
	struct msg_match matches[MSG_RULES_MAX];
	/* From here on: said by the gate. */
	uint64_t boot_ns; /* when the question was asked */
	uint32_t pid;	  /* thread group that wrote or executed */
	uint64_t device, inode;
	uint32_t mode, uid, gid; /* the file's */
	const char *path;   /* as the kernel names it; "" when it has none */
	uint16_t answer;    /* enum msg_answer */
	uint32_t waited_us; /* how long who asked was kept waiting */
	uint64_t number;    /* counts up with those of MSG_EVENTS; 0: no ack */
};
void msg_put_verdict(struct buf *buf, const struct msg_verdict *verdict);
int msg_get_verdict(struct buf *buf, struct msg_verdict *ret_verdict);

/* What a rule says of itself beyond a match; told only to who lists rules. */
struct msg_about {
	const char *author, *date, *false_positives, *reference;
	const char *lacks; /* names of meta that it should have, and does not
			      or not as they should be; separated by space */
};

/* MSG_RULE: `error` is "" for a rule that is loaded. */
struct msg_rule {
	struct msg_match rule;
	struct msg_about about;
	const char *error; /* what the compiler said, with file and line */
	uint32_t number;   /* 0 for the first: the engine forgets older ones */
	bool last;
};
void msg_put_rule(struct buf *buf, const struct msg_rule *rule);
int msg_get_rule(struct buf *buf, struct msg_rule *ret_rule);

enum msg_peer_state {
	MSG_PEER_STARTED = 1,
	MSG_PEER_ENDED,	 /* detail says how: "killed by signal 9", ... */
	MSG_PEER_STUCK,	 /* missed its heartbeat; khiend kills it */
	MSG_PEER_CONFIG, /* detail: configuration accepted, or why refused */
	MSG_PEER_KNOWN,	 /* is running since boot_ns; told to a new engine: no
			    event */
};

struct msg_peer {
	struct msg_link who;
	uint16_t state;	   /* enum msg_peer_state */
	uint32_t restarts; /* of this role and index since khiend started */
	uint64_t boot_ns;
	const char *detail;
	uint64_t number; /* counts up within a boot; 0: asks for no ack */
};
void msg_put_peer(struct buf *buf, const struct msg_peer *peer);
int msg_get_peer(struct buf *buf, struct msg_peer *ret_peer);

/* MSG_QUERY (fd attached: the client's stream): a request, as JSON text. */
struct msg_query {
	uint32_t uid; /* who asks */
	uint32_t pid;
	bool root_socket; /* came in by control.sock */
	const char *request;
};
void msg_put_query(struct buf *buf, const struct msg_query *query);
int msg_get_query(struct buf *buf, struct msg_query *ret_query);

enum msg_act_kind {
	MSG_ACT_FILE = 1, /* the attached file was judged */
	MSG_ACT_LIST,	  /* what is in quarantine */
	MSG_ACT_RESTORE,
	MSG_ACT_DELETE,
};

enum msg_act_bit {
	MSG_ACT_KILL = 1 << 0,	      /* the processes that run the file */
	MSG_ACT_KILL_MAPPED = 1 << 1, /* ... that may execute code of it */
	MSG_ACT_QUARANTINE = 1 << 2,
};

/* MSG_ACT (fd attached when its kind is MSG_ACT_FILE). */
struct msg_act {
	uint64_t id;		/* the answer carries the same */
	uint16_t kind;		/* enum msg_act_kind */
	uint32_t actions;	/* enum msg_act_bit; of MSG_ACT_FILE */
	uint64_t device, inode; /* must be the attached file's */
	uint32_t pid;		/* whose file it is; 0: not known */
	uint64_t after_ns;	/* list: from behind this time and entry */
	const char *entry;	/* 32 hexadecimal digits, or "" */
	const char *sha256;	/* must be the file's; "": not known */
	const char *path;	/* of the file; where to restore to, or "" */
	const char *rule;	/* why */
};
void msg_put_act(struct buf *buf, const struct msg_act *act);
int msg_get_act(struct buf *buf, struct msg_act *ret_act);

/* MSG_ACTED: this head, then `len` times struct msg_kept. */
struct msg_acted {
	uint64_t id;
	uint16_t kind;
	uint32_t done;		/* enum msg_act_bit, out of those asked for */
	uint32_t killed;	/* processes */
	uint32_t left;		/* other names of the file, which stay */
	uint64_t device, inode; /* of the file, or of the restored one */
	const char *entry, *sha256, *path;
	const char *rule;  /* of the restored one */
	const char *error; /* "": nothing failed */
	bool more;	   /* the list goes on behind the last one */
	uint32_t len;
};
/* Returns where `len` stands; see msg_put_events(). */
size_t msg_put_acted(struct buf *buf, const struct msg_acted *acted);
int msg_get_acted(struct buf *buf, struct msg_acted *ret_acted);

/* A file in quarantine. */
struct msg_kept {
	const char *entry, *path, *sha256, *rule;
	const char *error; /* "": it is whole */
	uint64_t size;
	uint64_t when_ns; /* wall clock */
	uint32_t mode, uid, gid;
};
void msg_put_kept(struct buf *buf, const struct msg_kept *kept);
/* The last one is followed by nothing: ask buf_done() after it. */
int msg_get_kept(struct buf *buf, struct msg_kept *ret_kept);

enum msg_mark_what {
	MSG_MARK_ADD = 1, /* fd: O_PATH, the mount's root */
	MSG_MARK_REMOVE,  /* fd as well; without one it is gone already */
	MSG_MARK_FLUSH,	  /* nothing is watched any more; no fd, no device */
};

/*
 * MSG_MARK: again is fine, and changes what is watched.  Each but a flush is
 * answered by MSG_MARKED.
 */
struct msg_mark {
	uint64_t device; /* makedev() form, as mountinfo has it */
	uint16_t what;	 /* enum msg_mark_what */
	bool all;	 /* writing and opening, too; else executions alone */
	bool ask;	 /* who opens or executes waits for an answer */
};
void msg_put_mark(struct buf *buf, const struct msg_mark *mark);
int msg_get_mark(struct buf *buf, struct msg_mark *ret_mark);

/* MSG_MARKED: also unasked, of all that is watched, to a new khien-mounts. */
struct msg_marked {
	uint64_t device;
	uint32_t error; /* errno of fanotify_mark(2), or 0 */
	bool marked;	/* whether it is watched now */
};
void msg_put_marked(struct buf *buf, const struct msg_marked *marked);
int msg_get_marked(struct buf *buf, struct msg_marked *ret_marked);

/* More mounts than this are not followed. */
#define MSG_MOUNTS_MAX 4096

/* MSG_MOUNT_IDS: `len` numbers, at most MSG_MOUNTS_MAX. */
void msg_put_mount_ids(struct buf *buf, const uint32_t *ids, uint32_t len);
/* ret_ids has room for MSG_MOUNTS_MAX. */
int msg_get_mount_ids(struct buf *buf, uint32_t *ret_ids, uint32_t *ret_len);

enum msg_cover_kind {
	MSG_COVER_GATED = 1,   /* the gate watches it */
	MSG_COVER_FOREIGN = 2, /* in a list of mounts, and cannot be gated */
	MSG_COVER_PASSED = 3,  /* not asked about: left out by [gate] watch or
				  exclude, or watched where its layers are */
};

struct msg_cover {
	uint64_t device; /* makedev() form */
	uint16_t kind;	 /* enum msg_cover_kind */
};

/* Entries in one message. */
#define MSG_COVER_MAX 4096

/*
 * MSG_COVER: the whole list each time; one that is too long for a message comes
 * in several, of which only the last says so.  No device is in it twice.
 */
void msg_put_cover(struct buf *buf, const struct msg_cover *cover, uint32_t len,
		   bool last);
/* ret_cover has room for MSG_COVER_MAX. */
int msg_get_cover(struct buf *buf, struct msg_cover *ret_cover,
		  uint32_t *ret_len, bool *ret_last);

enum msg_held_flag {
	MSG_HELD_SERVED = 1 << 0, /* a process of some user's answers for its
				     file, or not: never open that */
	MSG_HELD_RUNS = 1 << 1,	  /* was not stopped, may only be ended */
};

/* MSG_HELD: before its first instruction, by SIGSTOP. */
struct msg_held {
	uint64_t start_ns; /* boot time of its start: pid alone is no name */
	uint64_t boot_ns;  /* when it was stopped */
	uint64_t device, inode; /* of its program */
	uint32_t pid;
	uint32_t flags; /* enum msg_held_flag */
};
void msg_put_held(struct buf *buf, const struct msg_held *held);
int msg_get_held(struct buf *buf, struct msg_held *ret_held);

/* MSG_JUDGE (fd attached): a question as if the kernel had asked. */
struct msg_judge {
	uint64_t id;	  /* the answer carries the same; never 0 */
	uint64_t boot_ns; /* from when on the deadline counts */
	uint32_t pid;
};
void msg_put_judge(struct buf *buf, const struct msg_judge *judge);
int msg_get_judge(struct buf *buf, struct msg_judge *ret_judge);

enum msg_judged_answer {
	MSG_JUDGED_ALLOW = 1,
	MSG_JUDGED_DENY,
	MSG_JUDGED_NOBODY, /* from khiend: no gate is there, ask again */
};
struct msg_judged {
	uint64_t id;
	uint16_t answer; /* enum msg_judged_answer */
};
void msg_put_judged(struct buf *buf, const struct msg_judged *judged);
int msg_get_judged(struct buf *buf, struct msg_judged *ret_judged);

enum msg_freed_how {
	MSG_FREED_RELEASED = 1, /* SIGCONT */
	MSG_FREED_KILLED,	/* SIGKILL */
	MSG_FREED_GONE,		/* had ended, or is not ours to touch */
	MSG_FREED_LEFT,		/* was not stopped, and runs on */
};
struct msg_freed {
	uint32_t pid;
	uint64_t start_ns, boot_ns; /* as in MSG_HELD */
	uint16_t how;		    /* enum msg_freed_how */
	bool unjudged; /* nobody answered in time: by [gate] on_deadline */
	bool by_other; /* somebody else had let it go on before us */
	uint32_t waited_us;
};
void msg_put_freed(struct buf *buf, const struct msg_freed *freed);
int msg_get_freed(struct buf *buf, struct msg_freed *ret_freed);

/* The words of severity, from 1 "informational" to 5 "critical"; 0: no word. */
unsigned int msg_severity_find(const char *word);
/* NULL when out of range. */
const char *msg_severity_name(unsigned int level);
