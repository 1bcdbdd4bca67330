/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/client/forge_mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			(void)fprintf(stderr, "forge_mirror: %s\n", #what);    \
			abort();                                               \
		}                                                              \
	} while (0)

/* What an endless server would send before anybody takes it for endless. */
#define ENDLESS (256 * 1024 * 1024)
#define PIECE (1024 * 1024)
#define TEXT_MAX (1024 * 1024)

static int
send(struct forge_mirror *mirror, const struct client_sink *sink,
     const char *text, size_t len)
{
	int r = sink->add(sink->arg, text, len);

	if (r == 0)
		mirror->taken += len;
	return r;
}

static int
again(struct forge_mirror *mirror, const struct client_sink *sink)
{
	mirror->taken = 0;
	return sink->restart(sink->arg);
}

/* Until the sink refuses, and how it does. */
static int
flood(struct forge_mirror *mirror, const struct client_sink *sink)
{
	char *piece = calloc(1, PIECE);
	int r = 0;

	CHECK(piece);
	while (r == 0 && mirror->taken < ENDLESS)
		r = send(mirror, sink, piece, PIECE);
	for (int i = 0; mirror->lie == FORGE_DEAF && i < 3; i++)
		CHECK(sink->add(sink->arg, piece, i ? PIECE : 1) < 0);
	free(piece);
	return mirror->lie == FORGE_DEAF ? 0 : r;
}

static int
send_changed(struct forge_mirror *mirror, const struct client_sink *sink,
	     const char *text, size_t len)
{
	char *copy = forge_text("%s", text);

	copy[len / 2] ^= 1;
	int r = send(mirror, sink, copy, len);
	free(copy);
	return r;
}

static int
send_pieces(struct forge_mirror *mirror, const struct client_sink *sink,
	    const char *text, size_t len)
{
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i++)
		r = send(mirror, sink, text + i, 1);
	return r;
}

static int
lie(struct forge_mirror *mirror, const struct client_sink *sink,
    const char *text, size_t len)
{
	int r;

	switch (mirror->lie) {
	case FORGE_PIECES:
		return send_pieces(mirror, sink, text, len);
	case FORGE_AGAIN:
		r = send(mirror, sink, text, len / 2);
		if (r == 0)
			r = again(mirror, sink);
		return r < 0 ? r : send(mirror, sink, text, len);
	case FORGE_AFTER_TOO_MUCH:
		CHECK(flood(mirror, sink) < 0);
		r = again(mirror, sink);
		return r < 0 ? r : send(mirror, sink, text, len);
	case FORGE_SHORT:
		return send(mirror, sink, text, len - 1);
	case FORGE_LONG:
		r = send(mirror, sink, text, len);
		return r < 0 ? r : send(mirror, sink, "}", 1);
	case FORGE_CHANGED:
		return send_changed(mirror, sink, text, len);
	case FORGE_EMPTY:
		return 0;
	case FORGE_ENDLESS:
	case FORGE_DEAF:
		return flood(mirror, sink);
	case FORGE_BREAKS:
		r = send(mirror, sink, text, len / 2);
		return r < 0 ? r : mirror->error;
	case FORGE_SILENT:
		return mirror->error;
	case FORGE_HONEST:
	case FORGE_LIES:
		break;
	}
	return send(mirror, sink, text, len);
}

static int
get(void *arg, enum client_what what, const char *path, size_t size_max,
    const struct client_sink *sink, struct reason *why)
{
	struct forge_mirror *mirror = arg;
	char file[600];

	(void)size_max;
	(void)snprintf(file, sizeof(file), "%s%s",
		       what == CLIENT_TARGET ? "targets/" : "", path);
	(void)snprintf(mirror->last, sizeof(mirror->last), "%s", file);
	mirror->requests++;
	mirror->taken = 0;
	const char *text = forge_get(&mirror->forge->mirror, file);
	if ((!mirror->at || mirror->at == mirror->requests) &&
	    (!mirror->about || strstr(file, mirror->about)) &&
	    (text || mirror->lie == FORGE_SILENT))
		return lie(mirror, sink, text, text ? strlen(text) : 0);
	if (!text)
		return reason_set(why, -ENOENT, "is not here");
	return send(mirror, sink, text, strlen(text));
}

struct client_mirror
forge_mirror_use(struct forge_mirror *mirror)
{
	return (struct client_mirror){ get, mirror };
}

char *
forge_mirror_target(struct forge *forge, const char *name, const char *text)
{
	uint8_t sum[32];
	char digits[65], file[600];
	const char *last = strrchr(name, '/');
	int dir = last ? (int)(last - name) + 1 : 0;

	SHA256((const uint8_t *)text, strlen(text), sum);
	str_hex(digits, sum, sizeof(sum));
	(void)snprintf(file, sizeof(file), "targets/%.*s%s%s%s", dir, name,
		       forge->consistent ? digits : "",
		       forge->consistent ? "." : "", name + dir);
	forge_put(&forge->mirror, file, forge_text("%s", text));
	return forge_text("\"%s\":{\"length\":%zu,\"hashes\":{\"sha256\":"
			  "\"%s\"}}",
			  name, strlen(text), digits);
}

int
forge_mirror_folder(void)
{
	char path[] = "/tmp/khien-client-XXXXXX";

	CHECK(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

void
forge_mirror_remove(int folder)
{
	char path[512];
	const struct dirent *one;

	CHECK(file_path(folder, path, sizeof(path)) == 0);
	DIR *dir = fdopendir(folder);
	CHECK(dir);
	rewinddir(dir);
	while (one = readdir(dir), one)
		if (!str_equal(one->d_name, ".") &&
		    !str_equal(one->d_name, "..") &&
		    unlinkat(folder, one->d_name, 0) < 0)
			CHECK(unlinkat(folder, one->d_name, AT_REMOVEDIR) == 0);
	(void)closedir(dir);
	CHECK(rmdir(path) == 0);
}

char *
forge_mirror_read(int folder, const char *file)
{
	char *text = malloc(TEXT_MAX);
	size_t len;

	CHECK(text);
	int r = file_read(folder, file, text, TEXT_MAX, &len);
	CHECK(r == 0 || r == -ENOENT);
	if (r == 0)
		return text;
	free(text);
	return NULL;
}

void
forge_mirror_write(int folder, const char *file, const char *text)
{
	int fd = openat(folder, file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK(file_write_all(fd, text, strlen(text)) == 0);
	CHECK(close(fd) == 0);
}

static void
check_one(int folder, const char *file, const struct forge *forge)
{
	char *text = forge_mirror_read(folder, file);
	size_t same = 0;

	CHECK(text);
	for (size_t i = 0; i < forge->mirror.len; i++)
		same += str_equal(forge->mirror.list[i].text, text);
	if (!same)
		(void)fprintf(stderr, "%s: %s\n", file, text);
	CHECK(same);
	free(text);
}

void
forge_mirror_check(int folder, const struct forge *forge)
{
	const struct dirent *one;

	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	DIR *dir = fdopendir(fd);
	CHECK(dir);
	while (one = readdir(dir), one) {
		size_t len = strlen(one->d_name);
		if (len > 5 && str_equal(one->d_name + len - 5, ".json"))
			check_one(folder, one->d_name, forge);
	}
	(void)closedir(dir);
}
