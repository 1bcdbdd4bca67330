/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/decode.h"

#include <errno.h>
#include <linux/types.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/sensor/network.h"
#include "agent/sensor/path.h"
#include "agent/sensor/privilege.h"
#include "agent/sensor/texts.h"
#include "kernel/khien_abi.h"

#define FLAGS_TOLD 0x1fffffffu /* the others are for this file alone */

static void
join(struct decode *ret, char *dst, const char *base, const char *path)
{
	if (path_join(dst, EVENT_PATH_MAX + 1, base, path) < 0)
		ret->event.flags |= EVENT_PATH_CUT;
}

void
decode_put_head(struct decode *ret, const struct khien_head *head)
{
	struct event *event = &ret->event;

	event_init(event, head->type, head->class);
	event->flags = head->flags & FLAGS_TOLD;
	event->cpu = head->cpu;
	event->sequence = head->sequence;
	event->boot_ns = head->boot_ns;
	event->start_ns = head->start_ns;
	event->pid = head->pid;
	event->tid = head->tid;
	event->ppid = head->ppid;
	event->uid = head->uid;
	memcpy(ret->comm, head->comm, sizeof(head->comm));
	ret->comm[sizeof(head->comm)] = '\0';
	event->comm = ret->comm;
}

void
decode_put_actor(struct event *event, const struct khien_actor *actor)
{
	event->parent_start_ns = actor->parent_start_ns;
	event->cgroup_id = actor->cgroup_id;
	event->mount_ns = actor->mount_ns;
	event->caps = actor->caps;
	event->ns_pid = actor->ns_pid;
	event->euid = actor->euid;
	event->gid = actor->gid;
	event->egid = actor->egid;
	event->loginuid = actor->loginuid;
	event->session = actor->session;
}

void
decode_put_inode(struct event *event, const struct khien_inode *inode)
{
	event->inode = inode->inode;
	event->size = inode->size;
	event->mode = inode->mode;
	event->file_uid = inode->uid;
	event->file_gid = inode->gid;
	event->links = inode->links;
	if (inode->device)
		event->device =
			makedev(inode->device >> 20, inode->device & 0xfffff);
}

static int
decode_fork(const uint8_t *bytes, size_t size, struct decode *ret)
{
	struct khien_fork fork;

	if (size != sizeof(fork))
		return -EBADMSG;
	memcpy(&fork, bytes, sizeof(fork));
	decode_put_head(ret, &fork.head);
	decode_put_actor(&ret->event, &fork.actor);
	return 0;
}

static int
decode_exit(const uint8_t *bytes, size_t size, struct decode *ret)
{
	struct khien_exit exit;

	if (size != sizeof(exit))
		return -EBADMSG;
	memcpy(&exit, bytes, sizeof(exit));
	decode_put_head(ret, &exit.head);
	ret->event.exit_code = exit.code;
	ret->event.exit_signal = exit.signal;
	return 0;
}

/* As invoked, made absolute: from the working directory, or, where the
   process has a root of its own, from that. */
static void
put_invoked(struct decode *ret, const char *invoked, bool script)
{
	struct event *event = &ret->event;

	if (invoked[0] == '\0')
		return;
	join(ret, ret->path2, invoked[0] == '/' ? ret->root : ret->cwd,
	     invoked);
	event->path2 = ret->path2;
	if (script)
		event->script = ret->path2;
}

static int
decode_exec(const uint8_t *bytes, size_t size, struct decode *ret)
{
	struct event *event = &ret->event;
	struct khien_exec exec;

	if (size < sizeof(exec))
		return -EBADMSG;
	memcpy(&exec, bytes, sizeof(exec));
	struct texts texts = { bytes + sizeof(exec), size - sizeof(exec),
			       false };
	decode_put_head(ret, &exec.head);
	decode_put_actor(event, &exec.actor);
	decode_put_inode(event, &exec.file);
	texts_take_walk(&texts, exec.len[KHIEN_EXEC_PATH], ret, ret->path);
	texts_take_walk(&texts, exec.len[KHIEN_EXEC_CWD], ret, ret->cwd);
	texts_take_walk(&texts, exec.len[KHIEN_EXEC_ROOT], ret, ret->root);
	put_invoked(ret,
		    texts_take_string(&texts, exec.len[KHIEN_EXEC_INVOKED],
				      KHIEN_PATH_SIZE),
		    exec.head.flags & KHIEN_SCRIPT);
	event->tty = texts_take_string(&texts, exec.len[KHIEN_EXEC_TTY],
				       KHIEN_TTY_SIZE);
	struct texts_text args = texts_take(&texts, exec.len[KHIEN_EXEC_ARGS]);
	if (texts.failed || texts.left > 0 || args.len > KHIEN_ARGS_SIZE)
		return -EBADMSG;
	event->path = ret->path;
	event->cwd = ret->cwd;
	event->args = args.bytes;
	event->args_len = args.len;
	event->args_size = exec.args_size;
	return 0;
}

