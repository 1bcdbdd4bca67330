/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/recall.h"

#include <stdlib.h>
#include <sys/vfs.h>

#include "agent/gate/barred.h"
#include "agent/gate/denied.h"
#include "agent/gate/hold.h"
#include "agent/gate/ident.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/trust.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"

#define NS_PER_MS 1000000U
/* For so long after a question its file need not be looked at once more. */
#define FRESH_MS 1

struct recall {
	struct cache *cache;   /* borrowed */
	struct notify *notify; /* borrowed */
	struct hold *hold;     /* borrowed */
	struct barred *barred; /* borrowed */
	struct denied *denied;
	bool asking;
	uint32_t generation;
	struct recall_counts counts;
};

struct recall *
recall_new(struct cache *cache, struct notify *notify, struct hold *hold,
	   struct barred *barred)
{
	struct recall *recall = calloc(1, sizeof(*recall));

	if (!recall)
		return NULL;
	recall->cache = cache;
	recall->notify = notify;
	recall->hold = hold;
	recall->barred = barred;
	recall->denied = denied_new();
	if (!recall->denied) {
		free(recall);
		return NULL;
	}
	return recall;
}

void
recall_free(struct recall *recall)
{
	if (recall)
		denied_free(recall->denied);
	free(recall);
}

void
recall_set_asking(struct recall *recall, bool asking)
{
	/* What was good enough to watch may not be so to permit. */
	recall_clear(recall, false);
	recall->asking = asking;
	barred_set(recall->barred, asking);
}

void
recall_renew(struct recall *recall)
{
	recall->generation++;
	notify_regard_all(recall->notify);
}

uint32_t
recall_generation(const struct recall *recall)
{
	return recall->generation;
}

/* Nobody has it open to write, who could change it without a sign. */
static bool
is_still(struct recall *recall, int fd, const struct ident *ident)
{
	if (hold_probe(recall->hold, fd, ident))
		return true;
	recall->counts.written++;
	return false;
}

static bool
is_trusted(int fd, const struct ident *ident)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       trust_of(ident, (uint64_t)fs.f_type) != TRUST_NONE;
}

static void
tell_kernel(struct recall *recall, int fd, bool lasting)
{
	if (notify_ignore(recall->notify, fd, lasting) == 0)
		recall->counts.marked++;
}

static enum cache_verdict
find_clean(struct recall *recall, const struct question *question,
	   const struct ident *ident, bool executed)
{
	bool writable = trust_is_writable(ident);
	bool lasting = trust_is_lasting(ident);

	/* In this order: who was a writer before has told of his close. */
	if (executed && writable &&
	    (!hold_take(recall->hold, question->fd, ident) ||
	     notify_has_more(recall->notify)))
		return CACHE_UNKNOWN;
	/* Only those it asked about: it forgot, or never knew. */
	if ((lasting || (recall->asking && !executed)) &&
	    is_trusted(question->fd, ident) &&
	    hold_probe(recall->hold, question->fd, ident))
		tell_kernel(recall, question->fd, lasting);
	if (writable)
		recall->counts.user++;
	else
		recall->counts.root++;
	return CACHE_CLEAN;
}

/* It may change while it is executed; who opens it gets what was scanned. */
static enum cache_verdict
find_steady(struct recall *recall, const struct question *question,
	    bool executed)
{
	if (!recall->asking || executed || question->cause != MSG_CAUSE_OPEN)
		return CACHE_UNKNOWN;
	recall->counts.steady++;
	return CACHE_CLEAN;
}

int
recall_look(const struct question *question, struct ident *ret_ident)
{
	if (!question->judge && loop_now_ns() - question->boot_ns <
					(uint64_t)FRESH_MS * NS_PER_MS) {
		*ret_ident = *question->ident;
		return 0;
	}
	return ident_read_again(question->fd, question->ident, ret_ident);
}

enum cache_verdict
recall_find(struct recall *recall, const struct question *question,
	    const struct ident *ident, bool executed)
{
	enum cache_verdict verdict =
		cache_find(recall->cache, ident, recall->generation);

	if (verdict == CACHE_CRASHES)
		recall->counts.crashes++;
	if (verdict == CACHE_STEADY)
		return find_steady(recall, question, executed);
	if (verdict != CACHE_CLEAN)
		return verdict;
	/* Who wants a scan gets one. */
	if (question->cause == MSG_CAUSE_WRITE ||
	    question->cause == MSG_CAUSE_ASKED)
		return CACHE_UNKNOWN;
	return find_clean(recall, question, ident, executed);
}

