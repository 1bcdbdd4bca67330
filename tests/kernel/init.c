/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a guest, in an initramfs with /plan: goes over to the
 * one of two disks that has a file system, does what the plan says, and turns
 * the machine off.  What comes of each line is written to the other disk:
 * "NAME CODE MILLISECONDS LENGTH\n", as many bytes, and "\n"; the time is that
 * since the machine was started.
 *
 * A line of the plan is words with a tab between two of them:
 *   case NAME FOLDER WORD...  make the folder, run a program: its output
 *   run NAME WORD...     run a program
 *   start WORD...        start a program whose output goes to /tmp/log
 *   until SECONDS TEXT WORD...  run it again until its output has the text
 *   settle WORD...       run it followed by a pid of a process that ended,
 *                        until it prints something
 *   move PATH PATH       give a file another name
 *   stop                 end what was started
 *   file NAME PATH       the contents of a file
 * and those of lack.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/kernel/lack.h"

#define DISKS 2
#define WORDS 64
#define OUTPUT_MAX (8u << 20) /* of one program */
#define RUN_MS 30000	      /* of one program */
#define SETTLE_MS 120000
#define STOP_MS 20000
#define PAUSE_MS 50
#define LOG "/tmp/log"

static const struct {
	const char *type, *path, *options;
} mounts[] = {
	{ "proc", "/proc", NULL },
	{ "sysfs", "/sys", NULL },
	{ "tmpfs", "/tmp", "mode=1777" },
	{ "tmpfs", "/run", "mode=755" },
	{ "tmpfs", "/var", "mode=755" },
	{ "tmpfs", "/w", "mode=755" },
	{ "devpts", "/dev/pts", NULL },
	{ "tmpfs", "/dev/shm", "mode=1777" },
	{ "cgroup2", "/sys/fs/cgroup", NULL },
	{ "securityfs", "/sys/kernel/security", NULL },
	{ "tracefs", "/sys/kernel/tracing", NULL },
	{ "debugfs", "/sys/kernel/debug", NULL },
	{ "bpf", "/sys/fs/bpf", NULL },
};

static int results = -1;
static pid_t started;

struct output {
	int code; /* -1: took too long; above 255: 256 and a signal */
	char *bytes;
	size_t len;
};

__attribute__((format(printf, 1, 2))) static void
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)printf("init: ");
	(void)vprintf(format, args);
	(void)printf("\n");
	(void)fflush(stdout);
	va_end(args);
}

__attribute__((noreturn)) static void
power_off(void)
{
	if (results >= 0)
		(void)fsync(results);
	sync();
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}

__attribute__((noreturn)) static void
give_up(const char *what)
{
	say("%s: %s", what, strerror(errno));
	power_off();
}

static void
pause_ms(unsigned int ms)
{
	const struct timespec time = { .tv_sec = ms / 1000,
				       .tv_nsec = ms % 1000 * 1000000L };

	(void)nanosleep(&time, NULL);
}

static long
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* They are found in any order.  Returns the one that is not mounted. */
static const char *
mount_disk(void)
{
	static const char *const disks[DISKS] = { "/dev/nvme0n1",
						  "/dev/nvme1n1" };
	long end = now_ms() + RUN_MS;

	for (size_t i = 0; now_ms() < end; i = (i + 1) % DISKS) {
		if (access(disks[1 - i], F_OK) == 0 &&
		    mount(disks[i], "/disk", "ext4", 0, NULL) == 0)
			return disks[1 - i];
		pause_ms(10);
	}
	give_up("disks");
}

static void
go_over(void)
{
	(void)mkdir("/dev", 0755);
	(void)mkdir("/disk", 0755);
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) < 0)
		give_up("/dev");
	results = open(mount_disk(), O_WRONLY | O_CLOEXEC);
	if (results < 0)
		give_up("results");
	if (mount("/dev", "/disk/dev", NULL, MS_MOVE, NULL) < 0 ||
	    chdir("/disk") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		give_up("/disk");
	/* What the kernel gave us may be no terminal that works. */
	int console = open("/dev/console", O_RDWR | O_NOCTTY);
	for (int fd = 0; console >= 0 && fd < 3; fd++)
		(void)dup2(console, fd);
}

static void
make_mounts(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		(void)mkdir(mounts[i].path, 0755);
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, 0,
			  mounts[i].options) < 0)
			say("%s: %s", mounts[i].path, strerror(errno));
	}
	for (const char *const *path =
		     (const char *const[]){ "/var/lib", "/var/log", NULL };
	     *path; path++)
		(void)mkdir(*path, 0755);
}

static void
raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &request) < 0)
		say("lo: %s", strerror(errno));
	(void)close(sock);
}

static void
put(const void *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(results, bytes, len);
		if (n <= 0)
			give_up("results");
		bytes = (const char *)bytes + n;
		len -= (size_t)n;
	}
}

static void
report(const char *name, const struct output *output)
{
	char head[512];

	(void)snprintf(head, sizeof(head), "%s %d %ld %zu\n", name,
		       output->code, now_ms(), output->len);
	put(head, strlen(head));
	put(output->bytes, output->len);
	put("\n", 1);
	(void)fdatasync(results);
}

