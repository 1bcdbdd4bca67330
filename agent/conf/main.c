/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-conf: reads and checks the configuration.  For khiend it sends the
 * result on descriptor 3; by hand it prints what is in force.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/conf/check.h"
#include "agent/conf/settings.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

#define DEFAULT_FILE "/etc/khien/khien.conf"
#define EXIT_BAD 2

static const char usage[] =
	"usage: khien-conf [FILE]\n"
	"\n"
	"Checks FILE and FILE.d/*.conf, by default " DEFAULT_FILE
	" and\n" DEFAULT_FILE ".d/*.conf, and prints what is in force.\n";

static bool
is_asked_by_khiend(void)
{
	int type;
	socklen_t size = sizeof(type);

	return getsockopt(PEER_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* The result; or, as a report on khien-conf, the first error. */
static int
tell(const struct settings *settings)
{
	uint8_t *bytes CLEANUP_FREE = malloc(MSG_MAX);
	struct buf buf;

	if (!bytes)
		return EXIT_BAD;
	if (settings->problem.errors) {
		struct msg_peer peer = {
			.who = { .role = ROLE_CONF, .pid = (uint32_t)getpid() },
			.state = MSG_PEER_CONFIG,
			.detail = settings->problem.first,
		};
		msg_begin(&buf, bytes, MSG_MAX, MSG_PEER);
		msg_put_peer(&buf, &peer);
	} else {
		msg_begin(&buf, bytes, MSG_MAX, MSG_CONFIG);
		conf_put(&buf, &settings->conf);
	}
	if (msg_end(&buf) < 0 || chan_write(PEER_FD, &buf, -1) < 0)
		return EXIT_BAD;
	return settings->problem.errors ? EXIT_BAD : EXIT_SUCCESS;
}

static int
print(const struct settings *settings)
{
	char value[CONF_PATH_MAX];
	const char *last = "";
	const char *section;
	const char *key;

	if (settings->problem.errors) {
		(void)fprintf(stderr, "%u error%s\n", settings->problem.errors,
			      settings->problem.errors == 1 ? "" : "s");
		return EXIT_BAD;
	}
	(void)puts("ok");
	for (size_t i = 0; conf_list(&settings->conf, i, &section, &key, value,
				     sizeof(value)) == 0;
	     i++) {
		if (!str_equal(section, last))
			(void)printf("\n[%s]\n", section);
		(void)printf("%s = %s\n", key, value);
		last = section;
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_BAD;
}

int
main(int argc, char **argv)
{
	static struct settings settings;
	bool asked = is_asked_by_khiend();

	if (argc == 2 && str_equal(argv[1], "--help"))
		return fputs(usage, stdout) < 0;
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		(void)fputs(usage, stderr);
		return EXIT_BAD;
	}
	const char *file = argc == 2 ? argv[1] : DEFAULT_FILE;
	settings_init(&settings);
	settings_read(&settings, file, argc != 2);
	/* Of none that is there nothing is known. */
	if (!realpath(file, settings.conf.source))
		settings.conf.source[0] = '\0';
	/* Folders of a half-read configuration would only confuse. */
	if (!settings.problem.errors)
		check_all(&settings);
	int status = asked ? tell(&settings) : print(&settings);
	settings_done(&settings);
	return status;
}
