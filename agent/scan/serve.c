/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/msg.h"
#include "agent/lib/role.h"
#include "agent/lib/sandbox.h"
#include "agent/scan/roster.h"
#include "agent/scan/rules.h"
#include "agent/scan/scanner.h"
#include "agent/scan/yara.h"

struct serve {
	int chan;
	struct yara *yara;
	struct scanner *scanner;
	uint8_t *bytes; /* MSG_MAX */
	struct msg_verdict verdict;
};

static int
wait_for(int chan, short events)
{
	struct pollfd wait = { .fd = chan, .events = events };

	return poll(&wait, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int
write_all(struct serve *serve, struct buf *buf)
{
	int r = msg_end(buf);

	while (r == 0) {
		r = chan_write(serve->chan, buf, -1);
		if (r != -EAGAIN)
			break;
		r = wait_for(serve->chan, POLLOUT);
	}
	return r;
}

static int
tell_rules(struct serve *serve, const struct rules *rules)
{
	struct roster roster;
	int r = 0;

	roster_begin(&roster, rules, serve->yara);
	while (r == 0 && !roster_is_done(&roster)) {
		struct buf buf;
		msg_begin(&buf, serve->bytes, MSG_MAX, MSG_RULE);
		roster_put(&roster, &buf);
		r = write_all(serve, &buf);
		roster_step(&roster);
	}
	return r;
}

static int
answer(struct serve *serve, const struct msg_scan *question, int fd)
{
	struct scanner_result result;
	size_t told = 0;
	int r = 0;

	scanner_scan(serve->scanner, fd, false, &result);
	do {
		struct msg_verdict *verdict = &serve->verdict;
		struct buf buf;
		*verdict = (struct msg_verdict){ .tag = question->tag,
						 .cause = question->cause,
						 .path = "" };
		told += scanner_tell(serve->scanner, &result, told, verdict);
		if (told < result.len)
			verdict->flags |= SERVE_MORE;
		msg_begin(&buf, serve->bytes, MSG_MAX, MSG_VERDICT);
		msg_put_verdict(&buf, verdict);
		r = write_all(serve, &buf);
	} while (r == 0 && told < result.len);
	return r;
}

static int
serve_one(struct serve *serve)
{
	CLEANUP_FD int fd = -1;
	struct msg_scan question;
	struct buf buf;
	uint16_t type;
	size_t len;
	int r = chan_read(serve->chan, serve->bytes, MSG_MAX, &len, &fd);

	if (r == -EAGAIN)
		return wait_for(serve->chan, POLLIN);
	if (r < 0)
		return r;
	r = msg_open(&buf, serve->bytes, len, &type);
	if (r == 0 && (type != MSG_SCAN || fd < 0))
		r = -EBADMSG;
	if (r == 0)
		r = msg_get_scan(&buf, &question);
	return r < 0 ? r : answer(serve, &question, fd);
}

static int
start(struct serve *serve, struct rules *rules,
      const struct scanner_limits *limits)
{
	const struct role *role = role_get(ROLE_SCAN);
	const char *step = "preparation";
	int r = scanner_init(rules_contain(rules, "\"magic\""));

	if (r == 0)
		r = sandbox_enter(role, role->fallback_uid, role->fallback_uid,
				  -1, &step);
	if (r < 0) {
		errno = -r;
		log_error("sandbox refused at %s: %m", step);
		return r;
	}
	r = yara_new(rules, &serve->yara);
	if (r == 0)
		r = scanner_new(serve->yara, limits, &serve->scanner);
	if (r < 0) {
		errno = -r;
		log_error("rules: %m");
		return r;
	}
	return tell_rules(serve, rules);
}

int
serve_run(int chan, struct rules *rules, const struct scanner_limits *limits)
{
	struct serve *serve CLEANUP_FREE = calloc(1, sizeof(*serve));
	uint8_t *bytes CLEANUP_FREE = malloc(MSG_MAX);

	if (!serve || !bytes)
		return -ENOMEM;
	serve->chan = chan;
	serve->bytes = bytes;
	int r = start(serve, rules, limits);
	while (r == 0)
		r = serve_one(serve);
	scanner_free(serve->scanner);
	yara_free(serve->yara);
	return r == -EPIPE ? 0 : r;
}
