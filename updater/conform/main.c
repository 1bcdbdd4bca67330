/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-tuf: updater/tuf behind the command line that the conformance suite of
 * The Update Framework asks of clients.  Not installed.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"
#include "updater/client/anchor.h"
#include "updater/client/client.h"
#include "updater/client/folder.h"
#include "updater/conform/remote.h"
#include "updater/tuf/name.h"
#include "updater/tuf/policy.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define TARGETS_MAX 256 /* on one command line */

static const char usage[] =
	"usage: khien-tuf --metadata-dir DIR init TRUSTED_ROOT\n"
	"       khien-tuf --metadata-dir DIR --metadata-url URL refresh\n"
	"       khien-tuf --metadata-dir DIR --metadata-url URL\n"
	"                 --target-name NAME... --target-base-url URL\n"
	"                 --target-dir DIR download\n"
	"\n"
	"  --hybrid  root and targets need post-quantum signatures too\n";

struct command {
	const char *metadata_dir, *metadata_url, *target_url, *target_dir;
	struct policy policy;
	const char *targets[TARGETS_MAX];
	size_t len;
	const char *word, *root; /* root: of init */
};

static bool
take_option(struct command *command, int option)
{
	switch (option) {
	case 'd':
		command->metadata_dir = optarg;
		return true;
	case 'u':
		command->metadata_url = optarg;
		return true;
	case 'b':
		command->target_url = optarg;
		return true;
	case 't':
		command->target_dir = optarg;
		return true;
	case 'n':
		if (command->len == TARGETS_MAX)
			return false;
		command->targets[command->len++] = optarg;
		return true;
	case 'y':
		command->policy.hybrid = true;
		return true;
	default:
		return false;
	}
}

static bool
is_whole(const struct command *command)
{
	if (!command->word || !command->metadata_dir)
		return false;
	if (str_equal(command->word, "init"))
		return command->root;
	if (command->root || !command->metadata_url)
		return false;
	if (str_equal(command->word, "refresh"))
		return true;
	return str_equal(command->word, "download") && command->len &&
	       command->target_url && command->target_dir;
}

static bool
parse(struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "metadata-dir", required_argument, NULL, 'd' },
		{ "metadata-url", required_argument, NULL, 'u' },
		{ "target-name", required_argument, NULL, 'n' },
		{ "target-base-url", required_argument, NULL, 'b' },
		{ "target-dir", required_argument, NULL, 't' },
		{ "hybrid", no_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while (option = getopt_long(argc, argv, "", options, NULL), option >= 0)
		if (!take_option(command, option))
			return false;
	if (optind < argc)
		command->word = argv[optind++];
	if (optind < argc)
		command->root = argv[optind++];
	return optind == argc && is_whole(command);
}

static int
init(const struct command *command, struct reason *why)
{
	CLEANUP(folder_close) struct folder folder = { -1, -1 };
	CLEANUP_FREE char *root = malloc(TRUST_ROOT_MAX);
	size_t len;

	if (!root)
		return -ENOMEM;
	int r = file_read(AT_FDCWD, command->root, root, TRUST_ROOT_MAX, &len);
	if (r < 0)
		return reason_about(why, r, command->root);
	r = folder_open(AT_FDCWD, command->metadata_dir, &folder);
	if (r < 0)
		return reason_about(why, r, command->metadata_dir);
	return anchor_set(&folder, root, len, &command->policy, why);
}

/* A target's name in the folder is its own with '/' and all else that is not
   plain percent-encoded. */
static int
download(const struct command *command, struct client *client,
	 struct reason *why)
{
	CLEANUP(folder_close) struct folder folder = { -1, -1 };
	char file[NAME_MAX + 1];

	int r = folder_open(AT_FDCWD, command->target_dir, &folder);
	if (r < 0)
		return reason_about(why, r, command->target_dir);
	for (size_t i = 0; i < command->len && r == 0; i++) {
		const char *name = command->targets[i];
		r = name_encode(file, sizeof(file), name, false);
		if (r < 0)
			return reason_about(why, r, name);
		r = client_save(client, name, &folder, file, why);
	}
	return r;
}

static int
run(const struct command *command, struct reason *why)
{
	CLEANUP(remote_freep) struct remote *remote = NULL;
	CLEANUP(client_closep) struct client *client = NULL;
	struct client_mirror mirror;

	if (str_equal(command->word, "init"))
		return init(command, why);
	int r = remote_new(command->metadata_url, command->target_url, &remote,
			   why);
	if (r < 0)
		return r;
	remote_use(remote, &mirror);
	r = client_open(AT_FDCWD, command->metadata_dir, &command->policy,
			time(NULL), &mirror, &client, why);
	if (r == 0)
		r = client_refresh(client, why);
	if (r == 0 && str_equal(command->word, "download"))
		r = download(command, client, why);
	return r;
}

int
main(int argc, char **argv)
{
	struct command command = { 0 };
	struct reason why = { "" };

	log_init("khien-tuf");
	if (!parse(&command, argc, argv)) {
		(void)fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	int r = trust_init();
	if (r == 0)
		r = run(&command, &why);
	if (r == 0)
		return EXIT_SUCCESS;
	log_error("%s: %s", command.word,
		  why.text[0] ? why.text : strerror(-r));
	return EXIT_FAILURE;
}
