/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/repo/args.h"
#include "updater/repo/paper.h"
#include "updater/repo/passphrase.h"
#include "updater/repo/set.h"
#include "updater/repo/sign.h"
#include "updater/tuf/canonical.h"
#include "updater/tuf/key.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/metadata.h"
#include "updater/tuf/reason.h"

void
secrets_done(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->len; i++) {
		sign_free(secrets->list[i].key);
		key_free(secrets->list[i].half);
	}
	secrets->len = 0;
}

/* The public half as a key of its own, which key_equal() knows again. */
static int
make_half(struct secret *secret, struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	CLEANUP_FREE char *text = sign_public(secret->key);
	CLEANUP_FREE uint8_t *bytes = NULL;
	char id[2 * LIBCRYPTO_SUM_MAX + 1];
	size_t len;

	if (!text || !doc)
		return -ENOMEM;
	doc_set_text(doc, "keytype", sign_type(secret->key));
	doc_set_text(doc, "scheme", sign_scheme(secret->key));
	doc_set_text(doc, "keyval.public", text);
	int r = canonical_write(doc_root(doc), &bytes, &len, why);
	if (r == 0)
		r = libcrypto_sum_text(LIBCRYPTO_SHA256, bytes, len, id);
	if (r == 0)
		r = key_parse(id, doc_root(doc), &secret->half, why);
	return r;
}

static int
open_one(struct secret *secret, int dir, const char *path,
	 const char *passphrase_file, struct reason *why)
{
	CLEANUP(passphrase_wipe) struct passphrase passphrase = { "" };
	CLEANUP_FREE char *pem = malloc(SIGN_PEM_MAX);
	size_t len;

	if (!pem)
		return -ENOMEM;
	why->text[0] = '\0';
	int r = file_read(dir, path, pem, SIGN_PEM_MAX, &len);
	if (r < 0)
		return reason_set(why, r, "key %.300s: %s", path, strerror(-r));
	r = passphrase_get(&passphrase, path, passphrase_file, false, why);
	if (r < 0)
		return r;
	r = sign_read(pem, passphrase.text, &secret->key, why);
	if (r == 0)
		r = make_half(secret, why);
	if (r == 0)
		return 0;
	char cause[REASON_SIZE];
	memcpy(cause, why->text, sizeof(cause));
	return reason_set(why, r, "key %.200s: %.400s", path,
			  cause[0] ? cause : strerror(-r));
}

int
secrets_open(struct secrets *ret_secrets, const struct args *args, int dir,
	     const char *otherwise, struct reason *why)
{
	size_t wanted = 0;

	*ret_secrets = (struct secrets){ 0 };
	while (args_nth(args, ARGS_KEY_FILE, wanted))
		wanted++;
	if (wanted > SECRET_KEYS_MAX)
		return reason_set(why, -EINVAL, "more than %d keys at once",
				  SECRET_KEYS_MAX);
	bool own = !wanted && otherwise && otherwise[0];
	if (!wanted && !own)
		return reason_set(why, -EINVAL,
				  "option --key FILE is missing: whose "
				  "signature shall it be?");
	for (size_t i = 0; i < (own ? 1 : wanted); i++) {
		const char *path =
			own ? otherwise : args_nth(args, ARGS_KEY_FILE, i);
		int r = open_one(&ret_secrets->list[ret_secrets->len++],
				 own ? dir : AT_FDCWD, path,
				 args_nth(args, ARGS_PASSPHRASE_FILE, i), why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
sign_one(const struct secret *secret, struct paper *paper, const char *id,
	 struct reason *why)
{
	CLEANUP_FREE char *sig = NULL;

	int r = sign_bytes(secret->key, paper->metadata->canonical,
			   paper->metadata->canonical_len, &sig);
	if (r < 0)
		return reason_set(why, r, "libcrypto cannot sign %s",
				  duty_name(paper->id));
	return paper_add(paper, id, sig, why);
}

int
secrets_sign(const struct secrets *secrets, struct paper *paper,
	     const struct metadata *delegator, size_t *ret_count,
	     struct reason *why)
{
	CLEANUP(set_signers_done) struct set_signers who = { 0 };
	size_t count = 0;

	int r = set_signers(delegator, paper->id, &who, why);
	for (size_t i = 0; i < secrets->len && r == 0; i++)
		for (size_t j = 0; j < who.signers.len && r == 0; j++) {
			if (!key_equal(secrets->list[i].half,
				       who.signers.list[j]))
				continue;
			r = sign_one(&secrets->list[i], paper,
				     key_id(who.signers.list[j]), why);
			count++;
		}
	if (r == 0)
		*ret_count = count;
	return r;
}
