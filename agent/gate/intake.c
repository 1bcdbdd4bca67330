/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/gate/answers.h"
#include "agent/gate/asker.h"
#include "agent/gate/dispatch.h"
#include "agent/gate/ident.h"
#include "agent/gate/marks.h"
#include "agent/gate/notify.h"
#include "agent/gate/pending.h"
#include "agent/gate/report.h"
#include "agent/lib/conf.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/msg.h"
#include "agent/lib/paths.h"
#include "agent/lib/role.h"
#include "agent/lib/str.h"

struct intake {
	struct dispatch *dispatch;     /* borrowed */
	struct answers *answers;       /* borrowed */
	struct report *report;	       /* borrowed */
	const struct marks *marks;     /* borrowed */
	const struct conf *conf;       /* borrowed */
	char state_dir[CONF_PATH_MAX]; /* as the kernel names it */
	int proc;		       /* borrowed; -1: there is none */
	uint32_t store_uid; /* who owns what lies there; 0: nobody of ours */
	uint32_t pids[INTAKE_PIDS_MAX];
	size_t pids_len;
	uint32_t announced[INTAKE_ANNOUNCED_MAX]; /* oldest first */
	size_t announced_len;
	struct intake_counts counts;
	char path[CONF_PATH_MAX];
};

struct intake *
intake_new(struct dispatch *dispatch, struct answers *answers,
	   struct report *report, const struct marks *marks,
	   const struct conf *conf)
{
	struct intake *intake = calloc(1, sizeof(*intake));
	char *real CLEANUP_FREE = realpath(conf->state_dir, NULL);

	if (!intake)
		return NULL;
	intake->dispatch = dispatch;
	intake->answers = answers;
	intake->report = report;
	intake->marks = marks;
	intake->conf = conf;
	intake->proc = -1;
	intake->store_uid = conf->role_uid[ROLE_ENGINE];
	(void)str_copy(intake->state_dir, sizeof(intake->state_dir),
		       real ? real : conf->state_dir);
	return intake;
}

void
intake_free(struct intake *intake)
{
	free(intake);
}

void
intake_set_proc(struct intake *intake, int proc)
{
	intake->proc = proc;
}

void
intake_set_pids(struct intake *intake, const uint32_t *pids, size_t len)
{
	if (len > INTAKE_PIDS_MAX)
		len = INTAKE_PIDS_MAX;
	memcpy(intake->pids, pids, len * sizeof(*pids));
	intake->pids_len = len;
}

void
intake_settled(struct intake *intake, uint32_t pid)
{
	size_t to = 0;

	for (size_t i = 0; i < intake->announced_len; i++)
		if (intake->announced[i] != pid)
			intake->announced[to++] = intake->announced[i];
	intake->announced_len = to;
}

void
intake_announce(struct intake *intake, uint32_t pid)
{
	intake_settled(intake, pid);
	if (intake->announced_len == INTAKE_ANNOUNCED_MAX)
		intake_settled(intake, intake->announced[0]);
	intake->announced[intake->announced_len++] = pid;
}

bool
intake_expects(const struct intake *intake)
{
	return intake->announced_len > 0;
}

