/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-verify: one request about releases of rules from khiend, then the end;
 * or, for people, a repository in a folder.  It alone writes what is in force;
 * it has no network, and everything that it reads of others is bounded and
 * signed, or is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "updater/release/export.h"
#include "updater/verify/host.h"
#include "updater/verify/job.h"
#include "updater/verify/offline.h"
#include "updater/verify/trusted.h"

#define USAGE 2
#define TRUST "/usr/share/khien/update"
#define STEP_NS (1000ULL * 1000 * 1000)
/* What khiend keeps for us: see agent/daemon/place.h. */
#define KEPT "update"

static const char usage[] =
	"usage: khien-verify -d REPOSITORY [OPTION]...\n"
	"       khien-verify -f EXPORT_FILE [OPTION]...\n"
	"       khien-verify --help | --version\n"
	"\n"
	"  --trust FOLDER  with root.json and policy.json;\n"
	"                  default " TRUST "\n"
	"  --state FOLDER  where it is staged, and remembered;\n"
	"                  default: one that is removed\n"
	"  --place N       0 (first to be served) to 100 (last);\n"
	"                  default: by this machine's id\n";

static struct peer peer;
static struct job job; /* too large for the stack */
static struct trusted trusted;
static struct host host;
static struct reason trust_why; /* why there is none */
static struct msg_update question;
static uint64_t stepped_ns;

static int
write_state(const struct msg_updated *updated)
{
	struct buf buf;

	peer_begin(&peer, &buf, MSG_UPDATED);
	msg_update_put_state(&buf, updated);
	return peer_write_parent(&peer, &buf, -1);
}

static void
on_step(void *arg, const struct remote_told *told)
{
	const struct msg_updated updated = {
		.id = question.id,
		.kind = question.kind,
		.more = true,
		.role = "",
		.requests = (uint32_t)told->requests,
		.bytes = told->bytes,
		.error = "",
		.note = "",
		.bad_reason = "",
	};
	uint64_t now_ns = loop_now_ns();

	(void)arg;
	if (now_ns - stepped_ns < STEP_NS)
		return;
	stepped_ns = now_ns;
	(void)write_state(&updated);
}

static int
answer(int file)
{
	const struct peer_link *fetch = peer_find(&peer, ROLE_FETCH, 0);
	struct msg_updated updated;

	job.trusted = &trusted;
	job.trust_why = &trust_why;
	job.engine = KHIEN_VERSION;
	job.seed = host.seed;
	job.place = host.place;
	job.now_s = time(NULL);
	job.chan = fetch ? fetch->fd : -1;
	job.parent = PEER_FD;
	job.on_step = on_step;
	int r = job_run(&job, &question, file, &updated);
	if (r < 0)
		log_warning("%s", updated.error);
	return write_state(&updated);
}

static int
on_message(void *arg, const struct peer_link *link, uint16_t type,
	   struct buf *buf, int fd)
{
	CLEANUP_FD int file = fd;

	(void)arg;
	if (link->role != ROLE_DAEMON || type != MSG_UPDATE ||
	    msg_update_get(buf, &question) < 0)
		return -EBADMSG;
	int r = answer(file);
	loop_stop(peer.loop);
	return r;
}

/* All that is opened, before the seal. */
static int
prepare(void)
{
	CLEANUP_FD int kept = peer_take_kept(&peer, KEPT);

	if (kept < 0)
		return -EBADF;
	job.dir = openat(kept, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job.dir < 0)
		return -errno;
	if (host_read(peer.conf->place, &host) < 0)
		return -EINVAL;
	/* What was staged and activated goes on without: said when asked. */
	(void)trusted_read(peer.conf->trust, &trusted, &trust_why);
	return peer_seal(&peer, job.dir);
}

static int
run_child(int argc, char **argv)
{
	job.dir = -1;
	int r = peer_start(&peer, ROLE_VERIFY, argc, argv);
	if (r == -EBADF) {
		(void)fputs(usage, stderr);
		return USAGE;
	}
	if (r == 0)
		r = prepare();
	if (r == 0) {
		peer.on_message = on_message;
		r = peer_run(&peer);
	}
	if (r < 0)
		log_error("ending: %s", strerror(-r));
	job_done(&job);
	trusted_done(&trusted);
	file_closep(&job.dir);
	peer_done(&peer);
	return r < 0 ? 1 : 0;
}

static bool
parse(struct offline *offline, int argc, char **argv)
{
	static const struct option options[] = {
		{ "trust", required_argument, NULL, 't' },
		{ "state", required_argument, NULL, 's' },
		{ "place", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while (option = getopt_long(argc, argv, "d:f:", options, NULL),
	       option >= 0) {
		if (option == 'd')
			offline->folder = optarg;
		else if (option == 'f')
			offline->file = optarg;
		else if (option == 't')
			offline->trust = optarg;
		else if (option == 's')
			offline->state = optarg;
		else if (option == 'p')
			offline->place = optarg;
		else if (option == 'h' || option == 'v')
			offline->said = option == 'h' ?
						usage :
						"khien-verify " KHIEN_VERSION
						"\n";
		else
			return false;
	}
	if (offline->said)
		return true;
	return optind == argc && !offline->folder != !offline->file;
}

int
main(int argc, char **argv)
{
	struct offline offline = { .trust = TRUST, .place = "" };

	log_init("khien-verify");
	(void)umask(077);
	tzset(); /* so that nothing looks for a time zone in the jail */
	/* Whoever reads our output may be gone. */
	(void)signal(SIGPIPE, SIG_IGN);
	int r = trust_init();
	if (r == 0)
		r = export_init();
	if (r < 0) {
		log_error("a library cannot be used: %s", strerror(-r));
		return 1;
	}
	/* khiend starts it with a number alone. */
	if (argc == 2 && argv[1][0] != '-')
		return run_child(argc, argv);
	if (!parse(&offline, argc, argv)) {
		(void)fputs(usage, stderr);
		return USAGE;
	}
	if (!offline.said)
		return offline_run(&offline);
	return fputs(offline.said, stdout) < 0 || fflush(stdout) != 0;
}
