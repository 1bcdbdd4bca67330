/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/daemon/keep.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define BACKLOG 64 /* clients that wait while the engine is restarted */
#define STORE "store.db"

/* errno is the caller's to log; *ret_made tells whether it was there. */
static int
make_folder(const char *path, mode_t mode, bool *ret_made)
{
	char part[CONF_PATH_MAX];

	if (str_copy(part, sizeof(part), path) < 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(part + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) == 0) {
			/* Who may read must reach the socket: no umask here. */
			if (chmod(part, 0755) < 0)
				return -1;
		} else if (errno != EEXIST) {
			return -1;
		}
		*slash = '/';
	}
	*ret_made = mkdir(path, mode) == 0;
	if (!*ret_made && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * Gives the regular files of the folder that belong to uid `from` to the new
 * owner; a second name elsewhere (a hard link) is none of ours.
 */
static int
give_files(DIR *folder, uid_t from, uid_t uid, gid_t gid)
{
	for (;;) {
		struct stat st;
		errno = 0;
		struct dirent *entry = readdir(folder);
		if (!entry)
			return -errno;
		if (fstatat(dirfd(folder), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || st.st_uid != from ||
		    st.st_nlink != 1)
			continue;
		if (fchownat(dirfd(folder), entry->d_name, uid, gid,
			     AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
	}
}

static void
closedirp(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static bool
is_empty(DIR *folder)
{
	for (struct dirent *entry = readdir(folder); entry;
	     entry = readdir(folder))
		if (!str_equal(entry->d_name, ".") &&
		    !str_equal(entry->d_name, ".."))
			return false;
	return true;
}

/*
 * The folder becomes the engine's.  One that is neither empty nor ours by its
 * store stays as it is: state_dir=/etc must not give /etc away.
 */
static int
own_state(int state, const char *path, uid_t uid, gid_t gid)
{
	struct stat st;
	struct stat store;
	int copy = openat(state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder CLEANUP(closedirp) = copy < 0 ? NULL : fdopendir(copy);

	if (!folder || fstat(state, &st) < 0) {
		int r = -errno;
		log_error("state_dir %s cannot be read: %m", path);
		return r;
	}
	bool ours = st.st_uid == uid || is_empty(folder);
	if (!ours && fstatat(state, STORE, &store, AT_SYMLINK_NOFOLLOW) == 0)
		ours = S_ISREG(store.st_mode) && store.st_uid == st.st_uid;
	if (!ours) {
		log_error("state_dir %s belongs to uid %u and holds other "
			  "files: give khiend a folder of its own",
			  path, st.st_uid);
		return -EPERM;
	}
	rewinddir(folder);
	int r = st.st_uid == uid ? 0 : give_files(folder, st.st_uid, uid, gid);
	/* One that is as it should be may be on a read-only file system. */
	bool right = st.st_uid == uid && st.st_gid == gid &&
		     (st.st_mode & 07777) == 0700;
	if (r == 0 && !right &&
	    (fchown(state, uid, gid) < 0 || fchmod(state, 0700) < 0))
		r = -errno;
	if (r < 0) {
		errno = -r;
		log_error("state_dir %s cannot be given to uid %u: %m", path,
			  uid);
	}
	return r;
}

static int
make_state(struct place *place, const struct conf *conf)
{
	bool made;

	place->state = make_folder(conf->state_dir, 0700, &made);
	if (place->state < 0) {
		int r = -errno;
		log_error("state_dir %s cannot be opened or made: %m",
			  conf->state_dir);
		return r;
	}
	if (flock(place->state, LOCK_EX | LOCK_NB) < 0) {
		int r = -errno;
		log_error("state_dir %s is in use by another khiend (%m)",
			  conf->state_dir);
		return r;
	}
	return own_state(place->state, conf->state_dir,
			 conf->role_uid[ROLE_ENGINE],
			 conf->role_gid[ROLE_ENGINE]);
}

/* In a folder of the engine's, so it is looked at before it is believed. */
static int
open_inner(int state, const char *name, int how, uid_t uid, gid_t gid)
{
	struct stat st;

	/* One that was not given away yet: nobody can have filled it. */
	if (fstatat(state, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid == geteuid())
		(void)unlinkat(state, name, AT_REMOVEDIR);
	bool made = mkdirat(state, name, 0700) == 0;
	if (!made && errno != EEXIST)
		return -errno;
	CLEANUP_FD int fd =
		openat(state, name, how | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (made && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0) ||
	    fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != uid || (st.st_mode & 077) != 0)
		return -EPERM;
	return TAKE_FD(fd);
}

/* Without it rules are those of [rules] dir, and nothing else suffers. */
static void
make_update(struct place *place, const struct conf *conf)
{
	uid_t uid = conf->role_uid[ROLE_VERIFY];

	place->update = open_inner(place->state, PLACE_UPDATE, O_PATH, uid,
				   conf->role_gid[ROLE_VERIFY]);
	if (place->update >= 0)
		return;
	errno = -place->update;
	place->update = -1;
	log_error("%s/" PLACE_UPDATE " is of no use (%m): it must be a folder "
		  "of uid %u with mode 0700; rules are not updated, and those "
		  "of [rules] dir are in force",
		  conf->state_dir, uid);
}

/* Without it nobody can see whether what is written is scanned. */
static void
make_proof(struct place *place, const struct conf *conf)
{
	place->proof = open_inner(place->state, PLACE_PROOF, O_RDONLY,
				  geteuid(), getegid());
	if (place->proof >= 0)
		return;
	errno = -place->proof;
	place->proof = -1;
	log_error("%s/" PLACE_PROOF " is of no use (%m): it must be a folder "
		  "of root's with mode 0700; there are no proofs of life",
		  conf->state_dir);
}

static int
make_run(struct place *place, const struct conf *conf)
{
	bool made;
	struct stat st;

	place->run = make_folder(conf->run_dir, 0755, &made);
	if (place->run < 0 || fstat(place->run, &st) < 0 ||
	    (made && fchmod(place->run, 0755) < 0)) {
		int r = -errno;
		log_error("run_dir %s cannot be opened or made: %m",
			  conf->run_dir);
		return r;
	}
	if (!made && (st.st_uid != geteuid() || (st.st_mode & 022) != 0)) {
		log_error("run_dir %s must belong to root and be writable by "
			  "nobody else (uid %u, mode %o)",
			  conf->run_dir, st.st_uid, st.st_mode & 07777);
		return -EPERM;
	}
	return 0;
}

/* A record lock: it ends with this process, and children do not inherit it. */
static int
take_lock(struct place *place, const struct conf *conf)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	place->lock = openat(place->run, PLACE_LOCK,
			     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (place->lock < 0) {
		int r = -errno;
		log_error("%s/" PLACE_LOCK " cannot be opened: %m",
			  conf->run_dir);
		return r;
	}
	if (fcntl(place->lock, F_SETLK, &lock) == 0)
		return 0;
	int r = -errno;
	lock.l_type = F_WRLCK;
	if (fcntl(place->lock, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		log_error("run_dir %s is in use by another khiend, process %d",
			  conf->run_dir, lock.l_pid);
	else
		log_error("run_dir %s is in use by another khiend",
			  conf->run_dir);
	return r;
}

/* Only a socket is replaced.  Returns 0 or -errno. */
static int
remove_stale(int run, const char *name)
{
	struct stat st;

	if (fstatat(run, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return unlinkat(run, name, 0) < 0 ? -errno : 0;
}

/*
 * It is root's alone until its group and mode are set: see the umask.  No
 * group is UINT32_MAX, which is what fchownat(2) takes for "as it is".
 */
static int
listen_at(const struct place *place, const char *run_dir, const char *name,
	  mode_t mode, gid_t gid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r = remove_stale(place->run, name);

	if (r < 0)
		return r;
	int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
			   run_dir, name);
	if (len < 0 || (size_t)len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	CLEANUP_FD int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (fchownat(place->run, name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) <
		    0 ||
	    fchmodat(place->run, name, mode, 0) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int
make_socket(const struct place *place, const struct conf *conf,
	    const char *name, mode_t mode, gid_t gid)
{
	int fd = listen_at(place, conf->run_dir, name, mode, gid);

	if (fd < 0) {
		errno = -fd;
		log_error("socket %s/%s cannot be made: %m", conf->run_dir,
			  name);
	}
	return fd;
}

int
place_make(struct place *place, const struct conf *conf)
{
	*place = (struct place){ -1, -1, -1, -1, -1, -1, -1 };
	int r = make_run(place, conf);
	if (r == 0)
		r = take_lock(place, conf);
	if (r == 0)
		r = make_state(place, conf);
	if (r < 0)
		return r;
	make_update(place, conf);
	make_proof(place, conf);
	place->status =
		make_socket(place, conf, PLACE_STATUS, 0660, conf->group_gid);
	if (place->status < 0)
		return place->status;
	place->control =
		make_socket(place, conf, PLACE_CONTROL, 0600, UINT32_MAX);
	return place->control < 0 ? place->control : 0;
}

static int
give(struct keep *keep, const char *name, int fd)
{
	return keep_put(keep, name, fcntl(fd, F_DUPFD_CLOEXEC, 0), true);
}

int
place_give(const struct place *place, struct keep *keeps)
{
	struct keep *engine = &keeps[ROLE_ENGINE];
	CLEANUP_FD int state =
		openat(place->state, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	int r = give(engine, PLACE_STATE, state);
	if (r == 0)
		r = give(&keeps[ROLE_QUERY], PLACE_STATE, state);
	if (r == 0)
		r = give(engine, PLACE_STATUS, place->status);
	if (r == 0)
		r = give(engine, PLACE_CONTROL, place->control);
	if (r == 0 && place->proof >= 0)
		r = give(&keeps[ROLE_PROOF], PLACE_PROOF, place->proof);
	if (r < 0 || place->update < 0)
		return r;
	r = give(&keeps[ROLE_SCAN], PLACE_UPDATE, place->update);
	return r < 0 ? r :
		       give(&keeps[ROLE_VERIFY], PLACE_UPDATE, place->update);
}

void
place_done(struct place *place)
{
	if (place->status >= 0)
		(void)unlinkat(place->run, PLACE_STATUS, 0);
	if (place->control >= 0)
		(void)unlinkat(place->run, PLACE_CONTROL, 0);
	file_closep(&place->status);
	file_closep(&place->control);
	file_closep(&place->update);
	file_closep(&place->proof);
	file_closep(&place->state);
	file_closep(&place->lock);
	file_closep(&place->run);
}
