/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/scan/proof.h"
#include "agent/scan/release.h"
#include "agent/scan/rules.h"
#include "agent/scan/sample.h"
#include "agent/scan/scanner.h"
#include "agent/scan/vector.h"

#define ORDER_MS 10000
#define NICE 10
#define SEED_MAX 64
#define MANIFEST_MAX (4 * 1024 * 1024) /* updater/release/manifest.h */

struct trial {
	struct peer peer;
	uint64_t number;
	struct rules rules;
	uint8_t *manifest; /* owned */
	size_t manifest_len;
	struct vector vector;
	struct sample sample;
	struct proof proof;
};

/* Which release: the one message that comes. */
static int
read_order(struct trial *trial)
{
	struct pollfd wait = { .fd = PEER_FD, .events = POLLIN };
	struct msg_update update;
	CLEANUP_FD int fd = -1;
	struct buf buf;
	uint16_t type;
	size_t len;

	if (poll(&wait, 1, ORDER_MS) != 1)
		return -ETIMEDOUT;
	int r = chan_read(PEER_FD, trial->peer.bytes, MSG_MAX, &len, &fd);
	if (r == 0)
		r = msg_open(&buf, trial->peer.bytes, len, &type);
	if (r < 0)
		return r;
	if (type != MSG_UPDATE || msg_update_get(&buf, &update) < 0 ||
	    update.kind != MSG_UPDATE_ACTIVATE)
		return -EBADMSG;
	trial->number = update.number;
	return 0;
}

/* When there is too little of anything, this process goes without. */
static void
give_way(void)
{
	static const char last[] = "1000";
	CLEANUP_FD int fd =
		open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)file_write_all(fd, last, sizeof(last) - 1);
	(void)setpriority(PRIO_PROCESS, 0, NICE);
}

static int
read_manifest(struct trial *trial, int folder)
{
	CLEANUP_FD int fd = release_open_file(folder, "manifest.json");

	if (fd < 0)
		return fd;
	return release_read_file(fd, MANIFEST_MAX, &trial->manifest,
				 &trial->manifest_len);
}

static int
read_release(struct trial *trial, int update)
{
	CLEANUP_FD int folder = release_open(update, trial->number);

	if (folder < 0)
		return folder;
	int r = release_add(&trial->rules, update, trial->number);
	if (r == 0)
		r = read_manifest(trial, folder);
	if (r == 0)
		r = vector_open(&trial->vector, folder, "vectors");
	return r;
}

/* All that is of no use behind the seal.  A release that cannot be read is no
 * good one, and so *ret_why may be set with 0. */
static int
look_around(struct trial *trial, const char **ret_why)
{
	CLEANUP_FD int update = peer_take_kept(&trial->peer, "update");
	char seed[SEED_MAX] = "";
	size_t len;

	if (update < 0)
		return -EBADF;
	int r = read_release(trial, update);
	if (r < 0)
		*ret_why = strerror(-r);
	r = scanner_init(rules_contain(&trial->rules, "\"magic\""));
	if (r < 0)
		return r;
	/* Without one, the same files as on others without. */
	(void)file_read(AT_FDCWD, "/etc/machine-id", seed, sizeof(seed), &len);
	return sample_open(&trial->sample, "/usr", seed);
}

static int
prove(struct trial *trial)
{
	const struct conf *conf = trial->peer.conf;
	struct proof_limits limits = {
		.timeout_ms = conf->timeout_ms,
		.deadline_ms = conf->deadline_ms,
		.min_severity = msg_severity_find(conf->min_severity),
	};
	CLEANUP(doc_freep) struct doc *manifest = NULL;
	struct proof *proof = &trial->proof;
	char why[256];

	int r = proof_begin(proof, &trial->rules, &limits);
	if (r < 0)
		return r;
	r = doc_parse((const char *)trial->manifest, trial->manifest_len,
		      &manifest, why, sizeof(why));
	if (r < 0) {
		(void)snprintf(proof->why, sizeof(proof->why),
			       "manifest.json: %s", why);
		return r;
	}
	r = proof_vectors(proof, doc_root(manifest), trial->number,
			  &trial->vector);
	return r < 0 ? r : proof_samples(proof, &trial->sample);
}

static int
answer(struct trial *trial, bool ok)
{
	struct msg_trial told = { .ok = ok,
				  .rules = trial->proof.rules_len,
				  .vectors = trial->proof.vectors,
				  .samples = trial->proof.samples,
				  .why = ok ? "" : trial->proof.why };
	struct buf buf;

	peer_begin(&trial->peer, &buf, MSG_TRIAL);
	msg_update_put_trial(&buf, &told);
	return peer_write_parent(&trial->peer, &buf, -1);
}

static int
run(struct trial *trial)
{
	const char *unread = NULL;

	give_way();
	int r = read_order(trial);
	if (r == 0)
		r = look_around(trial, &unread);
	if (r < 0)
		return r;
	doc_init();
	r = peer_seal(&trial->peer, -1);
	if (r < 0)
		return r;
	if (unread)
		(void)snprintf(trial->proof.why, sizeof(trial->proof.why),
			       "release %" PRIu64 " cannot be read: %s",
			       trial->number, unread);
	return answer(trial, !unread && prove(trial) == 0);
}

int
trial_run(int argc, char **argv)
{
	struct trial *trial CLEANUP_FREE = calloc(1, sizeof(*trial));

	if (!trial)
		return EXIT_FAILURE;
	int r = peer_start(&trial->peer, ROLE_SCAN, argc, argv);
	if (r == 0)
		r = run(trial);
	if (r < 0) {
		errno = -r;
		log_error("trial of a release: %m, ending");
	}
	proof_done(&trial->proof);
	vector_done(&trial->vector);
	sample_done(&trial->sample);
	rules_done(&trial->rules);
	free(trial->manifest);
	peer_done(&trial->peer);
	return r < 0 ? 2 : EXIT_SUCCESS;
}
