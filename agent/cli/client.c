/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define PROTOCOL_VERSION 1
#define READ_SIZE (64 * 1024)
/* No honest line is longer: a value is at most 4 MiB, escaped. */
#define LINE_MAX_SIZE (256 * 1024 * 1024)

struct client {
	int fd;
	char *bytes; /* owned; read and not yet used from `from` to `to` */
	size_t from, to, size;
};

/* Who may connect, for whoever may not. */
static int
say_denied(const char *path, char *why, size_t why_size)
{
	struct stat stat;
	const struct group *group = NULL;

	/* The folder may be closed to us as well. */
	if (lstat(path, &stat) == 0)
		group = getgrgid(stat.st_gid);
	if (group && stat.st_gid && (stat.st_mode & S_IWGRP))
		(void)snprintf(why, why_size,
			       "permission denied: %s is for root and members "
			       "of group %s",
			       path, group->gr_name);
	else
		(void)snprintf(why, why_size,
			       "permission denied: %s is not for you; ask as "
			       "root or as a member of its group",
			       path);
	return -EACCES;
}

static int
say_failed(int error, const char *path, char *why, size_t why_size)
{
	if (error == EACCES || error == EPERM)
		return say_denied(path, why, why_size);
	if (error == ENOENT || error == ECONNREFUSED)
		(void)snprintf(why, why_size,
			       "the agent is not running: %s at %s",
			       error == ENOENT ? "there is no socket" :
						 "nobody listens",
			       path);
	else
		(void)snprintf(why, why_size, "cannot connect to %s: %s", path,
			       strerror(error));
	return -error;
}

/*
 * A socket's address holds 107 bytes of path: a longer one is reached through
 * its folder's descriptor.
 */
static int
set_address(const char *path, struct sockaddr_un *address, int *ret_dir)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (str_copy(address->sun_path, sizeof(address->sun_path), path) == 0)
		return 0;
	size_t len = slash ? (size_t)(slash - path) : 0;
	if (!slash || len >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, len);
	dir[len] = '\0';
	*ret_dir = open(len ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir < 0)
		return -errno;
	int written = snprintf(address->sun_path, sizeof(address->sun_path),
			       "/proc/self/fd/%d/%s", *ret_dir, slash + 1);
	return (size_t)written < sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

static struct client *
client_new(void)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd >= 0)
		return client;
	free(client);
	return NULL;
}

int
client_open(const char *path, struct client **ret_client, char *why,
	    size_t why_size)
{
	CLEANUP(client_freep) struct client *client = client_new();
	CLEANUP_FD int dir = -1;
	struct sockaddr_un address;

	if (!client)
		return say_failed(errno, path, why, why_size);
	int r = set_address(path, &address, &dir);
	if (r < 0)
		return say_failed(-r, path, why, why_size);
	if (connect(client->fd, (const struct sockaddr *)&address,
		    sizeof(address)) < 0)
		return say_failed(errno, path, why, why_size);
	*ret_client = TAKE(client);
	return 0;
}

void
client_free(struct client *client)
{
	if (!client)
		return;
	file_closep(&client->fd);
	free(client->bytes);
	free(client);
}

void
client_freep(struct client **client)
{
	client_free(*client);
	*client = NULL;
}

int
client_ask(struct client *client, const char *command,
	   const struct doc *options)
{
	return client_ask_with(client, command, options, -1);
}

int
client_ask_with(struct client *client, const char *command,
		const struct doc *options, int fd)
{
	CLEANUP(doc_freep) struct doc *request = doc_new();

	doc_set_number(request, "version", PROTOCOL_VERSION);
	doc_set_text(request, "command", command);
	if (options)
		doc_set(request, "options", doc_copy(doc_root(options)));
	CLEANUP_FREE char *line = doc_write(request);
	return line ? client_send(client, line, fd) : -ENOMEM;
}

