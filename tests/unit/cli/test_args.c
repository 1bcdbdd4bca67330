/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/cli/args.h"
#include "agent/lib/doc.h"

#define NOW 1738311300000000000LL
#define WORDS_MAX 12

/* A command line, and the options of the request that comes of it. */
static const struct {
	const char *words[WORDS_MAX];
	enum args_command command;
	const char *options;
} accepted[] = {
	{ { "status" }, ARGS_STATUS, "{}" },
	{ { "--json", "rules" }, ARGS_RULES, "{}" },
	{ { "detections", "--since", "1m", "--min-severity", "high" },
	  ARGS_DETECTIONS,
	  "{\"since_ns\":1738311240000000000,\"min_severity\":\"high\"}" },
	{ { "--follow", "detections", "--rule=A=b" },
	  ARGS_DETECTIONS,
	  "{\"follow\":true,\"rule\":\"A=b\"}" },
	{ { "events", "--type", "exec", "--type", "fork,exit", "--pid=7" },
	  ARGS_EVENTS,
	  "{\"type\":\"exec,fork,exit\",\"pid\":7}" },
	{ { "events", "--path", "/a\xff", "--limit", "5" },
	  ARGS_EVENTS,
	  "{\"path\":\"/a\\\\xff\",\"limit\":5}" },
	{ { "events", "--remote", "[::1]:53" },
	  ARGS_EVENTS,
	  "{\"remote\":\"[::1]:53\"}" },
	{ { "show", "abc-1" }, ARGS_SHOW, "{\"id\":\"abc-1\"}" },
	{ { "show", "--", "-1" }, ARGS_SHOW, "{\"id\":\"-1\"}" },
	{ { "tree", "1" }, ARGS_TREE, "{\"pid\":1}" },
	{ { "query", "SELECT 1", "--json" },
	  ARGS_QUERY,
	  "{\"sql\":\"SELECT 1\"}" },
	{ { "query", "" }, ARGS_QUERY, "{\"sql\":\"\"}" },
	{ { "scan", "--", "-rf", "--json" }, ARGS_SCAN, "{}" },
	{ { "--socket", "/x", "--", "scan", "a" }, ARGS_SCAN, "{}" },
	{ { "quarantine", "list" }, ARGS_QUARANTINE, "{\"do\":\"list\"}" },
	{ { "update", "status" }, ARGS_UPDATE, "{\"do\":\"status\"}" },
	{ { "update", "now" }, ARGS_UPDATE, "{\"do\":\"now\"}" },
	{ { "update", "import", "a" }, ARGS_UPDATE, "{\"do\":\"import\"}" },
	{ { "quarantine", "delete", "ab" },
	  ARGS_QUARANTINE,
	  "{\"do\":\"delete\",\"id\":\"ab\"}" },
	{ { "quarantine", "restore", "ab", "--to", "/a b" },
	  ARGS_QUARANTINE,
	  "{\"to\":\"/a b\",\"do\":\"restore\",\"id\":\"ab\"}" },
	{ { "guard" }, ARGS_GUARD, "{\"do\":\"status\"}" },
	{ { "guard", "on" }, ARGS_GUARD, "{\"do\":\"on\"}" },
	{ { "guard", "off" }, ARGS_GUARD, "{\"do\":\"off\"}" },
	{ { "guard", "off", "--for", "1h" },
	  ARGS_GUARD,
	  "{\"for_s\":3600,\"do\":\"off\"}" },
	{ { "stop" }, ARGS_STOP, "{}" },
	{ { "stop", "--if-running" }, ARGS_STOP, "{}" },
	{ { "stop", "--service" }, ARGS_STOP, "{}" },
	{ { "--help" }, ARGS_COMMANDS, "{}" },
	{ { "events", "--help", "--rule", "x" },
	  ARGS_EVENTS,
	  "{\"rule\":\"x\"}" },
};

