/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/answer.h"

#include <stdbool.h>

#include "agent/gate/ident.h"
#include "agent/gate/pending.h"
#include "agent/gate/report.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

void
answer_tell(void *arg, const struct question *question,
	    const struct msg_verdict *verdict)
{
	static char path[CONF_PATH_MAX];
	struct msg_verdict told = *verdict;
	bool asked = question->cause == MSG_CAUSE_ASKED;

	if (!asked &&
	    (verdict->result == MSG_CLEAN || verdict->result == MSG_SKIPPED))
		return;
	if (file_path(question->fd, path, sizeof(path)) < 0)
		path[0] = '\0';
	told.tag = question->tag;
	told.cause = question->cause;
	told.boot_ns = question->boot_ns;
	told.pid = question->pid;
	told.device = question->ident->device;
	told.inode = question->ident->inode;
	told.mode = question->ident->mode;
	told.uid = question->ident->uid;
	told.gid = question->ident->gid;
	told.path = path;
	report_verdict(arg, &told);
}
