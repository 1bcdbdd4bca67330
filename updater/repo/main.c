/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-repo: the publisher's tool.  It prepares releases, has them signed by
 * several people, and publishes what our own client accepts.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "updater/release/export.h"
#include "updater/repo/args.h"
#include "updater/repo/carry.h"
#include "updater/repo/check.h"
#include "updater/repo/init.h"
#include "updater/repo/keys.h"
#include "updater/repo/publish.h"
#include "updater/repo/say.h"
#include "updater/repo/show.h"
#include "updater/repo/signing.h"
#include "updater/repo/stage.h"
#include "updater/repo/status.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define EXIT_REFUSED 1
#define EXIT_ERROR 2

static int (*const commands[ARGS_COMMANDS])(const struct args *args,
					    struct reason *why) = {
	[ARGS_INIT] = init_run,		[ARGS_KEY] = keys_run,
	[ARGS_STAGE] = stage_run,	[ARGS_CHECK] = check_run,
	[ARGS_DIFF] = show_run,		[ARGS_SIGN] = signing_run,
	[ARGS_PUBLISH] = publish_run,	[ARGS_REFRESH] = publish_refresh,
	[ARGS_PROMOTE] = stage_promote, [ARGS_WITHDRAW] = stage_withdraw,
	[ARGS_ROTATE] = init_rotate,	[ARGS_STATUS] = status_run,
	[ARGS_EXPORT] = carry_run,	[ARGS_VERIFY] = publish_verify,
};

/* What was asked for was understood, could be done, and must not be. */
static const int refusals[] = {
	-EBADMSG, -EPROTONOSUPPORT, -EKEYREJECTED, -ENOPKG,
	-ENOKEY,  -EPROTO,	    -EBADE,	   -EFBIG,
	-ESTALE,  -EKEYEXPIRED,	    -EALREADY,	   -ECANCELED,
};

static int
code_of(int r)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i] == r)
			return EXIT_REFUSED;
	return r < 0 ? EXIT_ERROR : r;
}

static int
run(const struct args *args)
{
	struct reason why = { "" };

	int r = commands[args->command](args, &why);
	if (r < 0)
		say_error("%s: %s", args_name(args->command),
			  why.text[0] ? why.text : strerror(-r));
	return code_of(r);
}

static int
fail_libraries(void)
{
	say_error("libsodium, libcrypto or libarchive cannot be used here");
	return EXIT_ERROR;
}

int
main(int argc, char **argv)
{
	CLEANUP(args_done) struct args args;
	struct reason why = { "" };
	int code = EXIT_SUCCESS;

	log_init("khien-repo");
	/* Secrets are in this memory. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	doc_init();
	int r = args_parse(&args, argc, argv, &why);
	if (r < 0) {
		say_error("%s", why.text[0] ? why.text : strerror(-r));
		say_error("try: khien-repo --help");
		return EXIT_ERROR;
	}
	if (args_has(&args, ARGS_HELP))
		args_help(args.command);
	else if (args_has(&args, ARGS_VERSION))
		say_line("khien-repo " KHIEN_VERSION);
	else if (trust_init() < 0 || export_init() < 0)
		code = fail_libraries();
	else
		code = run(&args);
	r = say_finish();
	if (r < 0)
		say_error("standard output: %s", strerror(-r));
	return r < 0 ? EXIT_ERROR : code;
}