/* Sends bytes, the first of them with the descriptor.  Waits as needed. */
static int
send_all(int to, const char *bytes, size_t len, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };

	while (len) {
		struct iovec part = { (void *)(uintptr_t)bytes, len };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
		if (fd >= 0) {
			message.msg_control = control.bytes;
			message.msg_controllen = sizeof(control.bytes);
			control.head.cmsg_level = SOL_SOCKET;
			control.head.cmsg_type = SCM_RIGHTS;
			control.head.cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		}
		ssize_t sent = sendmsg(to, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		fd = -1;
		bytes += sent;
		len -= (size_t)sent;
	}
	return 0;
}

int
client_send(struct client *client, const char *line, int fd)
{
	CLEANUP_FREE char *whole = NULL;

	int len = asprintf(&whole, "%s\n", line);
	if (len < 0)
		return -ENOMEM;
	return send_all(client->fd, whole, (size_t)len, fd);
}

int
client_finish(struct client *client)
{
	return shutdown(client->fd, SHUT_WR) < 0 ? -errno : 0;
}

/* Reads more behind what is left of the buffer. */
static int
fill(struct client *client)
{
	if (client->from && client->bytes) {
		memmove(client->bytes, client->bytes + client->from,
			client->to - client->from);
		client->to -= client->from;
		client->from = 0;
	}
	if (client->size - client->to < READ_SIZE) {
		size_t size = 2 * client->size + 2 * READ_SIZE;
		if (size > LINE_MAX_SIZE)
			return -EBADMSG;
		char *bytes = realloc(client->bytes, size);
		if (!bytes)
			return -ENOMEM;
		client->bytes = bytes;
		client->size = size;
	}
	ssize_t got = read(client->fd, client->bytes + client->to,
			   client->size - client->to);
	if (got < 0)
		return -errno;
	client->to += (size_t)got;
	return got ? 0 : -EPIPE;
}

/* The next line's text and length, ended by NUL in place of its line end. */
static int
next_line(struct client *client, char **ret_line, size_t *ret_len)
{
	size_t looked = 0;

	for (;;) {
		char *line =
			client->bytes ? client->bytes + client->from : NULL;
		size_t len = client->to - client->from;
		char *end =
			line ? memchr(line + looked, '\n', len - looked) : NULL;
		if (end) {
			*end = '\0';
			*ret_line = line;
			*ret_len = (size_t)(end - line);
			client->from += *ret_len + 1;
			return 0;
		}
		looked = len;
		int r = fill(client);
		if (r < 0)
			return r == -ECONNRESET ? -EPIPE : r;
	}
}

static void
read_end(const struct doc_value *reply, struct client_end *end)
{
	end->exit = (int)doc_number_or(reply, "khien.end.exit", 2);
	if (end->exit < 0 || end->exit > 2)
		end->exit = 2;
	end->truncated = doc_true(reply, "khien.end.truncated");
	end->rows = doc_number_or(reply, "khien.end.rows", 0);
	(void)snprintf(end->error, sizeof(end->error), "%s",
		       doc_text_or(reply, "khien.end.error", ""));
}

int
client_read(struct client *client, const char **ret_line, struct doc **ret_doc,
	    struct client_end *ret_end)
{
	CLEANUP(doc_freep) struct doc *doc = NULL;
	char *line;
	size_t len;

	int r = next_line(client, &line, &len);
	if (r < 0)
		return r;
	r = doc_parse(line, len, &doc, NULL, 0);
	if (r < 0)
		return r == -EINVAL ? -EBADMSG : r;
	if (doc_is_object(doc_root(doc), "khien.end")) {
		read_end(doc_root(doc), ret_end);
		return 0;
	}
	*ret_line = line;
	*ret_doc = TAKE(doc);
	return 1;
}

void
client_leave(const struct client *client)
{
	int saved = errno;

	(void)shutdown(client->fd, SHUT_RDWR);
	errno = saved;
}
