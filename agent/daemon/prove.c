/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/prove.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/daemon/place.h"
#include "agent/daemon/spawn.h"
#include "agent/daemon/supervise.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"

/* An engine that is away asks anew when it is back. */
static void
tell(struct supervise *supervise, const char *nonce, const char *error)
{
	struct child *engine = supervise_find(supervise, ROLE_ENGINE, 0);
	struct msg_proved proved = { .nonce = nonce, .error = error };
	struct buf buf;

	if (engine->state != CHILD_UP)
		return;
	msg_begin(&buf, supervise->out, MSG_MAX, MSG_PROVED);
	msg_life_put_proved(&buf, &proved);
	(void)child_write(engine, &buf, -1);
}

static int
start(struct supervise *supervise)
{
	struct spawn spawn = {
		.folder = supervise->folder,
		.name = role_get(ROLE_PROOF)->name,
		.argument = supervise->prove.nonce,
		.chan = keep_find(&supervise->keeps[ROLE_PROOF], PLACE_PROOF),
		.leave = -1,
	};

	if (spawn.chan < 0)
		return -ENOTDIR;
	return spawn_start(&spawn, &supervise->prove.pid);
}

int
prove_take(struct supervise *supervise, struct buf *buf)
{
	struct prove *prove = &supervise->prove;
	const char *nonce;
	char why[MSG_LIFE_ERROR_MAX];

	if (msg_life_get_prove(buf, &nonce) < 0)
		return -EBADMSG;
	if (supervise->stopping)
		return 0;
	if (prove->pid) {
		tell(supervise, nonce, "the one before still runs");
		return 0;
	}
	(void)str_copy(prove->nonce, sizeof(prove->nonce), nonce);
	int r = start(supervise);
	if (r == 0) {
		prove->due_ms = child_now_ms() + PROVE_LIMIT_MS;
		return 0;
	}
	(void)snprintf(why, sizeof(why), "%s",
		       r == -ENOTDIR ? "its folder in state_dir is of no use: "
				       "see khiend's log of its start" :
				       strerror(-r));
	tell(supervise, prove->nonce, why);
	return 0;
}

static void
describe(const struct supervise *supervise, int status, char *dst, size_t size)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	*dst = '\0';
	if (!supervise->prove.due_ms)
		(void)snprintf(dst, size, "it did not end within %d s",
			       PROVE_LIMIT_MS / 1000);
	else if (WIFSIGNALED(status))
		(void)snprintf(dst, size, "it was killed by signal %d",
			       WTERMSIG(status));
	else if (code == SPAWN_FAILED)
		(void)snprintf(dst, size, "it cannot be executed");
	else if (code)
		(void)snprintf(dst, size, "it cannot write %.200s/%s: %s",
			       supervise->conf->state_dir, MSG_LIFE_FOLDER,
			       strerror(code));
}

void
prove_reap(struct supervise *supervise)
{
	struct prove *prove = &supervise->prove;
	char why[MSG_LIFE_ERROR_MAX];
	int status;

	if (!prove->pid || waitpid(prove->pid, &status, WNOHANG) <= 0)
		return;
	prove->pid = 0;
	describe(supervise, status, why, sizeof(why));
	tell(supervise, prove->nonce, why);
}

uint64_t
prove_due_ms(const struct supervise *supervise)
{
	const struct prove *prove = &supervise->prove;

	return prove->pid && prove->due_ms ? prove->due_ms : UINT64_MAX;
}

void
prove_check(struct supervise *supervise, uint64_t now_ms)
{
	struct prove *prove = &supervise->prove;

	if (now_ms < prove_due_ms(supervise))
		return;
	/* Not reaped yet, so the pid is still its own. */
	(void)kill(prove->pid, SIGKILL);
	prove->due_ms = 0;
}
