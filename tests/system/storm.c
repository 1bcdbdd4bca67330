/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storm FOLDER MS UID...: a worker for each user opens and executes files
 * beneath FOLDER, known ones (FOLDER/known-UID, to be there) and new ones,
 * until MS milliseconds are over or SIGTERM comes.  Every single call is
 * timed, also those that never return.  Prints a line for each kind of call,
 *	KIND COUNT LONGEST_US ERRNO:COUNT...
 * and at last "stuck COUNT": workers that did not end.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define ERRNO_MAX 256
#define PROGRAM_MAX (1 << 20)
#define LOOK_MS 5
/* For the last call of each worker, once the storm is over. */
#define REST_MS 15000

enum { KNOWN_EXEC, NEW_EXEC, KNOWN_OPEN, NEW_OPEN, WRITE, RUN, KINDS };
static const char *const names[KINDS] = { "known-exec", "new-exec",
					  "known-open", "new-open",
					  "write",	"run" };

struct worker {
	pid_t pid;
	uid_t uid;
	_Atomic uint64_t since_us; /* 0: in no call that is timed */
	_Atomic int kind;
	struct {
		uint64_t count, longest_us;
		unsigned int errors[ERRNO_MAX];
	} kinds[KINDS];
};

static struct shared {
	_Atomic bool over;
	struct worker workers[WORKERS_MAX];
} * shared;

static const char *folder;
static char program[PROGRAM_MAX];
static size_t program_size;
static volatile sig_atomic_t told;

static void
on_term(int number)
{
	told = number;
}

static uint64_t
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
begin(struct worker *self, int kind)
{
	self->kind = kind;
	self->since_us = now_us();
}

static void
end(struct worker *self, int error)
{
	int kind = self->kind;
	uint64_t us = now_us() - self->since_us;

	self->since_us = 0;
	self->kinds[kind].count++;
	if (us > self->kinds[kind].longest_us)
		self->kinds[kind].longest_us = us;
	self->kinds[kind].errors[error < ERRNO_MAX ? error : ERRNO_MAX - 1]++;
}

/* posix_spawn() returns when the file was executed, or could not be. */
static void
run(struct worker *self, const char *path, int kind)
{
	char *argv[] = { (char *)path, NULL };
	char *environment[] = { NULL };
	int status = 0;
	pid_t pid;

	begin(self, kind);
	int error = posix_spawn(&pid, path, NULL, NULL, argv, environment);
	end(self, error);
	if (error)
		return;
	begin(self, RUN);
	if (waitpid(pid, &status, 0) < 0)
		status = -1;
	end(self, status == 0 ? 0 : ECHILD);
}

static void
read_once(struct worker *self, const char *path, int kind)
{
	begin(self, kind);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	end(self, fd < 0 ? errno : 0);
	if (fd >= 0)
		(void)close(fd);
}

/* A good program that nobody has seen: its tail is its own. */
static void
write_new(struct worker *self, const char *path)
{
	uint64_t tail[] = { now_us(), (uint64_t)getpid() };

	begin(self, WRITE);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	end(self, fd < 0 ? errno : 0);
	if (fd < 0)
		return;
	if (write(fd, program, program_size) < 0 ||
	    write(fd, tail, sizeof(tail)) < 0)
		_exit(3);
	(void)close(fd);
}

__attribute__((noreturn)) static void
work(struct worker *self, int number)
{
	char known[4096];
	char path[4096];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgroups(0, NULL) < 0 || setgid(self->uid) < 0 ||
	    setuid(self->uid) < 0)
		_exit(4);
	(void)snprintf(known, sizeof(known), "%s/known-%u", folder, self->uid);
	for (unsigned int i = 0; !shared->over; i++) {
		run(self, known, KNOWN_EXEC);
		read_once(self, known, KNOWN_OPEN);
		(void)snprintf(path, sizeof(path), "%s/storm-%d-%u", folder,
			       number, i);
		write_new(self, path);
		if (i % 2)
			run(self, path, NEW_EXEC);
		else
			read_once(self, path, NEW_OPEN);
		(void)unlink(path);
	}
	_exit(0);
}

/* A call under way counts as far as it has come. */
static void
look(struct worker *worker)
{
	uint64_t since_us = worker->since_us;
	int kind = worker->kind;
	uint64_t now = now_us();

	if (since_us == 0 || since_us != worker->since_us || now < since_us)
		return;
	if (now - since_us > worker->kinds[kind].longest_us)
		worker->kinds[kind].longest_us = now - since_us;
}

/* Returns how many have not ended. */
static int
wait_until(uint64_t until_us, int count, int left, bool stoppable)
{
	struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };

	while (left > 0 && now_us() < until_us && !(stoppable && told)) {
		(void)nanosleep(&pause, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		for (int i = 0; i < count; i++)
			look(&shared->workers[i]);
	}
	return left;
}

static void
print(int count, int kind)
{
	unsigned int errors[ERRNO_MAX] = { 0 };
	uint64_t total = 0;
	uint64_t longest_us = 0;

	for (int i = 0; i < count; i++) {
		const struct worker *worker = &shared->workers[i];

		total += worker->kinds[kind].count;
		if (worker->kinds[kind].longest_us > longest_us)
			longest_us = worker->kinds[kind].longest_us;
		for (int j = 1; j < ERRNO_MAX; j++)
			errors[j] += worker->kinds[kind].errors[j];
	}
	(void)printf("%s %llu %llu", names[kind], (unsigned long long)total,
		     (unsigned long long)longest_us);
	for (int j = 1; j < ERRNO_MAX; j++)
		if (errors[j])
			(void)printf(" %d:%u", j, errors[j]);
	(void)printf("\n");
}

static int
start(int argc, char **argv)
{
	int count = argc - 3;

	for (int i = 0; i < count; i++) {
		struct worker *worker = &shared->workers[i];

		worker->uid = (uid_t)strtoul(argv[i + 3], NULL, 10);
		worker->pid = fork();
		if (worker->pid == 0)
			work(worker, i);
		if (worker->pid < 0)
			return -1;
	}
	return count;
}

static int
prepare(void)
{
	struct sigaction action = { .sa_handler = on_term };
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, program, sizeof(program));

	if (size <= 0 || sigaction(SIGTERM, &action, NULL) < 0)
		return -1;
	(void)close(fd);
	program_size = (size_t)size;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED ? -1 : 0;
}

int
main(int argc, char **argv)
{
	if (argc < 4 || argc - 3 > WORKERS_MAX || prepare() < 0)
		return 2;
	folder = argv[1];
	(void)umask(0);
	uint64_t until_us = now_us() + strtoull(argv[2], NULL, 10) * 1000;
	int count = start(argc, argv);
	if (count < 0)
		return 2;
	int left = wait_until(until_us, count, count, true);
	shared->over = true;
	left = wait_until(now_us() + REST_MS * 1000ULL, count, left, false);
	for (int kind = 0; kind < KINDS; kind++)
		print(count, kind);
	(void)printf("stuck %d\n", left);
	return 0;
}
