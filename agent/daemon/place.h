/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folders and sockets, made before any child is started: while the gate
 * lives, khiend itself opens nothing there.
 */
#pragma once

struct conf;
struct keep;

#define PLACE_STATE "state"   /* the names under which they are given */
#define PLACE_UPDATE "update" /* and this folder's in state_dir */
#define PLACE_PROOF "proof"   /* the same, of khien-proof */
#define PLACE_STATUS "status.sock"
#define PLACE_CONTROL "control.sock"
#define PLACE_LOCK "khiend.lock"

struct place {
	int state;   /* state_dir; holds the lock that keeps others away */
	int update;  /* state_dir/update; -1: it is of no use, as was logged */
	int proof;   /* state_dir/proof; the same */
	int run;     /* run_dir */
	int lock;    /* run_dir/khiend.lock, locked */
	int status;  /* run_dir/status.sock, listening */
	int control; /* run_dir/control.sock, listening */
};

/*
 * Makes state_dir (the engine's, 0700), in it the folder of updates
 * (khien-verify's, 0700) and that of proofs of life (root's, 0700), run_dir
 * (root's), and both sockets, in the place of stale ones.  Refuses folders
 * that another khiend uses, that others may write to, and a state_dir that
 * holds something else than ours.  Returns 0 or -errno, logged.  See
 * place_done() in either case.
 */
int place_make(struct place *place, const struct conf *conf);

/*
 * What each role's children get of it; `keeps` is by enum role_id.  The folder
 * of updates is handed out open: whoever owns state_dir could put another one
 * in its place.  Returns 0 or -errno.
 */
int place_give(const struct place *place, struct keep *keeps);

/* Removes the sockets and lets go of the folders. */
void place_done(struct place *place);
