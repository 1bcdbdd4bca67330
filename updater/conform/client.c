/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/conform/client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "updater/conform/folder.h"
#include "updater/http/http.h"
#include "updater/tuf/hashes.h"
#include "updater/tuf/name.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/targets.h"
#include "updater/tuf/trust.h"

#define URL_SIZE 8192

struct client {
	const struct client_places *places;
	struct folder metadata, targets;
	struct http *http;   /* owned */
	struct trust *trust; /* owned */
};

/* Bytes that were fetched. */
struct bytes {
	uint8_t *start; /* owned; never NULL once there was an answer */
	size_t len, size;
};

/* A target on its way. */
struct arrival {
	struct folder *folder;
	struct hashes_sum *sum;
	struct reason *why;
};

void
client_free(struct client *client)
{
	if (!client)
		return;
	trust_free(client->trust);
	http_free(client->http);
	folder_close(&client->metadata);
	folder_close(&client->targets);
	free(client);
}

void
client_freep(struct client **client)
{
	client_free(*client);
	*client = NULL;
}

static int
join(char *dst, const char *base, const char *path, struct reason *why)
{
	size_t len = strlen(base);

	while (len && base[len - 1] == '/')
		len--;
	int all = snprintf(dst, URL_SIZE, "%.*s/%s", (int)len, base, path);
	if (all < 0 || all >= URL_SIZE)
		return reason_set(why, -ENAMETOOLONG,
				  "the address is too long");
	return 0;
}

static int
keep(void *arg, const void *piece, size_t len)
{
	struct bytes *bytes = arg;

	if (len > bytes->size - bytes->len) {
		size_t size = 2 * bytes->size + len;
		uint8_t *start = realloc(bytes->start, size);
		if (!start)
			return -ENOMEM;
		bytes->start = start;
		bytes->size = size;
	}
	memcpy(bytes->start + bytes->len, piece, len);
	bytes->len += len;
	return 0;
}

/* Returns 0; -ENOENT; anything else ends the refresh, but for what is stored:
   that is then taken for absent. */
static int
get(struct client *client, const struct trust_wanted *wanted,
    struct bytes *ret_bytes, struct reason *why)
{
	char url[URL_SIZE];

	if (wanted->from == TRUST_STORED) {
		int r = folder_read(&client->metadata, wanted->file,
				    wanted->size_max, &ret_bytes->start,
				    &ret_bytes->len);
		if (r < 0 && r != -ENOENT)
			log_warning("%s cannot be read: %s, asking the mirror",
				    wanted->file, strerror(-r));
		return r == -ENOMEM || r == 0 ? r : -ENOENT;
	}
	int r = join(url, client->places->metadata_url, wanted->file, why);
	if (r == 0)
		r = http_get(client->http, url, wanted->size_max, keep,
			     ret_bytes, why);
	return r < 0 && r != -ENOENT ? reason_about(why, r, wanted->file) : r;
}

static int
put(struct client *client, const struct trust_taken *taken,
    const struct bytes *bytes, struct reason *why)
{
	int r = 0;

	if (taken->forget)
		r = folder_remove(&client->metadata, "timestamp.json");
	if (taken->forget && r == 0)
		r = folder_remove(&client->metadata, "snapshot.json");
	if (taken->store && r == 0)
		r = folder_write(&client->metadata, taken->file, bytes->start,
				 bytes->len);
	return r < 0 ? reason_about(why, r, taken->file) : 0;
}

static int
one_file(struct client *client, const struct trust_wanted *wanted,
	 struct bytes *bytes, struct reason *why)
{
	struct trust_taken taken;

	why->text[0] = '\0';
	int r = get(client, wanted, bytes, why);
	if (r == -ENOENT)
		return trust_absent(client->trust, why);
	if (r < 0)
		return r;
	r = trust_take(client->trust, bytes->start, bytes->len, &taken, why);
	return r < 0 ? r : put(client, &taken, bytes, why);
}

/* Until nothing is wanted any more. */
static int
drive(struct client *client, struct reason *why)
{
	struct trust_wanted wanted;

	for (;;) {
		struct bytes bytes = { 0 };
		trust_next(client->trust, &wanted);
		if (!wanted.from)
			return 0;
		int r = one_file(client, &wanted, &bytes, why);
		free(bytes.start);
		if (r < 0)
			return r;
	}
}

