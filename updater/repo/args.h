/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, checked against two tables: the commands, and the options
 * each of them takes.  Options may stand before or after their command and its
 * operands, up to "--".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reason;

enum args_command {
	ARGS_INIT,
	ARGS_KEY,
	ARGS_STAGE,
	ARGS_CHECK,
	ARGS_DIFF,
	ARGS_SIGN,
	ARGS_PUBLISH,
	ARGS_REFRESH,
	ARGS_PROMOTE,
	ARGS_WITHDRAW,
	ARGS_ROTATE,
	ARGS_STATUS,
	ARGS_EXPORT,
	ARGS_VERIFY,
	ARGS_COMMANDS,
};

enum args_option {
	ARGS_HELP,
	ARGS_VERSION,
	ARGS_JSON,
	ARGS_PASSPHRASE_FILE,
	ARGS_KEY_FILE,
	ARGS_SCHEME,
	ARGS_HYBRID,
	ARGS_ROOT,
	ARGS_TARGETS,
	ARGS_CHANNEL,
	ARGS_ONLINE,
	ARGS_ROOT_THRESHOLD,
	ARGS_TARGETS_THRESHOLD,
	ARGS_CHANNEL_THRESHOLD,
	ARGS_ROOT_DAYS,
	ARGS_TARGETS_DAYS,
	ARGS_CHANNEL_DAYS,
	ARGS_SNAPSHOT_DAYS,
	ARGS_TIMESTAMP_DAYS,
	ARGS_VECTORS,
	ARGS_NUMBER,
	ARGS_WAVE,
	ARGS_DESCRIPTION,
	ARGS_ENGINE_MIN,
	ARGS_ENGINE_MAX,
	ARGS_RENEW,
	ARGS_GOOD,
	ARGS_FROM,
	ARGS_REASON,
	ARGS_ADD,
	ARGS_REMOVE,
	ARGS_THRESHOLD,
	ARGS_RELEASE,
	ARGS_OPTIONS,
};

#define ARGS_GIVEN_MAX 256

struct args {
	const char *repo; /* -C; never NULL */
	enum args_command command;
	struct {
		enum args_option option;
		const char *value; /* NULL: it takes none */
	} given[ARGS_GIVEN_MAX];
	size_t given_len;
	char **operands; /* owned array, borrowed texts */
	size_t operands_len;
};

/*
 * Reads the command line.  Returns 0; -EINVAL and why; -ENOMEM.  args_done()
 * in any case.
 */
int args_parse(struct args *ret_args, int argc, char **argv,
	       struct reason *why);
void args_done(struct args *args);

const char *args_name(enum args_command command);

/* The last value of an option; NULL: it was not given. */
const char *args_text(const struct args *args, enum args_option option);
bool args_has(const struct args *args, enum args_option option);
/* Its value number `at`, from 0; NULL: there are not so many. */
const char *args_nth(const struct args *args, enum args_option option,
		     size_t at);
/*
 * A whole number from 1 to max.  Returns 0, also when it is not given and
 * *ret_number stays as it is; -EINVAL and why.
 */
int args_number(const struct args *args, enum args_option option, int64_t max,
		int64_t *ret_number, struct reason *why);

/* Help on one command, or on all for ARGS_COMMANDS. */
void args_help(enum args_command command);
