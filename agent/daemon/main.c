/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khiend: starts, watches and restarts the processes of the agent. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/daemon/config.h"
#include "agent/daemon/place.h"
#include "agent/daemon/spawn.h"
#include "agent/daemon/supervise.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"
#include "agent/lib/turns.h"

#define PROGRAMS "/usr/libexec/khien"
#define EXIT_USAGE 2 /* or configuration */
#define EXIT_ASKED                                                             \
	3 /* khienctl stop: the service manager is not to restart us */
#define REST_S 5

static const char usage[] =
	"usage: khiend [--config FILE] [--programs DIR] [--check]\n"
	"\n"
	"Runs the Khien agent in the foreground; log lines go to standard "
	"error.\n"
	"\n"
	"  --config FILE   read FILE and FILE.d/*.conf instead of\n"
	"                  /etc/khien/khien.conf and khien.conf.d/*.conf\n"
	"  --programs DIR  where the other programs of the agent are\n"
	"  --check         check the configuration, print it, and exit\n"
	"  --version       print the version, and exit\n"
	"  --help          print this, and exit\n"
	"\n"
	"SIGHUP reads the configuration again, SIGTERM stops in order.\n";

struct options {
	const char *config; /* NULL: the default one */
	const char *programs;
	bool check;
};

/* Returns -1, or what to exit with. */
static int
parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "programs", required_argument, NULL, 'p' },
		{ "check", no_argument, NULL, 'k' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};

	for (;;) {
		switch (getopt_long(argc, argv, "", longs, NULL)) {
		case -1:
			if (optind == argc)
				return -1;
			(void)fprintf(stderr,
				      "khiend: unexpected argument '%s'\n",
				      argv[optind]);
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		case 'c':
			options->config = optarg;
			break;
		case 'p':
			options->programs = optarg;
			break;
		case 'k':
			options->check = true;
			break;
		case 'v':
			return puts("khiend " KHIEN_VERSION) < 0;
		case 'h':
			return fputs(usage, stdout) < 0;
		default:
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
}

/* The folder of our own program when the others lie there, as in a build. */
static int
find_programs(char *dst, size_t size)
{
	char path[PATH_MAX];
	int self CLEANUP_FD = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	if (self >= 0 && file_path(self, path, sizeof(path)) == 0) {
		*strrchr(path, '/') = '\0';
		if (str_copy(dst, size, path) == 0 &&
		    spawn_path(path, sizeof(path), dst, "engine") == 0 &&
		    access(path, X_OK) == 0)
			return 0;
	}
	return str_copy(dst, size, PROGRAMS);
}

/* We leave the folder that we were started in. */
static int
make_absolute(const char *path, char *dst, size_t size)
{
	char folder[PATH_MAX];

	if (path[0] == '/')
		return str_copy(dst, size, path);
	if (!getcwd(folder, sizeof(folder)))
		return -errno;
	int len = snprintf(dst, size, "%s/%s", folder, path);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static int
check(const char *folder, const char *config)
{
	char path[PATH_MAX];
	char *argv[] = { path, (char *)config, NULL };

	(void)close(3); /* there khien-conf would look for khiend */
	if (spawn_path(path, sizeof(path), folder, "conf") == 0)
		(void)execv(path, argv);
	log_error("program %s cannot be executed: %m", path);
	return EXIT_USAGE;
}

/* Descriptors 0 to 2 exist, 0 and 1 lead nowhere; no signal is lost. */
static int
prepare(void)
{
	static const int taken[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM };
	sigset_t set;
	int null;

	do {
		null = open("/dev/null", O_RDWR);
		if (null < 0)
			return -errno;
	} while (null <= STDERR_FILENO);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    close(null) < 0 || chdir("/") < 0)
		return -errno;
	(void)umask(077);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		/* One that we were started to ignore would never be seen. */
		if (signal(taken[i], SIG_DFL) == SIG_ERR)
			return -errno;
		sigaddset(&set, taken[i]);
	}
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

/* Its errors stand on standard error already. */
static int
read_conf(const char *folder, const char *path, struct conf *conf)
{
	struct config config;
	char why[CONFIG_WHY_MAX];

	config_init(&config);
	int r = config_start(&config, folder, path, -1);
	if (r < 0) {
		errno = -r;
		log_error("configuration cannot be read: %m");
		return r;
	}
	int status = config_wait(&config);
	r = config_take(&config, status, conf, why);
	if (r < 0)
		log_error("not started, configuration is refused: %s", why);
	return r;
}

/*
 * A service manager tries again at once, and for ever.  What a disk lacks it
 * lacks for longer: so it shall not do that ten times a second.
 */
static void
rest(void)
{
	const struct timespec time = { .tv_sec = REST_S };
	sigset_t set;

	if (!getenv("NOTIFY_SOCKET"))
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	log_info("waiting %d s before the next try", REST_S);
	(void)sigtimedwait(&set, NULL, &time);
}

static int
run(const char *folder, const char *config)
{
	static struct conf conf;
	static struct supervise supervise;
	struct place place;
	int r = prepare();

	if (r < 0) {
		errno = -r;
		log_error("not started: %m");
		return EXIT_FAILURE;
	}
	r = read_conf(folder, config, &conf);
	/* Whoever starts us gives up on a wrong configuration alone: that it
	   could not be read in time may be otherwise the next time. */
	if (r < 0)
		return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	r = place_make(&place, &conf);
	if (r == 0) {
		/* However many want a processor: a gate that hangs is killed in
		   time, and the guard's beat goes on. */
		turns_real(TURNS_WATCH);
		log_info("version " KHIEN_VERSION " starts, state in %s",
			 conf.state_dir);
		r = supervise_run(&supervise, &conf, &place, folder, config);
		log_info("stopped");
		place_done(&place);
	} else {
		place_done(&place);
		rest();
	}
	if (r < 0)
		return EXIT_FAILURE;
	return supervise.asked_to_stop ? EXIT_ASKED : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct options options = { 0 };
	char folder[PATH_MAX];
	char config[PATH_MAX];

	int status = parse(&options, argc, argv);
	if (status >= 0)
		return status;
	log_init("khiend");
	int r = options.programs ? make_absolute(options.programs, folder,
						 sizeof(folder)) :
				   find_programs(folder, sizeof(folder));
	if (r == 0 && options.config)
		r = make_absolute(options.config, config, sizeof(config));
	if (r < 0) {
		errno = -r;
		log_error("path of an option cannot be used: %m");
		return EXIT_USAGE;
	}
	const char *path = options.config ? config : NULL;
	if (options.check)
		return check(folder, path);
	if (geteuid() != 0) {
		log_error("must be started as root");
		return EXIT_USAGE;
	}
	return run(folder, path);
}
