/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/client/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "updater/client/anchor.h"
#include "updater/client/folder.h"
#include "updater/client/intake.h"
#include "updater/tuf/hashes.h"
#include "updater/tuf/name.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/targets.h"
#include "updater/tuf/trust.h"

struct client {
	struct folder metadata;
	const struct policy *policy; /* borrowed */
	int64_t now_s;
	const struct client_mirror *mirror; /* borrowed */
	struct trust *trust;		    /* owned; NULL: no refresh yet */
	size_t requests;
};

/* What was found of a target and where it is. */
struct place {
	struct target target;
	char path[NAME_URL_SIZE];
};

void
client_close(struct client *client)
{
	if (!client)
		return;
	trust_free(client->trust);
	folder_close(&client->metadata);
	free(client);
}

void
client_closep(struct client **client)
{
	client_close(*client);
	*client = NULL;
}

int
client_open(int dir, const char *path, const struct policy *policy,
	    int64_t now_s, const struct client_mirror *mirror,
	    struct client **ret_client, struct reason *why)
{
	CLEANUP(client_closep)
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->policy = policy;
	client->now_s = now_s;
	client->mirror = mirror;
	int r = folder_open(dir, path, &client->metadata);
	if (r < 0) {
		why->text[0] = '\0';
		return reason_about(why, r, path);
	}
	*ret_client = TAKE(client);
	return 0;
}

size_t
client_requests(const struct client *client)
{
	return client->requests;
}

void
client_times(const struct client *client, struct trust_times *ret_times)
{
	*ret_times = (struct trust_times){ 0 };
	if (client->trust)
		trust_times(client->trust, ret_times);
}

int64_t
client_newest_issued(const struct client *client)
{
	return client->trust ? trust_newest_issued(client->trust) : 0;
}

static int
ask(struct client *client, enum client_what what, const char *path,
    struct intake *intake, struct reason *why)
{
	const struct client_sink sink = { intake_add, intake_restart, intake };

	client->requests++;
	int r = client->mirror->get(client->mirror->arg, what, path,
				    intake_size_max(intake), &sink, why);
	/* What the sink refused is refused, whatever the mirror makes of it. */
	if (r >= 0 || intake_failed(intake))
		return intake_end(intake, why);
	return r;
}

/* Returns 0; -ENOENT; anything else ends the refresh, but for what is stored:
   that is then taken for absent. */
static int
get(struct client *client, const struct trust_wanted *wanted,
    uint8_t **ret_bytes, size_t *ret_len, struct reason *why)
{
	if (wanted->from == TRUST_STORED) {
		int r = folder_read(&client->metadata, wanted->file,
				    wanted->size_max, ret_bytes, ret_len);
		if (r < 0 && r != -ENOENT)
			log_warning("%s cannot be read: %s, asking the mirror",
				    wanted->file, strerror(-r));
		return r == -ENOMEM || r == 0 ? r : -ENOENT;
	}
	CLEANUP(intake_freep)
	struct intake *intake = intake_to_memory(wanted->size_max);
	if (!intake)
		return -ENOMEM;
	int r = ask(client, CLIENT_METADATA, wanted->file, intake, why);
	if (r == 0)
		*ret_bytes = intake_take(intake, ret_len);
	return r < 0 && r != -ENOENT ? reason_about(why, r, wanted->file) : r;
}

static int
put(struct client *client, const struct trust_taken *taken,
    const uint8_t *bytes, size_t len, struct reason *why)
{
	int r = 0;

	if (taken->forget)
		r = folder_remove(&client->metadata, "timestamp.json");
	if (taken->forget && r == 0)
		r = folder_remove(&client->metadata, "snapshot.json");
	if (taken->store && r == 0)
		r = folder_write(&client->metadata, taken->file, bytes, len);
	return r < 0 ? reason_about(why, r, taken->file) : 0;
}

static int
one_file(struct client *client, const struct trust_wanted *wanted,
	 struct reason *why)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	struct trust_taken taken;
	size_t len = 0;

	why->text[0] = '\0';
	int r = get(client, wanted, &bytes, &len, why);
	if (r == -ENOENT)
		return trust_absent(client->trust, why);
	if (r < 0)
		return r;
	r = trust_take(client->trust, bytes, len, &taken, why);
	return r < 0 ? r : put(client, &taken, bytes, len, why);
}

