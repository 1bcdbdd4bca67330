/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From verdicts to detections: what of a verdict is told, and to which process
 * the file is laid.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct event;
struct fold_key;
struct msg_match;
struct msg_verdict;
struct peer_link;
struct tree_process;

/*
 * Whether a responder must hear of it: a match, or a file that the scanner
 * crashed on or did not finish.
 */
bool detect_is_due(const struct msg_verdict *verdict);

/*
 * What stands for the rule when the scanner itself failed; false when there
 * is no need.
 */
bool detect_own_match(const struct msg_verdict *verdict,
		      struct msg_match *ret_match);

/*
 * EVENT_STOP that no verdict follows: the process was killed for where its
 * program lies, or could not be held for it.
 */
void detect_stopped(struct engine *engine, const struct event *event,
		    struct tree_process *process);

/* EVENT_MAP_DENIED: the kernel refused somebody the code of a bad file. */
void detect_denied(struct engine *engine, const struct event *event,
		   struct tree_process *process);

/*
 * What is alarming by itself: see behaviour.h.  detect_ready() comes before the
 * event's number is taken, so that its row and the detection are stored
 * together.
 */
void detect_ready(struct engine *engine, const struct event *event);
void detect_behaviour(struct engine *engine, const struct event *event,
		      struct tree_process *process);

/*
 * Takes a verdict, which is acknowledged on the link when what comes of it is
 * stored.  `bytes` is what it was read from: kept while it waits for the
 * events of its process (see patience.h).
 */
void detect_verdict(struct engine *engine, const struct peer_link *link,
		    const struct msg_verdict *verdict, const uint8_t *bytes,
		    size_t len);

/*
 * Makes the rows: a detection for each rule, or counts up an earlier one.
 * Nothing comes of a verdict that is sent again and was stored before.  The
 * link may have ended.
 */
void detect_raise(struct engine *engine, const struct peer_link *link,
		  const struct msg_verdict *verdict);
