/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-fetch: the one process of the agent that speaks to the network.  It
 * fetches bytes into files that it is handed, and believes none of them.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"
#include "updater/fetch/alone.h"
#include "updater/fetch/serve.h"
#include "updater/http/http.h"

#define EXIT_USAGE 2
/* What the agent itself takes at most. */
#define SIZE_MAX_DEFAULT (64ULL << 20)

enum {
	OPTION_CA = 256,
	OPTION_PROXY,
	OPTION_MAX,
	OPTION_PACKED,
	OPTION_LIMIT,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "ca", required_argument, NULL, OPTION_CA },
	{ "proxy", required_argument, NULL, OPTION_PROXY },
	{ "max-size", required_argument, NULL, OPTION_MAX },
	{ "packed", no_argument, NULL, OPTION_PACKED },
	{ "limit", required_argument, NULL, OPTION_LIMIT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] = "usage: khien-fetch [OPTION]... URL...\n";

static const char help[] =
	"Fetches one file as the agent does, from the first of its addresses\n"
	"that has it, and writes it to standard output once all of it is "
	"there.\n"
	"\n"
	"      --ca FILE       certificates to trust (default: the system's)\n"
	"      --proxy URL     a proxy; the environment's are not used\n"
	"      --max-size N    bytes (default 67108864)\n"
	"      --packed        may be compressed on the way\n"
	"      --limit NAME=N  connect_ms, header_ms, header_bytes, "
	"slow_bytes,\n"
	"                      slow_s, redirects, whole_ms, whole_bytes, "
	"tries,\n"
	"                      backoff_ms, wait_ms\n"
	"      --help          this text\n"
	"      --version       version\n"
	"\n"
	"Exit status: 0 it is there, 1 it is not, 2 usage.\n"
	"Started by khiend, with a number only, it answers khien-verify.\n";

static int
refuse(const char *why)
{
	(void)fprintf(stderr, "khien-fetch: %s\n%s", why, usage);
	return EXIT_USAGE;
}

static int
print(const char *first, const char *second, const char *third)
{
	if (printf("%s%s%s", first, second, third) < 0 || fflush(stdout) == EOF)
		return EXIT_USAGE;
	return EXIT_SUCCESS;
}

/* Returns below 0 to go on, or the exit status. */
static int
take_option(struct alone *alone, int option)
{
	switch (option) {
	case OPTION_CA:
		alone->ca = optarg;
		return -1;
	case OPTION_PROXY:
		alone->proxy = optarg;
		return -1;
	case OPTION_PACKED:
		alone->packed = true;
		return -1;
	case OPTION_MAX:
		if (str_number(optarg, 1ULL << 40, &alone->size_max) == 0)
			return -1;
		return refuse("--max-size is not a number");
	case OPTION_LIMIT:
		if (limits_set(&alone->limits, optarg) == 0)
			return -1;
		return refuse("--limit is not NAME=N, as in header_ms=1000");
	case OPTION_HELP:
		return print(usage, help, "");
	case OPTION_VERSION:
		return print("khien-fetch " KHIEN_VERSION " (", http_version(),
			     ")\n");
	default: /* getopt_long() has said why */
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
}

/* Addresses as [update] url has them.  NULL: no memory. */
static char *
join(char **words, int len)
{
	char *all = NULL;
	size_t size;
	FILE *file = open_memstream(&all, &size);

	if (!file)
		return NULL;
	for (int i = 0; i < len; i++)
		(void)fprintf(file, "%s ", words[i]);
	if (fclose(file) == 0)
		return all;
	free(all);
	return NULL;
}

static bool
is_child(int argc, char **argv)
{
	uint64_t index;

	return argc == 2 && str_number(argv[1], UINT16_MAX, &index) == 0;
}

int
main(int argc, char **argv)
{
	struct alone alone = { .ca = "",
			       .proxy = "",
			       .size_max = SIZE_MAX_DEFAULT };
	int option;

	log_init("khien-fetch");
	if (is_child(argc, argv))
		return serve_run(argc, argv);
	limits_init(&alone.limits);
	while (option = getopt_long(argc, argv, "", long_options, NULL),
	       option >= 0) {
		int status = take_option(&alone, option);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return refuse("an address is missing");
	CLEANUP_FREE char *urls = join(argv + optind, argc - optind);
	if (!urls)
		return EXIT_FAILURE;
	alone.urls = urls;
	return alone_run(&alone);
}
