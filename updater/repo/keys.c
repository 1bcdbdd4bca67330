/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/args.h"
#include "updater/repo/charter.h"
#include "updater/repo/draft.h"
#include "updater/repo/passphrase.h"
#include "updater/repo/repo.h"
#include "updater/repo/say.h"
#include "updater/repo/sign.h"
#include "updater/tuf/reason.h"

#define SCHEME_DEFAULT "ed25519"
#define PATH_SIZE 4096
#define MODE_SECRET 0600
#define MODE_PUBLIC 0644
#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@"

/* A new file: what is there already is never overwritten. */
static int
write_new(const char *path, mode_t mode, const char *text, struct reason *why)
{
	CLEANUP_FD int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		     mode);

	if (fd < 0)
		return reason_set(
			why, -errno, "%.400s: %s%s", path, strerror(errno),
			errno == EEXIST ? ": choose another name" : "");
	assert(text);
	int r = file_write_all(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(path);
		return reason_set(why, r, "%.400s: %s", path, strerror(-r));
	}
	return 0;
}

/* The public half as metadata will list it; its name is part of it, so that
   everybody who sees a signature sees whose it is. */
static int
write_public(const struct sign_key *key, const char *path, const char *name,
	     struct reason *why)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	CLEANUP_FREE char *half = sign_public(key);
	CLEANUP_FREE char *line = NULL;

	doc_set_text(doc, "keytype", sign_type(key));
	doc_set_text(doc, "scheme", sign_scheme(key));
	doc_set_text(doc, "keyval.public", half ? half : "");
	doc_set_text(doc, "x-khien-name", name);
	CLEANUP_FREE char *text = doc_write(doc);
	if (!half || !text || asprintf(&line, "%s\n", text) < 0)
		return -ENOMEM;
	return write_new(path, MODE_PUBLIC, line, why);
}

static int
check_name(const char *name, struct reason *why)
{
	size_t len = strlen(name);

	if (len && len < CHARTER_NAME_SIZE && strspn(name, NAME_CHARS) == len &&
	    name[0] != '.')
		return 0;
	return reason_set(why, -EINVAL,
			  "%.100s is no name for a key: letters, digits and "
			  "-_.@, at most %d",
			  name, CHARTER_NAME_SIZE - 1);
}

static int
make(const struct args *args, const char *path, struct reason *why)
{
	CLEANUP(passphrase_wipe) struct passphrase passphrase = { "" };
	CLEANUP(sign_freep) struct sign_key *key = NULL;
	char secret[PATH_SIZE], public[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *scheme = args_text(args, ARGS_SCHEME);
	CLEANUP_FREE char *pem = NULL;

	int r = check_name(name, why);
	if (r == 0)
		r = sign_new(scheme ? scheme : SCHEME_DEFAULT, &key, why);
	if (r == 0)
		r = passphrase_get(&passphrase, name,
				   args_text(args, ARGS_PASSPHRASE_FILE), true,
				   why);
	if (r == 0)
		r = sign_write(key, passphrase.text, &pem);
	if (r < 0)
		return r;
	if (snprintf(secret, sizeof(secret), "%s.key", path) >= PATH_SIZE ||
	    snprintf(public, sizeof(public), "%s.pub", path) >= PATH_SIZE)
		return -ENAMETOOLONG;
	r = write_new(secret, MODE_SECRET, pem, why);
	if (r == 0) {
		r = write_public(key, public, name, why);
		if (r < 0)
			(void)unlink(secret);
	}
	if (r == 0)
		say_line("%s: keep it offline, with its passphrase elsewhere",
			 secret);
	if (r == 0)
		say_line("%s: hand this one on", public);
	return r;
}

static void
list_key(const struct charter *charter, size_t at)
{
	const struct charter_key *key = &charter->keys[at];
	char offices[128] = "";

	for (unsigned int i = 0; i < DUTY_OFFICES; i++)
		if (charter->offices[i].has[at]) {
			size_t len = strlen(offices);
			(void)snprintf(offices + len, sizeof(offices) - len,
				       "%s%s", len ? " " : "",
				       duty_office_name(i));
		}
	say_line("%-16s %-20s %.16s  %s", key->name,
		 doc_text_or(doc_root(key->doc), "scheme", ""), key->id,
		 offices);
}

static int
list(const struct args *args, struct reason *why)
{
	CLEANUP(repo_close) struct repo repo = { .dir = -1 };
	CLEANUP(draft_done) struct draft draft = { 0 };

	int r = repo_open(args->repo, false, &repo, why);
	if (r == 0)
		r = draft_begin(&repo, REPO_STAGED, &draft, why);
	if (r < 0)
		return r;
	assert(draft.charter);
	for (size_t i = 0; i < draft.charter->len; i++)
		list_key(draft.charter, i);
	for (unsigned int i = 0; i < DUTY_OFFICES; i++)
		say_line("%-9s %" PRId64 " of %zu must sign",
			 duty_office_name(i),
			 draft.charter->offices[i].threshold,
			 charter_count(draft.charter, i));
	return 0;
}

int
keys_run(const struct args *args, struct reason *why)
{
	const char *what = args->operands[0];

	if (str_equal(what, "list") && args->operands_len == 1)
		return list(args, why);
	if (str_equal(what, "new") && args->operands_len == 2)
		return make(args, args->operands[1], why);
	return reason_set(why, -EINVAL,
			  "usage: khien-repo key new NAME, or key list");
}
