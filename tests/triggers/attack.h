/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What root tries against the agent, one child each, so that each is told by
 * itself; and whether it was refused, or let pass.
 */
#pragma once

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What an attempt is about; paths are those of the guest. */
struct attack {
	int khiend;
	int engine;	    /* its khien-engine */
	const char *folder; /* of the case's own */
};

/* Returns 0, or below it with errno. */
struct attempt {
	const char *name;
	int (*run)(const struct attack *attack);
	bool always; /* is let pass, whoever does it */
};

static inline int
attack_find(const char *comm)
{
	char path[300], found[32];
	int pid = 0;
	DIR *proc = opendir("/proc");

	for (struct dirent *entry; proc && (entry = readdir(proc));) {
		(void)snprintf(path, sizeof(path), "/proc/%s/comm",
			       entry->d_name);
		FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "re") : NULL;
		if (!file)
			continue;
		if (fgets(found, sizeof(found), file) &&
		    strcspn(found, "\n") == strlen(comm) &&
		    strncmp(found, comm, strlen(comm)) == 0)
			pid = atoi(entry->d_name);
		(void)fclose(file);
	}
	if (proc)
		(void)closedir(proc);
	if (!pid)
		errx(2, "%s is not there", comm);
	return pid;
}

static inline void
attack_init(struct attack *attack, const char *folder)
{
	*attack = (struct attack){ .khiend = attack_find("khiend"),
				   .engine = attack_find("khien-engine"),
				   .folder = folder };
}

/* An errno, or 0; *ret_pid did it. */
static inline int
attack_try(const struct attack *attack, const struct attempt *attempt,
	   int *ret_pid)
{
	int status;

	*ret_pid = fork();
	if (*ret_pid < 0)
		err(2, "fork");
	if (*ret_pid == 0) {
		errno = 0;
		_exit(attempt->run(attack) < 0 ? errno : 0);
	}
	if (waitpid(*ret_pid, &status, 0) < 0 || !WIFEXITED(status))
		errx(2, "%s: ended by %d", attempt->name, status);
	return WEXITSTATUS(status);
}

/*
 * All of them, and prints who tried which: {"pid": 1, "NAME": 2, ...}.  Ends
 * with 2 when one was not refused that should be, or the other way round.
 */
static inline int
attack_run(const struct attack *attack, const struct attempt *attempts,
	   size_t len, bool refused)
{
	int wrong = 0, pid = 0;

	(void)printf("{\"pid\":%d,\"khiend\":%d,\"engine\":%d", getpid(),
		     attack->khiend, attack->engine);
	for (size_t i = 0; i < len; i++) {
		const struct attempt *attempt = &attempts[i];
		bool due = refused && !attempt->always;
		int error;
		(void)fflush(stdout);
		error = attack_try(attack, attempt, &pid);
		(void)printf(",\"%s\":%d", attempt->name, pid);
		if (error == (due ? EPERM : 0))
			continue;
		warnx("%s: %s, but was to be %s", attempt->name,
		      error ? strerror(error) : "let pass",
		      due ? "refused" : "let pass");
		wrong = 2;
	}
	(void)printf("}\n");
	return wrong;
}