static void
add_clean(struct recall *recall, int fd, const struct ident *ident)
{
	struct ident now;
	bool trusted = is_trusted(fd, ident);
	bool still = trusted && is_still(recall, fd, ident);
	bool steady = trusted && !still && ident_is_settled(ident);

	if (recall->asking && !still && !steady)
		return;
	/* After the probe: a writer who was there before it has closed. */
	if (ident_read_again(fd, ident, &now) < 0 ||
	    !ident_same_content(&now, ident))
		return;
	cache_add(recall->cache, &now, recall->generation,
		  still || !recall->asking ? CACHE_CLEAN : CACHE_STEADY);
	bool lasting = trust_is_lasting(&now);
	if (still && (recall->asking || lasting))
		tell_kernel(recall, fd, lasting);
}

void
recall_add(struct recall *recall, int fd, const struct ident *ident,
	   enum cache_verdict verdict)
{
	if (verdict == CACHE_CLEAN)
		add_clean(recall, fd, ident);
	else
		cache_add(recall->cache, ident, recall->generation, verdict);
}

uint64_t
recall_guard(struct recall *recall, int fd, const struct ident *ident)
{
	/* No unprivileged writer is there to be kept away. */
	return trust_is_writable(ident) ? hold_begin(recall->hold, fd, ident) :
					  0;
}

void
recall_unguard(struct recall *recall, uint64_t guard)
{
	hold_end(recall->hold, guard);
}

void
recall_add_bad(struct recall *recall, int fd, const struct ident *ident,
	       const struct msg_verdict *verdict)
{
	struct ident now;

	if (!recall->asking || !is_trusted(fd, ident) ||
	    !hold_probe(recall->hold, fd, ident) ||
	    ident_read_again(fd, ident, &now) < 0 ||
	    !ident_same_content(&now, ident))
		return;
	denied_add(recall->denied, &now, recall->generation, loop_now_ns(),
		   verdict);
}

void
recall_bar(struct recall *recall, const struct question *question,
	   const struct ident *ident, const struct msg_verdict *verdict,
	   bool bad)
{
	struct statfs fs;

	if (!bad &&
	    (verdict->result == MSG_CLEAN || verdict->result == MSG_MATCH))
		barred_drop(recall->barred, ident);
	/* What changed meanwhile is another file, and will be scanned. */
	if (bad && recall->asking && question->cause != MSG_CAUSE_ASKED &&
	    !(verdict->flags & MSG_CHANGED) && fstatfs(question->fd, &fs) == 0)
		barred_add(recall->barred, ident, (uint64_t)fs.f_type);
}

bool
recall_find_bad(struct recall *recall, const struct question *question,
		const struct ident *ident, struct msg_verdict *ret_verdict,
		bool *ret_leads)
{
	return recall->asking && question->waits && !question->judge &&
	       denied_find(recall->denied, ident, recall->generation,
			   loop_now_ns(), ret_verdict, ret_leads) &&
	       hold_probe(recall->hold, question->fd, ident);
}

bool
recall_secure(struct recall *recall, int fd, const struct ident *ident,
	      uint64_t guard)
{
	struct ident now;

	if (trust_is_writable(ident) && !hold_go_on(recall->hold, guard))
		return false;
	return ident_read_again(fd, ident, &now) == 0 &&
	       ident_same_content(&now, ident);
}

void
recall_forget(struct recall *recall, const struct question *question)
{
	cache_forget(recall->cache, question->ident);
	denied_forget(recall->denied, question->ident);
	if (recall->asking)
		notify_regard(recall->notify, question->fd);
}

void
recall_clear(struct recall *recall, bool all)
{
	cache_clear(recall->cache, all);
	denied_clear(recall->denied);
	notify_regard_all(recall->notify);
}

void
recall_count(const struct recall *recall, struct recall_counts *ret_counts)
{
	*ret_counts = recall->counts;
}
