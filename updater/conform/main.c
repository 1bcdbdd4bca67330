/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-tuf: updater/tuf behind the command line that the conformance suite of
 * The Update Framework asks of clients.  Not installed.
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"
#include "updater/conform/client.h"
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
	struct client_places places;
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
		command->places.metadata_dir = optarg;
		return true;
	case 'u':
		command->places.metadata_url = optarg;
		return true;
	case 'b':
		command->places.target_url = optarg;
		return true;
	case 't':
		command->places.target_dir = optarg;
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
	const struct client_places *places = &command->places;

	if (!command->word || !places->metadata_dir)
		return false;
	if (str_equal(command->word, "init"))
		return command->root;
	if (command->root || !places->metadata_url)
		return false;
	if (str_equal(command->word, "refresh"))
		return true;
	return str_equal(command->word, "download") && command->len &&
	       places->target_url && places->target_dir;
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
run(const struct command *command, struct reason *why)
{
	CLEANUP(client_freep) struct client *client = NULL;

	if (str_equal(command->word, "init"))
		return client_init(&command->places, command->root,
				   &command->policy, why);
	int r = client_new(&command->places, &command->policy, &client, why);
	if (str_equal(command->word, "refresh"))
		return r;
	for (size_t i = 0; i < command->len && r == 0; i++)
		r = client_download(client, command->targets[i], why);
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