/* What is refused, and the word that the message names. */
static const struct {
	const char *words[WORDS_MAX];
	const char *why;
} refused[] = {
	{ { NULL }, "no command" },
	{ { "--json" }, "no command" },
	{ { "--" }, "no command" },
	{ { "upgrade" }, "unknown command: upgrade" },
	{ { "update" }, "update needs status|check|now|import FILE" },
	{ { "update", "later" }, "later is none of status|check|now|" },
	{ { "update", "now", "x" }, "takes no more" },
	{ { "update", "import" }, "needs FILE" },
	{ { "update", "import", "a", "b" }, "one argument too many" },
	{ { "update", "status", "--to", "/a" }, "no option --to" },
	{ { "guard", "away" }, "away is none of [status|on|off]" },
	{ { "guard", "off", "x" }, "one argument too many" },
	{ { "guard", "on", "--for", "1m" }, "no option --for" },
	{ { "guard", "--for", "1m" }, "no option --for" },
	{ { "guard", "off", "--for", "0s" }, "from 1s to 1h: 0s" },
	{ { "guard", "off", "--for", "61m" }, "from 1s to 1h: 61m" },
	{ { "guard", "off", "--for", "now" }, "from 1s to 1h: now" },
	{ { "guard", "off", "--to", "/a" }, "takes no option --to" },
	{ { "guard", "--service" }, "takes no option --service" },
	{ { "stop", "now" }, "one argument too many" },
	{ { "stop", "--for", "1m" }, "takes no option --for" },
	{ { "status", "--if-running" }, "takes no option --if-running" },
	{ { "quarantine" }, "quarantine needs" },
	{ { "quarantine", "purge" }, "purge" },
	{ { "quarantine", "list", "x" }, "takes no more" },
	{ { "quarantine", "restore" }, "needs ID" },
	{ { "quarantine", "delete" }, "needs ID" },
	{ { "quarantine", "delete", "a", "b" }, "one argument too many" },
	{ { "quarantine", "list", "--to", "/a" }, "no option --to" },
	{ { "quarantine", "delete", "a", "--to", "/a" }, "no option --to" },
	{ { "quarantine", "restore", "a", "--to", "" }, "--to: empty" },
	{ { "quarantine", "restore", "a", "--to", "/\xff" }, "UTF-8" },
	{ { "show", "1", "--to", "/a" }, "show takes no option --to" },
	{ { "-j", "status" }, "unknown option: -j" },
	{ { "--nonsense", "status" }, "--nonsense" },
	{ { "status", "--jso" }, "--jso" },
	{ { "status", "--json=yes" }, "--json takes no value" },
	{ { "status", "--socket" }, "--socket needs a value" },
	{ { "status", "--socket=" }, "--socket: empty" },
	{ { "status", "extra" }, "extra" },
	{ { "status", "--since", "1m" }, "takes no option --since" },
	{ { "--follow", "status" }, "takes no option --follow" },
	{ { "events", "--rule", "x" }, "takes no option --rule" },
	{ { "events", "--since", "soon" }, "soon" },
	{ { "events", "--limit", "0" }, "--limit" },
	{ { "events", "--limit", "many" }, "many" },
	{ { "events", "--limit", "-1" }, "-1" },
	{ { "events", "--limit", "99999999999999999999" }, "--limit" },
	{ { "events", "--pid", "x" }, "--pid" },
	{ { "events", "--remote", "" }, "--remote: empty" },
	{ { "detections", "--remote", "::1" }, "takes no option --remote" },
	{ { "events", "--follow", "--until", "now" }, "exclude" },
	{ { "detections", "--min-severity", "terrible" }, "terrible" },
	{ { "show" }, "show needs ID" },
	{ { "show", "1", "2" }, "2" },
	{ { "tree", "init" }, "init" },
	{ { "tree", "-5" }, "-5" },
	{ { "query" }, "query needs SQL" },
	{ { "scan" }, "scan needs PATH" },
};

static char program[] = "khienctl";

static int
parse(struct args *args, const char *const *words, char *why, size_t size)
{
	char *argv[WORDS_MAX + 2] = { program };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	return args_parse(args, argc, argv, NOW, why, size);
}

static void
test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		struct args args;
		char why[1024];
		if (parse(&args, accepted[i].words, why, sizeof(why)) < 0)
			fail_msg("case %zu: %s", i, why);
		assert_int_equal(args.command, accepted[i].command);
		char *options = doc_write(args.options);
		assert_string_equal(options, accepted[i].options);
		free(options);
		args_done(&args);
	}
}

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct args args;
		char why[1024];
		int r = parse(&args, refused[i].words, why, sizeof(why));
		if (r != -EINVAL || !strstr(why, refused[i].why))
			fail_msg("case %zu: %d, %s", i, r, why);
		args_done(&args);
	}
}

static void
test_own_options(void **state)
{
	static const char *const words[WORDS_MAX] = {
		"scan", "a", "--socket", "/s", "--json", "--", "-b", "--",
	};
	struct args args;
	char why[256];

	(void)state;
	assert_int_equal(parse(&args, words, why, sizeof(why)), 0);
	assert_true(args.json);
	assert_false(args.follow || args.help || args.limited);
	assert_string_equal(args.socket, "/s");
	assert_int_equal(args.operands_len, 3);
	assert_string_equal(args.operands[0], "a");
	assert_string_equal(args.operands[1], "-b");
	assert_string_equal(args.operands[2], "--");
	args_done(&args);
}

static void
test_too_many_words(void **state)
{
	char word[200];
	char command[] = "events";
	char *argv[16] = { program, command };
	struct args args;
	char why[256];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	memcpy(word, "--type=", 7);
	for (int i = 2; i < 12; i++)
		argv[i] = word;
	assert_int_equal(args_parse(&args, 12, argv, NOW, why, sizeof(why)),
			 -EINVAL);
	assert_non_null(strstr(why, "too many"));
	args_done(&args);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_own_options),
		cmocka_unit_test(test_too_many_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
