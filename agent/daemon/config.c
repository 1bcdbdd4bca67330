/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "agent/daemon/child.h"
#include "agent/daemon/spawn.h"
#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"

void
config_init(struct config *config)
{
	*config = (struct config){ .chan = -1 };
}

void
config_done(struct config *config)
{
	file_closep(&config->chan);
	config_init(config);
}

int
config_start(struct config *config, const char *folder, const char *path,
	     int leave)
{
	CLEANUP_FD int ours = -1;
	CLEANUP_FD int theirs = -1;

	if (config->pid)
		return -EBUSY;
	int r = chan_pair(&ours, &theirs);
	if (r < 0)
		return r;
	r = spawn_start(&(struct spawn){ .folder = folder,
					 .name = role_get(ROLE_CONF)->name,
					 .argument = path,
					 .chan = theirs,
					 .leave = leave },
			&config->pid);
	if (r < 0)
		return r;
	config->chan = TAKE_FD(ours);
	config->due_ms = child_now_ms() + CONFIG_LIMIT_MS;
	return 0;
}

int
config_wait(struct config *config)
{
	int status = 0;

	for (;;) {
		/* Its end of the channel is closed by its end. */
		struct pollfd end = { .fd = config->chan };
		uint64_t now_ms = child_now_ms();
		if (now_ms >= config->due_ms)
			break;
		if (poll(&end, 1, (int)(config->due_ms - now_ms)) > 0)
			break;
	}
	config_check(config, child_now_ms());
	while (waitpid(config->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

/* What khien-conf sends: its result, or a report that says what is wrong. */
static int
take_message(int chan, uint8_t *bytes, struct conf *conf, char *why)
{
	struct buf buf;
	struct msg_peer peer;
	uint16_t type;
	size_t len;
	CLEANUP_FD int fd = -1;
	int r = chan_read(chan, bytes, MSG_MAX, &len, &fd);

	if (r == 0)
		r = msg_open(&buf, bytes, len, &type);
	if (r < 0)
		return r;
	if (type == MSG_CONFIG)
		return conf_get(&buf, conf);
	if (type != MSG_PEER || msg_get_peer(&buf, &peer) < 0)
		return -EBADMSG;
	(void)snprintf(why, CONFIG_WHY_MAX, "%s", peer.detail);
	return -EINVAL;
}

int
config_take(struct config *config, int status, struct conf *ret_conf, char *why)
{
	uint8_t *bytes CLEANUP_FREE = malloc(MSG_MAX);
	struct conf *conf CLEANUP_FREE = calloc(1, sizeof(*conf));
	CLEANUP_FD int chan = config->chan;

	config_init(config);
	why[0] = '\0';
	if (!bytes || !conf)
		return -ENOMEM;
	int r = take_message(chan, bytes, conf, why);
	if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		*ret_conf = *conf;
		return 0;
	}
	if (why[0])
		return -EINVAL;
	(void)snprintf(why, CONFIG_WHY_MAX,
		       "khien-conf ended (wait status %#x) without a result",
		       (unsigned int)status);
	return -EIO;
}

void
config_check(struct config *config, uint64_t now_ms)
{
	if (!config->pid || !config->due_ms || now_ms < config->due_ms)
		return;
	(void)kill(config->pid, SIGKILL);
	config->due_ms = 0;
}
