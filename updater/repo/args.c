/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/tuf/reason.h"

#define BIT(command) (1u << (command))
#define ALL (BIT(ARGS_COMMANDS) - 1)
#define SECRETS                                                                \
	(BIT(ARGS_KEY) | BIT(ARGS_SIGN) | BIT(ARGS_PUBLISH) | BIT(ARGS_REFRESH))

static const struct {
	const char *name, *operands;
	size_t least, most;
	const char *about;
} commands[ARGS_COMMANDS] = {
	[ARGS_INIT] = { "init", "", 0, 0,
			"begin a repository: who signs, and how many must" },
	[ARGS_KEY] = { "key", " new NAME | list", 1, 2,
		       "make a key, or show those of the repository" },
	[ARGS_STAGE] = { "stage", " [DIR]", 0, 1,
			 "prepare a release of the rules beneath DIR" },
	[ARGS_CHECK] = { "check", "", 0, 0,
			 "try what is staged: rules, vectors, good files" },
	[ARGS_DIFF] = { "diff", "", 0, 0, "staged against published" },
	[ARGS_SIGN] = { "sign", " [STAGED]", 0, 1,
			"add one person's signatures to what is staged" },
	[ARGS_PUBLISH] = { "publish", "", 0, 0,
			   "make what is staged and signed the newest" },
	[ARGS_REFRESH] = { "refresh", "", 0, 0,
			   "say that it is still the newest: once a day" },
	[ARGS_PROMOTE] = { "promote", " N", 1, 1,
			   "stage another wave of release N" },
	[ARGS_WITHDRAW] = { "withdraw", " N", 1, 1,
			    "stage that release N is taken back" },
	[ARGS_ROTATE] = { "rotate", " ROLE", 0, 1,
			  "stage other keys, or another threshold, of a role" },
	[ARGS_STATUS] = { "status", "", 0, 0,
			  "versions, who signed, what is missing or expires" },
	[ARGS_EXPORT] = { "export", " FILE", 1, 1,
			  "one release as a file that is carried by hand" },
	[ARGS_VERIFY] = { "verify", "", 0, 0,
			  "walk through all of it as a new client does" },
};

