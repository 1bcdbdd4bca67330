/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg.h"
#include "agent/scan/jail.h"
#include "agent/scan/report.h"
#include "agent/scan/rules.h"
#include "agent/scan/walk.h"

#define PATH_SIZE 4096
#define SHIPPED_RULES "/usr/share/khien/rules"

struct run {
	struct jail jail;
	struct rules rules;
	const char *path; /* being scanned */
	size_t loaded;	  /* rules */
	bool list;
	bool matched;
	bool failed;
	int written; /* 0, or -errno of standard output */
};

static void
on_rule(void *arg, const struct msg_rule *rule)
{
	struct run *run = arg;

	if (!rule->error[0]) {
		run->loaded++;
		if (run->list && run->written == 0)
			run->written = report_rule(rule);
		return;
	}
	log_error("rules: %s", rule->error);
	run->failed = true;
}

static void
on_verdict(void *arg, const struct msg_verdict *verdict)
{
	struct run *run = arg;

	if (verdict->len > 0)
		run->matched = true;
	if (run->written == 0)
		run->written = report_matches(run->path, verdict);
	if (verdict->result != MSG_SKIPPED && !verdict->error[0])
		return;
	log_error("%s: %s", run->path, verdict->error);
	run->failed = true;
}

static int
on_file(void *arg, int fd, const char *path)
{
	struct run *run = arg;
	const char *why;

	run->path = path;
	int r = jail_ask(&run->jail, fd, &why);
	if (r == -ECHILD) {
		log_error("%s: %s", path, why);
		run->failed = true;
		r = 0;
	}
	return r < 0 ? r : run->written;
}

static void
on_error(void *arg, const char *path, const char *why)
{
	struct run *run = arg;

	log_error("%s: %s", path, why);
	run->failed = true;
}

/* The rules beside a build, sanitized or not; else the installed ones. */
static void
find_rules(char *dst)
{
	const char *const built[] = { "/../signatures/yara",
				      "/../../signatures/yara" };
	struct stat st;
	ssize_t len = readlink("/proc/self/exe", dst, PATH_SIZE / 2);
	char *slash = len > 0 ? memrchr(dst, '/', (size_t)len) : NULL;

	for (size_t i = 0; slash && i < 2; i++) {
		memcpy(slash, built[i], strlen(built[i]) + 1);
		if (stat(dst, &st) == 0 && S_ISDIR(st.st_mode))
			return;
	}
	memcpy(dst, SHIPPED_RULES, sizeof(SHIPPED_RULES));
}

static void
read_rules(struct run *run, const char *path)
{
	int r = rules_add(&run->rules, path);

	if (r == 0)
		return;
	errno = -r;
	log_error("rules %s: %m", path);
	run->failed = true;
}

static int
scan_paths(struct run *run, const struct offline *offline)
{
	const struct walk walk = { .on_file = on_file,
				   .on_error = on_error,
				   .arg = run };
	const char *why = NULL;
	int r = jail_start(&run->jail, &why);

	if (r == -ECHILD) {
		log_error("rules: %s", why);
		run->failed = true;
		return 0;
	}
	if (r == 0 && run->loaded == 0)
		return 0; /* on_rule() has said so */
	for (size_t i = 0; r == 0 && i < offline->paths_len; i++)
		r = walk_path(&walk, offline->paths[i]);
	return r;
}

/* Else a file being scanned could take the place of standard error. */
static void
fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	file_closep(&fd);
}

int
offline_run(const struct offline *offline)
{
	char shipped[PATH_SIZE];
	struct run *run CLEANUP_FREE = calloc(1, sizeof(*run));

	if (!run)
		return 2;
	/* A reader of our output that goes away is an error like others. */
	(void)signal(SIGPIPE, SIG_IGN);
	fill_standard();
	run->list = offline->list;
	run->rules.about = offline->list;
	for (size_t i = 0; i < offline->rules_len; i++)
		read_rules(run, offline->rules[i]);
	if (offline->rules_len == 0) {
		find_rules(shipped);
		read_rules(run, shipped);
	}
	run->jail = (struct jail){ .rules = &run->rules,
				   .limits = offline->limits,
				   .on_rule = on_rule,
				   .on_verdict = on_verdict,
				   .arg = run,
				   .chan = -1 };
	int r = scan_paths(run, offline);
	jail_stop(&run->jail);
	rules_done(&run->rules);
	if (r < 0) {
		errno = -r;
		log_error("scan: %m, stopping");
	}
	if (r < 0 || run->failed)
		return 2;
	return run->matched ? 1 : 0;
}
