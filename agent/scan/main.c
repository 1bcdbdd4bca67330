/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/str.h"
#include "agent/scan/offline.h"
#include "agent/scan/scanner.h"
#include "agent/scan/trial.h"
#include "agent/scan/worker.h"
#include "agent/scan/yara.h"

#define EXIT_USAGE 2
/* The agent's own default, so that both say the same of one file. */
#define MAX_SIZE (512ULL << 20)
#define MAX_SIZE_LEAST 4096
/* A person waits: longer than the agent's default. */
#define TIMEOUT_S 60
#define TIMEOUT_S_MAX 3600

enum {
	OPTION_HELP = 256,
	OPTION_VERSION,
	OPTION_MAX_SIZE,
	OPTION_TIMEOUT,
	OPTION_LIST
};

static const struct option long_options[] = {
	{ "rules", required_argument, NULL, 'r' },
	{ "file", required_argument, NULL, 'f' },
	{ "max-size", required_argument, NULL, OPTION_MAX_SIZE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] = "usage: khien-scan [-r RULES]... -f PATH...\n"
			    "       khien-scan [-r RULES]... --list\n";

static const char help[] =
	"Scans files and folders with YARA rules, in a jail.\n"
	"\n"
	"  -r, --rules RULES   a rule file, or a folder searched for *.yar\n"
	"                      (default: the rules that come with the agent)\n"
	"  -f, --file PATH...  what to scan; folders with all they contain\n"
	"      --max-size N    bytes; of a larger file the head and the tail\n"
	"                      are scanned (default 536870912)\n"
	"      --timeout N     seconds for one file (default 60)\n"
	"      --list          print what each rule says of itself\n"
	"      --help          this text\n"
	"      --version       version\n"
	"\n"
	"Prints one JSON object for each match.\n"
	"Exit status: 0 nothing matched, 1 something did, 2 an error.\n"
	"Started by khiend, with a number only, it answers the agent's gate.\n";

/* What the command line asked for. */
struct arguments {
	struct offline offline;
	struct scanner_limits limits;
	bool offline_asked;
	int status; /* below 0: go on */
};

static int
refuse(const char *why)
{
	(void)fprintf(stderr, "khien-scan: %s\n%s", why, usage);
	return EXIT_USAGE;
}

/* 0 when it is not a number from least to most. */
static uint64_t
parse_number(const char *text, uint64_t least, uint64_t most)
{
	uint64_t number;

	if (str_number(text, most, &number) < 0 || number < least)
		return 0;
	return number;
}

static int
print(const char *first, const char *second)
{
	if (fputs(first, stdout) == EOF || fputs(second, stdout) == EOF ||
	    fflush(stdout) == EOF)
		return EXIT_USAGE;
	return EXIT_SUCCESS;
}

static void
take_limit(struct arguments *arguments, int option)
{
	uint64_t number;

	if (option == OPTION_MAX_SIZE) {
		number = parse_number(optarg, MAX_SIZE_LEAST, 1ULL << 40);
		arguments->limits.max_size = number;
	} else {
		number = parse_number(optarg, 1, TIMEOUT_S_MAX);
		arguments->limits.timeout_ms = (uint32_t)number * 1000;
	}
	if (number == 0)
		arguments->status = refuse("a limit is not a number, or out of "
					   "range");
}

static void
take_option(struct arguments *arguments, int option)
{
	struct offline *offline = &arguments->offline;

	switch (option) {
	case 'r':
		offline->rules[offline->rules_len++] = optarg;
		break;
	case 'f':
		arguments->offline_asked = true;
		__attribute__((fallthrough));
	case 1: /* no option: see getopt_long(3) on a leading '-' */
		offline->paths[offline->paths_len++] = optarg;
		break;
	case OPTION_MAX_SIZE:
	case OPTION_TIMEOUT:
		take_limit(arguments, option);
		break;
	case OPTION_LIST:
		offline->list = true;
		break;
	case OPTION_HELP:
		arguments->status = print(usage, help);
		break;
	case OPTION_VERSION:
		arguments->status =
			print("khien-scan " KHIEN_VERSION " (libyara ",
			      yara_version());
		if (arguments->status == EXIT_SUCCESS)
			arguments->status = print(")", "\n");
		break;
	default: /* getopt_long() has said why */
		(void)fputs(usage, stderr);
		arguments->status = EXIT_USAGE;
	}
}

static void
take_all(struct arguments *arguments, int argc, char **argv)
{
	struct offline *offline = &arguments->offline;

	while (arguments->status < 0) {
		int option =
			getopt_long(argc, argv, "-r:f:", long_options, NULL);
		if (option < 0)
			break;
		take_option(arguments, option);
	}
	for (int i = optind; arguments->status < 0 && i < argc; i++)
		offline->paths[offline->paths_len++] = argv[i];
}

/* As khiend starts it: with its number alone. */
static bool
is_worker(int argc, char **argv, uint64_t *ret_index)
{
	return argc == 2 && str_number(argv[1], UINT16_MAX, ret_index) == 0;
}

int
main(int argc, char **argv)
{
	uint64_t index;

	log_init("khien-scan");
	if (is_worker(argc, argv, &index))
		return index == MSG_TRIAL_INDEX ? trial_run(argc, argv) :
						  worker_run(argc, argv);
	char **rules CLEANUP_FREE = calloc((size_t)argc, sizeof(*rules));
	char **paths CLEANUP_FREE = calloc((size_t)argc, sizeof(*paths));
	if (!rules || !paths)
		return EXIT_USAGE;
	struct arguments arguments = {
		.offline = { .rules = rules, .paths = paths },
		.limits = { .max_size = MAX_SIZE,
			    .timeout_ms = TIMEOUT_S * 1000 },
		.status = -1,
	};
	arguments.offline.limits = &arguments.limits;
	take_all(&arguments, argc, argv);
	if (arguments.status >= 0)
		return arguments.status;
	if (!arguments.offline_asked && !arguments.offline.list)
		return refuse("option -f PATH is missing");
	return offline_run(&arguments.offline);
}
