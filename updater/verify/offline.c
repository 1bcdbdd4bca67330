/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/chan.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/role.h"
#include "agent/lib/sandbox.h"
#include "updater/release/export.h"
#include "updater/verify/host.h"
#include "updater/verify/job.h"
#include "updater/verify/report.h"
#include "updater/verify/supply.h"
#include "updater/verify/tree.h"
#include "updater/verify/trusted.h"

#define REFUSED 1

struct run {
	const struct offline *how;
	struct trusted trusted;
	struct host host;
	int state, import;   /* -1: none */
	int ours, theirs;    /* of the channel */
	char made[PATH_MAX]; /* a folder to remove afterwards; or "" */
};

static void
run_done(struct run *run)
{
	trusted_done(&run->trusted);
	file_closep(&run->state);
	file_closep(&run->import);
	file_closep(&run->ours);
	file_closep(&run->theirs);
	if (run->made[0] && tree_remove(AT_FDCWD, run->made) < 0)
		log_warning("%s cannot be removed", run->made);
}

/* A state folder of our own is given to who will work in it. */
static int
make_state(struct run *run)
{
	const char *folder = getenv("TMPDIR");
	uid_t uid = role_get(ROLE_VERIFY)->fallback_uid;

	(void)snprintf(run->made, sizeof(run->made), "%s/khien-verify-XXXXXX",
		       folder && folder[0] ? folder : "/tmp");
	if (!mkdtemp(run->made)) {
		log_error("%s: %m", run->made);
		run->made[0] = '\0';
		return -EIO;
	}
	if (geteuid() == 0 && chown(run->made, uid, uid) < 0)
		return -errno;
	return 0;
}

static int
open_state(struct run *run)
{
	const char *path = run->how->state;

	if (!path) {
		int r = make_state(run);
		if (r < 0)
			return r;
		path = run->made;
	} else if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		log_error("%s: %m", path);
		return -errno;
	}
	run->state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run->state >= 0)
		return 0;
	log_error("%s: %m", path);
	return -EIO;
}

static int
open_source(struct run *run)
{
	if (!run->how->file)
		return chan_pair(&run->ours, &run->theirs);
	run->import = open(run->how->file, O_RDONLY | O_CLOEXEC);
	if (run->import >= 0)
		return 0;
	log_error("%s: %m", run->how->file);
	return -EIO;
}

static int
prepare(struct run *run)
{
	struct reason why = { "" };

	if (host_read(run->how->place, &run->host) < 0) {
		log_error("a place is a number from 0 to 100");
		return -EINVAL;
	}
	int r = trusted_read(run->how->trust, &run->trusted, &why);
	if (r < 0) {
		log_error("%s", why.text);
		return r;
	}
	r = open_state(run);
	return r < 0 ? r : open_source(run);
}

/* As whoever owns the state folder. */
static int
seal(const struct run *run)
{
	const char *step = "the state folder";
	struct stat st;

	int r = fstat(run->state, &st) < 0 ? -errno : 0;
	if (r == 0)
		r = sandbox_enter(role_get(ROLE_VERIFY), st.st_uid, st.st_gid,
				  run->state, &step);
	if (r < 0) {
		errno = -r;
		log_error("sandbox refused at %s: %m", step);
	}
	return r;
}

static int
print(const struct job *job, const struct msg_updated *updated)
{
	CLEANUP_FREE char *text = report_text(job, updated);

	if (!text)
		return -ENOMEM;
	if (printf("%s\n", text) < 0 || fflush(stdout) != 0)
		return -EIO;
	return 0;
}

/* The sealed half.  Returns the exit code. */
static int
verify(const struct run *run)
{
	static struct job job;
	struct msg_updated updated;
	const struct msg_update update = {
		.kind = run->how->file ? MSG_UPDATE_IMPORT : MSG_UPDATE_NOW,
		.reason = "",
	};

	job = (struct job){ .dir = run->state,
			    .trusted = &run->trusted,
			    .engine = KHIEN_VERSION,
			    .seed = run->host.seed,
			    .place = run->host.place,
			    .now_s = time(NULL),
			    .chan = run->theirs,
			    .parent = -1 };
	int r = seal(run);
	if (r < 0)
		return REFUSED;
	r = job_run(&job, &update, run->import, &updated);
	if (r < 0) {
		log_error("%s", updated.error);
		if (updated.note[0])
			log_info("%s", updated.note);
	} else {
		r = print(&job, &updated);
	}
	job_done(&job);
	return r < 0 ? REFUSED : 0;
}

/* The other half hands out files, if need be, and waits. */
static int
attend(struct run *run, pid_t child)
{
	int status = 0;
	int r = 0;

	file_closep(&run->theirs);
	if (run->ours >= 0)
		r = supply_run(run->ours, run->how->folder);
	if (r < 0)
		log_error("%s: %s", run->how->folder, strerror(-r));
	/* So that nobody waits for files that do not come. */
	file_closep(&run->ours);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return REFUSED;
	if (!WIFEXITED(status)) {
		log_error("killed by signal %d", WTERMSIG(status));
		return REFUSED;
	}
	return r < 0 ? REFUSED : WEXITSTATUS(status);
}

int
offline_run(const struct offline *offline)
{
	CLEANUP(run_done)
	struct run run = { .how = offline,
			   .state = -1,
			   .import = -1,
			   .ours = -1,
			   .theirs = -1 };

	int r = prepare(&run);
	if (r < 0)
		return REFUSED;
	pid_t child = fork();
	if (child < 0) {
		log_error("fork: %m");
		return REFUSED;
	}
	if (child == 0) {
		file_closep(&run.ours);
		_exit(verify(&run));
	}
	return attend(&run, child);
}