static const struct option {
	const char *name;  /* without "--" */
	const char *value; /* NULL: takes none */
	const char *about;
	unsigned int commands;
} options[ARGS_OPTIONS] = {
	[ARGS_HELP] = { "help", NULL, "this", ALL },
	[ARGS_VERSION] = { "version", NULL, "say the version", ALL },
	[ARGS_JSON] = { "json", NULL, "JSON, for programs",
			BIT(ARGS_STATUS) | BIT(ARGS_CHECK) | BIT(ARGS_DIFF) },
	[ARGS_PASSPHRASE_FILE] = { "passphrase-file", "FILE",
				   "read the passphrase there; the nth for the "
				   "nth --key",
				   SECRETS },
	[ARGS_KEY_FILE] = { "key", "FILE", "sign with this key",
			    SECRETS & ~BIT(ARGS_KEY) },
	[ARGS_SCHEME] = { "scheme", "SCHEME",
			  "ed25519 (default), ecdsa-p256, ml-dsa-44, "
			  "ml-dsa-65, ml-dsa-87",
			  BIT(ARGS_KEY) },
	[ARGS_HYBRID] = { "hybrid", NULL,
			  "need classical and ML-DSA signatures together",
			  BIT(ARGS_INIT) },
	[ARGS_ROOT] = { "root", "PUB", "who may change keys", BIT(ARGS_INIT) },
	[ARGS_TARGETS] = { "targets", "PUB",
			   "who signs releases (default: as --root)",
			   BIT(ARGS_INIT) },
	[ARGS_CHANNEL] = { "channel", "PUB",
			   "who promotes and withdraws (default: as --targets)",
			   BIT(ARGS_INIT) },
	[ARGS_ONLINE] = { "online", "PUB",
			  "the key of this machine, for snapshot and timestamp",
			  BIT(ARGS_INIT) },
	[ARGS_ROOT_THRESHOLD] = { "root-threshold", "N",
				  "how many must sign (default: most)",
				  BIT(ARGS_INIT) },
	[ARGS_TARGETS_THRESHOLD] = { "targets-threshold", "N",
				     "the same (default: most)",
				     BIT(ARGS_INIT) },
	[ARGS_CHANNEL_THRESHOLD] = { "channel-threshold", "N",
				     "the same (default: 1; hybrid: 2)",
				     BIT(ARGS_INIT) },
	[ARGS_ROOT_DAYS] = { "root-days", "N", "how long it is good (365)",
			     BIT(ARGS_INIT) },
	[ARGS_TARGETS_DAYS] = { "targets-days", "N", "the same (90)",
				BIT(ARGS_INIT) },
	[ARGS_CHANNEL_DAYS] = { "channel-days", "N", "the same (90)",
				BIT(ARGS_INIT) },
	[ARGS_SNAPSHOT_DAYS] = { "snapshot-days", "N", "the same (7)",
				 BIT(ARGS_INIT) },
	[ARGS_TIMESTAMP_DAYS] = { "timestamp-days", "N", "the same (2)",
				  BIT(ARGS_INIT) },
	[ARGS_VECTORS] = { "vectors", "DIR",
			   "match/RULE/FILE must match, clean/FILE must not",
			   BIT(ARGS_STAGE) },
	[ARGS_NUMBER] = { "number", "N", "of the release (default: the next)",
			  BIT(ARGS_STAGE) },
	[ARGS_WAVE] = { "wave", "START:PERCENT",
			"who gets it when: now:10, +2d:100, "
			"2026-12-01T00:00:00Z:50",
			BIT(ARGS_STAGE) | BIT(ARGS_PROMOTE) },
	[ARGS_DESCRIPTION] = { "description", "TEXT", "what it brings",
			       BIT(ARGS_STAGE) },
	[ARGS_ENGINE_MIN] = { "engine-min", "VERSION",
			      "the oldest agent that may run it",
			      BIT(ARGS_STAGE) },
	[ARGS_ENGINE_MAX] = { "engine-max", "VERSION", "and the newest",
			      BIT(ARGS_STAGE) },
	[ARGS_RENEW] = { "renew", NULL, "the same again, good for longer",
			 BIT(ARGS_STAGE) | BIT(ARGS_ROTATE) },
	[ARGS_GOOD] = { "good", "TREE", "files that nothing may match",
			BIT(ARGS_CHECK) },
	[ARGS_FROM] = { "from", "STAGED",
			"take over the signatures of another copy",
			BIT(ARGS_SIGN) },
	[ARGS_REASON] = { "reason", "TEXT", "why it is taken back",
			  BIT(ARGS_WITHDRAW) },
	[ARGS_ADD] = { "add", "PUB", "give this key the role",
		       BIT(ARGS_ROTATE) },
	[ARGS_REMOVE] = { "remove", "NAME", "take the role from this key",
			  BIT(ARGS_ROTATE) },
	[ARGS_THRESHOLD] = { "threshold", "N", "how many must sign",
			     BIT(ARGS_ROTATE) },
	[ARGS_RELEASE] = { "release", "N", "this one (default: the newest)",
			   BIT(ARGS_EXPORT) },
};

const char *
args_name(enum args_command command)
{
	return command < ARGS_COMMANDS ? commands[command].name : "";
}

static int
find_command(struct args *args, const char *name, struct reason *why)
{
	for (unsigned int i = 0; i < ARGS_COMMANDS; i++)
		if (str_equal(commands[i].name, name)) {
			args->command = i;
			return 0;
		}
	return reason_set(why, -EINVAL, "unknown command: %.60s", name);
}

/* Its number, or ARGS_OPTIONS. */
static unsigned int
find_option(const char *name, size_t len)
{
	unsigned int i = 0;

	while (i < ARGS_OPTIONS && (strlen(options[i].name) != len ||
				    strncmp(options[i].name, name, len) != 0))
		i++;
	return i;
}

/* A "--name", "--name=value" or "--name value" at argv[*at]. */
static int
take_option(struct args *args, int argc, char **argv, int *at,
	    struct reason *why)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	unsigned int option = find_option(name, len);
	const char *value = name[len] ? name + len + 1 : NULL;

	if (option == ARGS_OPTIONS)
		return reason_set(why, -EINVAL, "unknown option: --%.60s",
				  name);
	if (options[option].value && !value) {
		if (*at + 1 >= argc)
			return reason_set(why, -EINVAL,
					  "option --%s: %s is missing",
					  options[option].name,
					  options[option].value);
		value = argv[++*at];
	}
	if (!options[option].value && value)
		return reason_set(why, -EINVAL, "option --%s takes no value",
				  options[option].name);
	if (args->given_len == ARGS_GIVEN_MAX)
		return reason_set(why, -EINVAL, "more than %d options",
				  ARGS_GIVEN_MAX);
	args->given[args->given_len].option = option;
	args->given[args->given_len++].value = value;
	return 0;
}

static int
take_folder(struct args *args, int argc, char **argv, int *at,
	    struct reason *why)
{
	const char *value = argv[*at] + 2;