static bool
is_in(const uint32_t *pids, size_t len, uint32_t pid)
{
	for (size_t i = 0; i < len; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static bool
is_own_user(const struct intake *intake, uint32_t uid)
{
	for (size_t i = 0; i < CONF_ROLES_MAX; i++)
		if (uid == intake->conf->role_uid[i])
			return true;
	return uid == 0;
}

/*
 * A number outlives its process by as long as it takes us to hear of its end,
 * and is given to anybody then: but none of ours runs as an ordinary user.
 */
static bool
is_own_pid(const struct intake *intake, uint32_t pid)
{
	if (!is_in(intake->pids, intake->pids_len, pid) &&
	    !is_in(intake->announced, intake->announced_len, pid))
		return false;
	return is_own_user(intake, asker_uid(intake->proc, pid, 0));
}

/*
 * The store's files.  A path alone is no proof: in a mount namespace of his own
 * any user can give his files that name; but he cannot give them that owner.
 */
static bool
is_own_file(const struct intake *intake, const struct ident *ident)
{
	return intake->store_uid != 0 && ident->uid == intake->store_uid &&
	       paths_is_beneath(intake->path, intake->state_dir);
}

/*
 * Whether [gate] exclude names it.  In another mount namespace, which any user
 * can make, any file may have that path: only ours counts.
 */
static bool
is_excluded(const struct intake *intake, const struct ident *ident)
{
	return paths_has(intake->path, intake->conf->exclude) &&
	       marks_has_id(intake->marks, ident->mount_id);
}

/* Where [gate] enforce does not reach, nothing is done about what is found. */
static bool
is_spared(const struct intake *intake, const struct notify_event *event,
	  const struct ident *ident)
{
	return intake->conf->enforce[0] != '\0' && !event->asks &&
	       !marks_asks(intake->marks, ident->device);
}

/* The event's path, into intake->path; sets the flags that it brings. */
static uint32_t
read_path(struct intake *intake, int fd, const struct ident *ident)
{
	static const char deleted[] = " (deleted)";
	size_t tail = sizeof(deleted) - 1;

	if (file_path(fd, intake->path, sizeof(intake->path)) < 0) {
		intake->path[0] = '\0';
		return EVENT_PATH_CUT;
	}
	/* With links left, a name that ends so may be just that. */
	if (ident->links > 0)
		return 0;
	size_t len = strlen(intake->path);
	if (len > tail && str_equal(intake->path + len - tail, deleted))
		intake->path[len - tail] = '\0';
	return EVENT_DELETED | EVENT_NO_LINK;
}

static void
tell_close(struct intake *intake, const struct question *question,
	   uint32_t flags)
{
	const struct ident *ident = question->ident;
	struct event event;

	event_init(&event, EVENT_CLOSE, EVENT_BULK);
	event.flags = flags;
	event.boot_ns = question->boot_ns;
	event.pid = question->pid;
	event.path = intake->path;
	event.device = ident->device;
	event.inode = ident->inode;
	event.size = ident->size;
	event.mode = ident->mode;
	event.file_uid = ident->uid;
	event.file_gid = ident->gid;
	event.links = ident->links;
	report_event(intake->report, &event);
}

/*
 * Returns 0 when the event is about a file that can be scanned, else what to
 * say instead, with *ret_error.
 */
static uint16_t
look(struct intake *intake, int fd, struct ident *ident, const char **ret_error)
{
	int r = ident_read(fd, ident);

	if (r < 0) {
		/* As a file of which nothing good is known. */
		*ident = (struct ident){ .uid = UINT32_MAX };
		report_lost(intake->report, 1);
		*ret_error = strerror(-r);
		return MSG_FAILED;
	}
	*ret_error = "not a regular file";
	return S_ISREG(ident->mode) ? 0 : MSG_SKIPPED;
}

static uint16_t
cause_of(const struct notify_event *event)
{
	if (event->executed)
		return MSG_CAUSE_EXEC;
	return event->opened ? MSG_CAUSE_OPEN : MSG_CAUSE_WRITE;
}

static void
count(struct intake *intake, const struct notify_event *event)
{
	intake->counts.written += event->written;
	intake->counts.executed += event->executed;
	intake->counts.opened += event->opened;
}

/* What needs the path is rare, but for writing, where it is told. */
static bool
needs_path(const struct intake *intake, const struct notify_event *event,
	   const struct ident *ident)
{
	return event->written || intake->conf->exclude[0] != '\0' ||
	       (event->asks && intake->store_uid != 0 &&
		ident->uid == intake->store_uid);
}

/* Where anything is excluded the path was read: see needs_path(). */
static void
ask_unless_excluded(struct intake *intake, const struct question *question)
{
	if (intake->conf->exclude[0] == '\0' ||
	    !is_excluded(intake, question->ident)) {
		dispatch_ask(intake->dispatch, question);
		return;
	}
	intake->counts.excluded++;
	dispatch_refuse(intake->dispatch, question, MSG_SKIPPED,
			"excluded by [gate] exclude");
}

static void
take_event(struct intake *intake, const struct notify_event *event,
	   struct question *question, int fd)
{
	const struct ident *ident = question->ident;
	uint32_t flags = 0;

	question->fd = fd;
	question->spared = is_spared(intake, event, ident);
	if (event->written)
		answers_forget(intake->answers, ident);
	if (answers_give_second(intake->answers, question)) {
		file_closep(&fd);
		return;
	}
	bool has_path = needs_path(intake, event, ident);
	if (has_path)
		flags = read_path(intake, fd, ident);
	if (has_path && is_own_file(intake, ident)) {
		intake->counts.ignored++;
		dispatch_refuse(intake->dispatch, question, MSG_SKIPPED,
				"the agent's own");
		return;
	}
	count(intake, event);
	if (event->written)
		tell_close(intake, question, flags);
	ask_unless_excluded(intake, question);
}

void
intake_event(void *arg, const struct notify_event *event)
{
	struct intake *intake = arg;
	CLEANUP_FD int fd = event->fd;
	struct ident ident;

	if (is_own_pid(intake, event->pid)) {
		if (event->asks)
			answers_allow_own(intake->answers, fd);
		else
			intake->counts.ignored++;
		return;
	}
	/* One process that wrote it and then executes it is one question. */
	struct question question = {
		.cause = cause_of(event),
		.written = event->written,
		.waits = event->asks,
		.pid = event->pid,
		.boot_ns = loop_now_ns(),
		.queued_ns = event->queued_ns,
		.ident = &ident,
	};
	const char *error;
	uint16_t result = look(intake, fd, &ident, &error);
	if (result == 0) {
		take_event(intake, event, &question, TAKE_FD(fd));
		return;
	}
	intake->counts.ignored++;
	if (!question.waits)
		return;
	question.fd = TAKE_FD(fd);
	dispatch_refuse(intake->dispatch, &question, result, error);
}

void
intake_ask(struct intake *intake, uint64_t tag, int fd)
{
	struct ident ident;
	int r = ident_read(fd, &ident);

	if (r < 0)
		ident = (struct ident){ 0 };
	struct question question = {
		.cause = MSG_CAUSE_ASKED,
		.tag = tag,
		.boot_ns = loop_now_ns(),
		.fd = fd,
		.ident = &ident,
	};
	int flags = fcntl(fd, F_GETFL);
	if (r < 0)
		dispatch_refuse(intake->dispatch, &question, MSG_FAILED,
				strerror(-r));
	else if (!S_ISREG(ident.mode))
		dispatch_refuse(intake->dispatch, &question, MSG_SKIPPED,
				"not a regular file");
	else if (flags < 0 || (flags & O_PATH) ||
		 (flags & O_ACCMODE) == O_WRONLY)
		dispatch_refuse(intake->dispatch, &question, MSG_FAILED,
				"not opened for reading");
	else
		dispatch_ask(intake->dispatch, &question);
}

void
intake_judge(struct intake *intake, const struct msg_judge *judge, int fd)
{
	uint64_t now_ns = loop_now_ns();
	struct ident ident;
	const char *error;
	struct question question = {
		.cause = MSG_CAUSE_EXEC,
		.waits = true,
		.judge = judge->id,
		.pid = judge->pid,
		.boot_ns = judge->boot_ns < now_ns ? judge->boot_ns : now_ns,
		.fd = fd,
		.ident = &ident,
	};
	uint16_t result = look(intake, fd, &ident, &error);

	intake->counts.executed++;
	if (result) {
		dispatch_refuse(intake->dispatch, &question, result, error);
		return;
	}
	(void)read_path(intake, fd, &ident);
	ask_unless_excluded(intake, &question);
}

void
intake_count(const struct intake *intake, struct intake_counts *ret_counts)
{
	*ret_counts = intake->counts;
}