static pid_t
spawn(char **words, int out)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)setsid();
	(void)umask(022);
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		_exit(126);
	(void)close(null);
	lack_enter();
	(void)execv(words[0], words);
	(void)dprintf(2, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

/* The wait status of our child in the shape of struct output's code. */
static int
wait_for(pid_t pid, int limit_ms)
{
	struct pollfd fd = { .events = POLLIN };
	int status;

	fd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int r = fd.fd < 0 ? -1 : poll(&fd, 1, limit_ms);
	/* An agent that guards itself is not even killed. */
	bool ends = r > 0 || kill(-pid, SIGKILL) == 0;
	if (fd.fd >= 0)
		(void)close(fd.fd);
	if (!ends || waitpid(pid, &status, 0) < 0 || r <= 0)
		return -1;
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* The caller frees `bytes`, which a NUL follows. */
static void
slurp(int fd, struct output *ret)
{
	struct stat st;
	ssize_t n = 0;

	ret->bytes = calloc(1, OUTPUT_MAX + 1);
	if (!ret->bytes)
		give_up("memory");
	ret->len = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	do {
		ret->len += (size_t)n;
		n = pread(fd, ret->bytes + ret->len, OUTPUT_MAX - ret->len,
			  (off_t)ret->len);
	} while (n > 0);
}

static void
run(char **words, struct output *ret)
{
	int out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (out < 0)
		give_up("/tmp");
	pid_t pid = spawn(words, out);
	ret->code = pid < 0 ? -1 : wait_for(pid, RUN_MS);
	slurp(out, ret);
	(void)close(out);
}

static void
do_run(const char *name, char **words)
{
	struct output output;

	run(words, &output);
	report(name, &output);
	free(output.bytes);
}

static void
do_until(char **words)
{
	long end = now_ms() + atol(words[0]) * 1000;
	struct output output = { 0 };
	bool found = false;

	do {
		free(output.bytes);
		run(words + 2, &output);
		found = strstr(output.bytes, words[1]) != NULL;
		if (!found)
			pause_ms(PAUSE_MS);
	} while (!found && now_ms() < end);
	output.code = found ? 0 : 1;
	report("until", &output);
	free(output.bytes);
}

static void
do_settle(char **words, size_t len)
{
	long end = now_ms() + SETTLE_MS;
	struct output output = { 0 };
	char pid[16];
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	(void)waitpid(child, NULL, 0);
	(void)snprintf(pid, sizeof(pid), "%d", child);
	words[len] = pid;
	words[len + 1] = NULL;
	do {
		free(output.bytes);
		run(words, &output);
		if (output.len == 0)
			pause_ms(PAUSE_MS);
	} while (output.len == 0 && now_ms() < end);
	output.code = output.len == 0;
	report("settle", &output);
	free(output.bytes);
}

static void
do_start(char **words)
{
	int log = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (log < 0)
		give_up(LOG);
	started = spawn(words, log);
	(void)close(log);
}

static void
do_stop(void)
{
	struct output output = { .code = -1 };

	if (started > 0) {
		(void)kill(started, SIGTERM);
		output.code = wait_for(started, STOP_MS);
	}
	report("stop", &output);
}

static void
do_file(const char *name, const char *path)
{
	struct output output = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	output.code = fd < 0 ? errno : 0;
	slurp(fd, &output);
	report(name, &output);
	free(output.bytes);
	if (fd >= 0)
		(void)close(fd);
}

static void
follow(char **words, size_t len)
{
	const char *what = words[0];

	if (strcmp(what, "case") == 0 && len > 3) {
		if (mkdir(words[2], 0755) < 0)
			say("%s: %s", words[2], strerror(errno));
		do_run(words[1], words + 3);
	} else if (strcmp(what, "run") == 0 && len > 2) {
		do_run(words[1], words + 2);
	} else if (strcmp(what, "start") == 0 && len > 1) {
		do_start(words + 1);
	} else if (strcmp(what, "until") == 0 && len > 3) {
		do_until(words + 1);
	} else if (strcmp(what, "settle") == 0 && len > 1) {
		do_settle(words + 1, len - 1);
	} else if (strcmp(what, "stop") == 0) {
		do_stop();
	} else if (strcmp(what, "move") == 0 && len > 2) {
		if (rename(words[1], words[2]) < 0)
			say("%s: %s", words[1], strerror(errno));
	} else if (strcmp(what, "file") == 0 && len > 2) {
		do_file(words[1], words[2]);
	} else if (!lack_follow(words, len)) {
		say("%s: not understood", what);
	}
}

static void
read_plan(FILE *plan)
{
	char line[8192];
	char *words[WORDS + 2];

	while (fgets(line, sizeof(line), plan)) {
		char *rest = line;
		size_t len = 0;
		line[strcspn(line, "\n")] = '\0';
		while (len < WORDS && (words[len] = strsep(&rest, "\t")))
			len++;
		words[len] = NULL;
		if (len > 0)
			follow(words, len);
	}
}

int
main(void)
{
	if (getpid() != 1)
		return 2;
	FILE *plan = fopen("/plan", "re");
	if (!plan)
		give_up("/plan");
	go_over();
	make_mounts();
	raise_loopback();
	(void)setenv("KHIEN_DEBUG", "1", 1);
	say("at work after %ld ms", now_ms());
	read_plan(plan);
	(void)fclose(plan);
	say("done after %ld ms", now_ms());
	power_off();
}
