/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names a file by way of a symbolic link to its folder:
 * real_path DIR unlink|rename|mkdir|rmdir|link|symlink|mknod|chmod|chown|fails.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char real[2048], link_path[2048];
static char one[4096], two[4096], real_one[4096], real_two[4096];

static void
set(char *dst, const char *folder, const char *name)
{
	(void)snprintf(dst, sizeof(one), "%s/%s", folder, name);
}

static int
act(const char *how)
{
	if (strcmp(how, "unlink") == 0)
		return unlink(one);
	if (strcmp(how, "rename") == 0)
		return rename(one, two);
	if (strcmp(how, "mkdir") == 0)
		return mkdir(two, 0750);
	if (strcmp(how, "rmdir") == 0)
		return mkdir(real_two, 0700) < 0 ? -1 : rmdir(two);
	if (strcmp(how, "link") == 0)
		return link(one, two);
	if (strcmp(how, "symlink") == 0)
		return symlink("there", two);
	if (strcmp(how, "mknod") == 0)
		return mkfifo(two, 0640);
	if (strcmp(how, "chmod") == 0)
		return chmod(one, 04755);
	if (strcmp(how, "chown") == 0)
		return chown(one, 12345, (gid_t)-1);
	/* After each check that leaves a path: the next call has its own. */
	if (rmdir(one) == 0 || rename(one, real) == 0 ||
	    mkdir(one, 0700) == 0 || link(one, one) == 0)
		return -1;
	return unlink(one);
}

int
main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	const char *how = argc > 2 ? argv[2] : "unlink";

	(void)snprintf(real, sizeof(real), "%s/real.%d", dir, getpid());
	(void)snprintf(link_path, sizeof(link_path), "%s/link.%d", dir,
		       getpid());
	set(one, link_path, "one");
	set(two, link_path, "two");
	set(real_one, real, "one");
	set(real_two, real, "two");
	if (mkdir(real, 0755) < 0 || symlink(real, link_path) < 0 ||
	    close(open(real_one, O_CREAT | O_EXCL | O_WRONLY, 0600)) < 0)
		err(2, "%s", real);
	(void)umask(022);
	if (act(how) < 0)
		err(2, "%s", how);
	(void)printf("{\"type\":\"real_path\",\"pid\":%d,\"path\":\"%s\","
		     "\"path2\":\"%s\",\"real_path\":\"%s\","
		     "\"real_path2\":\"%s\"}\n",
		     getpid(), one, two, real_one, real_two);
	return 0;
}