/* path, or path2 of two: a walk, or a string and the walk it starts from. */
static const char *
take_path(struct decode *ret, struct texts *texts, const uint32_t *len,
	  bool walked, char *dst)
{
	if (walked) {
		texts_take_walk(texts, len[0], ret, dst);
		return dst;
	}
	const char *path = texts_take_string(texts, len[0], KHIEN_PATH_SIZE);
	struct texts_text base = texts_take(texts, len[1]);
	if (base.len == 0) /* a text, or its directory was not to be found */
		return path;
	texts_put_walk(texts, base, ret, ret->root);
	join(ret, dst, ret->root, path);
	return dst;
}

/* mkdir and mknod say the mode without what every mode begins with. */
static void
put_type(struct event *event)
{
	if (event->mode & S_IFMT)
		return;
	if (event->type == EVENT_MKDIR)
		event->mode |= S_IFDIR;
	else if (event->type == EVENT_CREATE)
		event->mode |= S_IFREG;
}

static int
decode_file(const uint8_t *bytes, size_t size, struct decode *ret)
{
	struct event *event = &ret->event;
	struct khien_file file;

	if (size < sizeof(file))
		return -EBADMSG;
	memcpy(&file, bytes, sizeof(file));
	struct texts texts = { bytes + sizeof(file), size - sizeof(file),
			       false };
	decode_put_head(ret, &file.head);
	decode_put_inode(event, &file.file);
	put_type(event);
	event->mount_ns = file.mount_ns;
	event->old_mode = file.value;
	event->path = take_path(ret, &texts, &file.len[KHIEN_FILE_PATH],
				file.head.flags & KHIEN_WALKED, ret->path);
	event->path2 = take_path(ret, &texts, &file.len[KHIEN_FILE_PATH2],
				 file.head.flags & KHIEN_WALKED2, ret->path2);
	event->name = texts_take_string(&texts, file.len[KHIEN_FILE_NAME],
					KHIEN_NAME_SIZE);
	return texts.failed || texts.left > 0 ? -EBADMSG : 0;
}

int
decode_head(const uint8_t *bytes, size_t size, struct decode_head *ret)
{
	struct khien_head head;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.size != size)
		return -EBADMSG;
	*ret = (struct decode_head){
		.type = head.type,
		.class = head.class,
		.cpu = head.cpu,
		.size = head.size,
		.sequence = head.sequence,
		.boot_ns = head.boot_ns,
	};
	return 0;
}

int
decode_record(const uint8_t *bytes, size_t size, struct decode *ret)
{
	struct decode_head head;
	int r = decode_head(bytes, size, &head);

	if (r < 0)
		return r;
	if (head.class != KHIEN_CRITICAL && head.class != KHIEN_BULK)
		return -EBADMSG;
	switch (head.type) {
	case KHIEN_FORK:
		return decode_fork(bytes, size, ret);
	case KHIEN_EXEC:
	case KHIEN_SEED:
		return decode_exec(bytes, size, ret);
	case KHIEN_EXIT:
		return decode_exit(bytes, size, ret);
	case KHIEN_CREATE ... KHIEN_STOP:
		if (!event_type_name(head.type))
			return -EBADMSG;
		return decode_file(bytes, size, ret);
	case KHIEN_CONNECT ... KHIEN_DNS:
		return network_decode(bytes, size, ret);
	case KHIEN_CREDENTIALS ... KHIEN_MAP_DENIED:
		if (!event_type_name(head.type))
			return -EBADMSG;
		return privilege_decode(bytes, size, ret);
	default:
		return -EBADMSG;
	}
}