/* Until nothing is wanted any more. */
static int
drive(struct client *client, struct reason *why)
{
	struct trust_wanted wanted;

	for (;;) {
		trust_next(client->trust, &wanted);
		if (!wanted.from)
			return 0;
		int r = one_file(client, &wanted, why);
		if (r < 0)
			return r;
	}
}

int
client_anchor(struct client *client, int package, struct reason *why)
{
	return anchor_keep(&client->metadata, package, client->policy, why);
}

int
client_refresh(struct client *client, struct reason *why)
{
	CLEANUP_FREE uint8_t *root = NULL;
	size_t len;

	why->text[0] = '\0';
	trust_free(client->trust);
	client->trust = NULL;
	int r = folder_read(&client->metadata, "root.json", TRUST_ROOT_MAX,
			    &root, &len);
	if (r < 0)
		return reason_about(why, r, "root.json");
	r = trust_new(root, len, client->policy, client->now_s, &client->trust,
		      why);
	return r < 0 ? r : drive(client, why);
}

static int
find(struct client *client, const char *name, struct target *ret_target,
     bool *ret_consistent, struct reason *why)
{
	why->text[0] = '\0';
	if (!client->trust) {
		(void)reason_set(why, -EINVAL, "there was no refresh");
		return -EINVAL;
	}
	int r = trust_find(client->trust, name, why);
	if (r == 0)
		r = drive(client, why);
	if (r < 0)
		return r;
	r = trust_found(client->trust, ret_target, ret_consistent);
	if (r < 0)
		return reason_set(why, r, "%.200s: no role has such a target",
				  name);
	return 0;
}

int
client_find(struct client *client, const char *name, struct target *ret_target,
	    struct reason *why)
{
	bool consistent;

	return find(client, name, ret_target, &consistent, why);
}

static int
locate(struct client *client, const char *name, struct place *place,
       struct reason *why)
{
	bool consistent;

	int r = find(client, name, &place->target, &consistent, why);
	if (r != 0)
		return r;
	r = name_target_url(place->path, sizeof(place->path), &place->target,
			    consistent, why);
	return r < 0 ? reason_about(why, r, name) : 0;
}

/* A target that fails its check is an error of the mirror: what is signed of
   it is good. */
static int
fetch(struct client *client, const struct place *place, struct intake *intake,
      struct reason *why)
{
	if (!intake)
		return -ENOMEM;
	int r = ask(client, CLIENT_TARGET, place->path, intake, why);
	return r < 0 ? reason_about(why, r, place->target.name) : 0;
}

int
client_get(struct client *client, const char *name, size_t size_max,
	   uint8_t **ret_bytes, size_t *ret_len, struct reason *why)
{
	CLEANUP(intake_freep) struct intake *intake = NULL;
	struct place place;

	int r = locate(client, name, &place, why);
	if (r != 0)
		return r;
	if ((uint64_t)place.target.hashes.length > size_max)
		return reason_set(why, -EFBIG,
				  "%.200s: has more than %zu bytes", name,
				  size_max);
	intake = intake_to_target(&place.target.hashes, NULL);
	r = fetch(client, &place, intake, why);
	if (r == 0)
		*ret_bytes = intake_take(intake, ret_len);
	return r;
}

/* Whether just this target is in the folder already. */
static bool
is_there(const struct folder *folder, const char *file,
	 const struct target *target)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t len;

	return folder_read(folder, file, (size_t)target->hashes.length, &bytes,
			   &len) == 0 &&
	       hashes_check(&target->hashes, bytes, len, NULL) == 0;
}

int
client_save(struct client *client, const char *name, struct folder *folder,
	    const char *file, struct reason *why)
{
	CLEANUP(intake_freep) struct intake *intake = NULL;
	struct place place;

	int r = locate(client, name, &place, why);
	if (r != 0)
		return r;
	if (is_there(folder, file, &place.target))
		return 0;
	intake = intake_to_target(&place.target.hashes, folder);
	r = fetch(client, &place, intake, why);
	if (r < 0)
		folder_drop(folder);
	else
		r = folder_end(folder, file);
	return r < 0 && !why->text[0] ? reason_about(why, r, file) : r;
}
