/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"
#include "agent/lib/turns.h"

static int
set_limit(__rlimit_resource_t resource, uint64_t value)
{
	struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

static int
limit_resources(const struct role *role)
{
	int r = set_limit(RLIMIT_CORE, 0);

	if (r == 0 && role->files_max) {
		struct rlimit now;
		/* Not even root may always have more than he was given. */
		if (getrlimit(RLIMIT_NOFILE, &now) < 0)
			return -errno;
		r = set_limit(RLIMIT_NOFILE, now.rlim_max < role->files_max ?
						     now.rlim_max :
						     role->files_max);
	}
#ifndef KHIEN_SAN
	if (r == 0 && role->memory_max)
		r = set_limit(RLIMIT_AS, role->memory_max);
#endif
	return r;
}

/* A process that others wait for does not wait for its turn among them. */
static void
set_priority(const struct role *role)
{
	if (role->urgent)
		turns_real(TURNS_URGENT);
	else if (role->early)
		turns_early();
}

/*
 * A child that shares our root moves it into its own /proc/self/fdinfo and
 * ends: then the root is a folder of a process that is no more, in which
 * nothing can be found or made.
 */
static int
lose_root(void)
{
	long child = syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);

	if (child < 0)
		return -errno;
	if (child == 0) {
		if (chroot("/proc/self/fdinfo") < 0 || chdir("/") < 0)
			_exit(1);
		_exit(0);
	}
	int status;
	while (waitpid((pid_t)child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status == 0 ? 0 : -EPERM;
}

static int
change_root(const struct role *role, int dir)
{
	if (role->files == ROLE_FILES_NONE)
		return lose_root();
	if (role->files != ROLE_FILES_DIR)
		return 0;
	if (fchdir(dir) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static int
become(const struct role *role, uint32_t uid, uint32_t gid)
{
	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned int cap = 0; cap < 64; cap++)
		if (role->caps & (1ULL << cap))
			if (capng_update(CAPNG_ADD,
					 CAPNG_EFFECTIVE | CAPNG_PERMITTED,
					 cap) < 0)
				return -EINVAL;
	if (capng_change_id((int)uid, (int)gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) < 0)
		return -EPERM;
	return 0;
}

/* Every access that this kernel's Landlock can refuse; landlock(7). */
static uint64_t
landlock_rights(long abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= 1ULL << 14; /* LANDLOCK_ACCESS_FS_TRUNCATE */
	if (abi >= 5)
		rights |= 1ULL << 15; /* LANDLOCK_ACCESS_FS_IOCTL_DEV */
	return rights;
}

static int
allow_beneath(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = rights,
		.parent_fd = fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset,
		       LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ?
		       -errno :
		       0;
}

static int
allow_reading(int ruleset, const char *const *paths)
{
	int r = 0;

	for (; *paths && r == 0; paths++) {
		CLEANUP_FD int fd = open(*paths, O_PATH | O_CLOEXEC);
		if (fd >= 0)
			r = allow_beneath(ruleset, fd,
					  LANDLOCK_ACCESS_FS_READ_FILE);
	}
	return r;
}

static int
restrict_files(const struct role *role, int dir)
{
	if (role->files == ROLE_FILES_KERNEL || role->files == ROLE_FILES_ALL)
		return 0;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 0)
		return 0; /* before 5.13 or not enabled: see role.h */
	struct landlock_ruleset_attr rules = {
		.handled_access_fs = landlock_rights(abi),
	};
	CLEANUP_FD int ruleset = (int)syscall(SYS_landlock_create_ruleset,
					      &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return -errno;
	int r = 0;
	if (role->files == ROLE_FILES_DIR)
		r = allow_beneath(ruleset, dir, rules.handled_access_fs);
	else if (role->files == ROLE_FILES_READ)
		r = allow_reading(ruleset, role->reads);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return 0;
}

#ifndef KHIEN_SAN
/* Memory may be mapped, but never so that it can be executed. */
static int
allow_mapping(scmp_filter_ctx filter, int number)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* abort(3) ends us; the others of our user are none of our business. */
static int
allow_own_signal(scmp_filter_ctx filter, int number)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
				SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid(), 0));
}

/* clone3(2) keeps its flags where a filter cannot see them: libc is told that
   there is none, and takes the other. */
static int
allow_threads(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				 SCMP_SYS(clone3), 0);

	return r < 0 ? r :
		       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone),
					1,
					SCMP_A0(SCMP_CMP_MASKED_EQ,
						CLONE_THREAD, CLONE_THREAD));
}

static int
allow_sockets(scmp_filter_ctx filter, int number)
{
	static const int families[] = { AF_INET, AF_INET6, AF_NETLINK };
	int r = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (r == 0)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
					     SCMP_A0(SCMP_CMP_EQ,
						     (uint64_t)families[i], 0));
	return r;
}

static int
allow_one(scmp_filter_ctx filter, const char *name, int number)
{
	if (str_equal(name, "mmap") || str_equal(name, "mprotect"))
		return allow_mapping(filter, number);
	if (str_equal(name, "tgkill"))
		return allow_own_signal(filter, number);
	if (str_equal(name, "socket"))
		return allow_sockets(filter, number);
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int
allow(scmp_filter_ctx filter, const char *const *names)
{
	for (; *names; names++) {
		bool threads = str_equal(*names, "thread");
		int number = threads ? SCMP_SYS(clone) :
				       seccomp_syscall_resolve_name(*names);
		/* Not on this architecture: arm64 has no open(2). */
		if (number == __NR_SCMP_ERROR || number < 0)
			continue;
		int r = threads ? allow_threads(filter) :
				  allow_one(filter, *names, number);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
filter_calls(const struct role *role)
{
	if (!role->syscalls)
		return 0;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	int r = allow(filter, role_syscalls_base());
	if (r == 0)
		r = allow(filter, role->syscalls);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
#else
static int
filter_calls(const struct role *role)
{
	(void)role;
	return 0;
}
#endif

int
sandbox_enter(const struct role *role, uint32_t uid, uint32_t gid, int dir,
	      const char **ret_step)
{
	bool root = geteuid() == 0;
	int r;

	*ret_step = "resource limits";
	r = limit_resources(role);
	if (r < 0)
		return r;
	set_priority(role);
	if (root) {
		*ret_step = "new root folder";
		r = change_root(role, dir);
		if (r < 0)
			return r;
		*ret_step = "user and capabilities";
		r = become(role, uid, gid);
		if (r < 0)
			return r;
	}
	/* Cleared by the change of user: prctl(2), PR_SET_PDEATHSIG. */
	*ret_step = "no_new_privs";
	if (prctl(PR_SET_PDEATHSIG, role->outlives ? 0 : SIGKILL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	*ret_step = "Landlock";
	r = restrict_files(role, dir);
	if (r < 0)
		return r;
	*ret_step = "system call filter";
	return filter_calls(role);
}
