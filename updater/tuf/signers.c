/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/signers.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/lib/doc.h"
#include "agent/lib/str.h"
#include "updater/tuf/key.h"
#include "updater/tuf/reason.h"

struct adding {
	struct signers_keys *keys;
	struct reason *why;
};

static int
add_key(void *arg, const char *name, const struct doc_value *value)
{
	struct adding *adding = arg;
	struct signers_keys *keys = adding->keys;

	if (keys->len == SIGNERS_KEYS_MAX)
		return reason_set(adding->why, -EBADMSG,
				  "lists more than %d keys", SIGNERS_KEYS_MAX);
	int r = key_parse(name, value, &keys->list[keys->len], adding->why);
	if (r == 0)
		keys->len++;
	return r;
}

int
signers_keys_parse(const struct doc_value *keys, struct signers_keys *ret_keys,
		   struct reason *why)
{
	struct adding adding = { ret_keys, why };

	if (!doc_is_object(keys, NULL))
		return reason_set(why, -EBADMSG, "has no object of keys");
	ret_keys->list = calloc(SIGNERS_KEYS_MAX, sizeof(ret_keys->list[0]));
	if (!ret_keys->list)
		return -ENOMEM;
	return doc_each(keys, NULL, add_key, &adding);
}

void
signers_keys_done(struct signers_keys *keys)
{
	for (size_t i = 0; i < keys->len; i++)
		key_free(keys->list[i]);
	free(keys->list);
	*keys = (struct signers_keys){ 0 };
}

static const struct key *
find(const struct signers_keys *keys, const char *id)
{
	for (size_t i = 0; id && i < keys->len; i++)
		if (str_equal(key_id(keys->list[i]), id))
			return keys->list[i];
	return NULL;
}

static bool
has(const struct signers *signers, const char *id)
{
	for (size_t i = 0; i < signers->len; i++)
		if (str_equal(key_id(signers->list[i]), id))
			return true;
	return false;
}

int
signers_parse(const struct signers_keys *keys, const char *name,
	      const struct doc_value *role, struct signers *ret_signers,
	      struct reason *why)
{
	size_t len = doc_len(role, "keyids");

	if (!doc_is_list(role, "keyids") || len > SIGNERS_KEYS_MAX)
		return reason_set(why, -EBADMSG,
				  "gives role %.64s no list of keys", name);
	if (doc_number(role, "threshold", &ret_signers->threshold) < 0 ||
	    ret_signers->threshold < 1)
		return reason_set(why, -EBADMSG,
				  "gives role %.64s no threshold from 1 up",
				  name);
	ret_signers->list = calloc(len + 1, sizeof(ret_signers->list[0]));
	if (!ret_signers->list)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		const char *id = doc_text(doc_item(role, "keyids", i), NULL);
		const struct key *key = find(keys, id);
		if (!key || has(ret_signers, id))
			return reason_set(why, -EBADMSG,
					  "gives role %.64s a key that is %s",
					  name,
					  key ? "there twice" : "missing");
		ret_signers->list[ret_signers->len++] = key;
	}
	return 0;
}

void
signers_done(struct signers *signers)
{
	free(signers->list);
	*signers = (struct signers){ 0 };
}

bool
signers_lost(const struct signers *old, const struct signers *now)
{
	for (size_t i = 0; i < old->len; i++)
		if (!has(now, key_id(old->list[i])))
			return true;
	return false;
}