int
client_init(const struct client_places *places, const char *file,
	    const struct policy *policy, struct reason *why)
{
	CLEANUP(trust_freep) struct trust *trust = NULL;
	CLEANUP_FREE char *bytes = malloc(TRUST_ROOT_MAX);
	CLEANUP(folder_close) struct folder folder = { -1, -1 };
	size_t len;

	if (!bytes)
		return -ENOMEM;
	int r = file_read(AT_FDCWD, file, bytes, TRUST_ROOT_MAX, &len);
	if (r < 0)
		return reason_about(why, r, file);
	r = trust_new(bytes, len, policy, time(NULL), &trust, why);
	if (r < 0)
		return r;
	r = folder_open(places->metadata_dir, &folder);
	if (r == 0)
		r = folder_remove(&folder, "timestamp.json");
	if (r == 0)
		r = folder_remove(&folder, "snapshot.json");
	if (r == 0)
		r = folder_write(&folder, "root.json", bytes, len);
	return r < 0 ? reason_about(why, r, places->metadata_dir) : 0;
}

static int
begin(struct client *client, const struct policy *policy, struct reason *why)
{
	CLEANUP_FREE uint8_t *root = NULL;
	const char *dir = client->places->metadata_dir;
	size_t len;

	int r = folder_open(dir, &client->metadata);
	if (r == 0 && client->places->target_dir) {
		dir = client->places->target_dir;
		r = folder_open(dir, &client->targets);
	}
	if (r < 0)
		return reason_about(why, r, dir);
	client->http = http_new();
	if (!client->http)
		return reason_set(why, -ENOMEM, "libcurl cannot be used");
	r = folder_read(&client->metadata, "root.json", TRUST_ROOT_MAX, &root,
			&len);
	if (r < 0)
		return reason_about(why, r, "root.json");
	return trust_new(root, len, policy, time(NULL), &client->trust, why);
}

int
client_new(const struct client_places *places, const struct policy *policy,
	   struct client **ret_client, struct reason *why)
{
	CLEANUP(client_freep)
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->places = places;
	client->metadata = (struct folder){ -1, -1 };
	client->targets = (struct folder){ -1, -1 };
	int r = begin(client, policy, why);
	if (r == 0)
		r = drive(client, why);
	if (r == 0)
		*ret_client = TAKE(client);
	return r;
}

/* Whether just this target is in the folder already. */
static bool
is_there(const struct client *client, const char *file,
	 const struct target *target)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	return folder_read(&client->targets, file,
			   (size_t)target->hashes.length, &bytes, &len) == 0 &&
	       hashes_check(&target->hashes, bytes, len, NULL) == 0;
}

static int
arrive(void *arg, const void *bytes, size_t len)
{
	const struct arrival *arrival = arg;

	int r = hashes_sum_add(arrival->sum, bytes, len, arrival->why);
	return r < 0 ? r : folder_add(arrival->folder, bytes, len);
}

static int
fetch(struct client *client, const char *url, const char *file,
      const struct target *target, struct reason *why)
{
	CLEANUP(hashes_sum_freep)
	struct hashes_sum *sum = hashes_sum_new(&target->hashes);
	struct arrival arrival = { &client->targets, sum, why };

	if (!sum)
		return -ENOMEM;
	int r = folder_begin(&client->targets);
	if (r == 0)
		r = http_get(client->http, url, (size_t)target->hashes.length,
			     arrive, &arrival, why);
	if (r == 0)
		r = hashes_sum_end(sum, why);
	if (r == 0)
		return folder_end(&client->targets, file);
	folder_drop(&client->targets);
	return r;
}

int
client_download(struct client *client, const char *name, struct reason *why)
{
	char path[NAME_URL_SIZE], file[NAME_MAX + 1], url[URL_SIZE];
	struct target target;
	bool consistent;

	why->text[0] = '\0';
	int r = trust_find(client->trust, name, why);
	if (r == 0)
		r = drive(client, why);
	if (r < 0)
		return r;
	r = trust_found(client->trust, &target, &consistent);
	if (r < 0)
		(void)reason_set(why, r, "no role has such a target");
	if (r == 0)
		r = name_target_url(path, sizeof(path), &target, consistent,
				    why);
	if (r == 0)
		r = name_encode(file, sizeof(file), name, false);
	if (r == 0)
		r = join(url, client->places->target_url, path, why);
	if (r == 0 && !is_there(client, file, &target))
		r = fetch(client, url, file, &target, why);
	return r < 0 ? reason_about(why, r, name) : 0;
}