	if (!*value) {
		if (*at + 1 >= argc)
			return reason_set(why, -EINVAL,
					  "option -C: REPO is missing");
		value = argv[++*at];
	}
	args->repo = value;
	return 0;
}

static int
take(struct args *args, int argc, char **argv, int *at, bool *only_operands,
     struct reason *why)
{
	const char *arg = argv[*at];

	if (!*only_operands && str_equal(arg, "--")) {
		*only_operands = true;
		return 0;
	}
	if (!*only_operands && str_starts(arg, "--"))
		return take_option(args, argc, argv, at, why);
	if (!*only_operands && str_starts(arg, "-C"))
		return take_folder(args, argc, argv, at, why);
	if (!*only_operands && arg[0] == '-' && arg[1])
		return reason_set(why, -EINVAL, "unknown option: %.60s", arg);
	if (args->command == ARGS_COMMANDS)
		return find_command(args, arg, why);
	args->operands[args->operands_len++] = argv[*at];
	return 0;
}

static int
check(const struct args *args, struct reason *why)
{
	if (args_has(args, ARGS_HELP) || args_has(args, ARGS_VERSION))
		return 0;
	if (args->command == ARGS_COMMANDS)
		return reason_set(why, -EINVAL, "a command is missing");
	for (size_t i = 0; i < args->given_len; i++)
		if (!(options[args->given[i].option].commands &
		      BIT(args->command)))
			return reason_set(why, -EINVAL,
					  "%s takes no option --%s",
					  args_name(args->command),
					  options[args->given[i].option].name);
	if (args->operands_len < commands[args->command].least ||
	    args->operands_len > commands[args->command].most)
		return reason_set(why, -EINVAL, "usage: khien-repo %s%s",
				  args_name(args->command),
				  commands[args->command].operands);
	return 0;
}

int
args_parse(struct args *ret_args, int argc, char **argv, struct reason *why)
{
	bool only_operands = false;
	int r = 0;

	*ret_args = (struct args){ .repo = ".", .command = ARGS_COMMANDS };
	ret_args->operands = calloc((size_t)argc + 1, sizeof(char *));
	if (!ret_args->operands)
		return -ENOMEM;
	for (int i = 1; i < argc && r == 0; i++)
		r = take(ret_args, argc, argv, &i, &only_operands, why);
	return r < 0 ? r : check(ret_args, why);
}

void
args_done(struct args *args)
{
	free(args->operands);
}

const char *
args_nth(const struct args *args, enum args_option option, size_t at)
{
	for (size_t i = 0; i < args->given_len; i++)
		if (args->given[i].option == option && at-- == 0)
			return args->given[i].value;
	return NULL;
}

const char *
args_text(const struct args *args, enum args_option option)
{
	for (size_t i = args->given_len; i > 0; i--)
		if (args->given[i - 1].option == option)
			return args->given[i - 1].value;
	return NULL;
}

bool
args_has(const struct args *args, enum args_option option)
{
	for (size_t i = 0; i < args->given_len; i++)
		if (args->given[i].option == option)
			return true;
	return false;
}

int
args_number(const struct args *args, enum args_option option, int64_t max,
	    int64_t *ret_number, struct reason *why)
{
	const char *text = args_text(args, option);
	uint64_t number;

	if (!text)
		return 0;
	if (str_number(text, (uint64_t)max, &number) < 0 || !number)
		return reason_set(
			why, -EINVAL,
			"option --%s: no number from 1 to %lld: %.60s",
			options[option].name, (long long)max, text);
	*ret_number = (int64_t)number;
	return 0;
}

static void
help_option(unsigned int option)
{
	char start[64];

	(void)snprintf(start, sizeof(start), "--%s%s%s", options[option].name,
		       options[option].value ? " " : "",
		       options[option].value ? options[option].value : "");
	(void)printf("  %-26s %s\n", start, options[option].about);
}

void
args_help(enum args_command command)
{
	bool one = command < ARGS_COMMANDS;

	(void)printf("usage: khien-repo [-C REPO] %s%s [OPTION]...\n",
		     one ? commands[command].name : "COMMAND",
		     one ? commands[command].operands : "");
	(void)puts(one ? commands[command].about :
			 "Publishes signed releases of rules.");
	(void)puts("");
	for (unsigned int i = 0; i < ARGS_COMMANDS && !one; i++)
		(void)printf("  %-9s %s\n", commands[i].name,
			     commands[i].about);
	for (unsigned int i = 0; i < ARGS_OPTIONS && one; i++)
		if (options[i].commands & BIT(command))
			help_option(i);
	if (!one)
		(void)puts("\nkhien-repo COMMAND --help says more; "
			   "khien-repo(1) says all.");
}
