/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/event.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/buf.h"

static const struct {
	uint16_t type;
	const char *name;
} types[] = {
	{ EVENT_FORK, "fork" },
	{ EVENT_EXEC, "exec" },
	{ EVENT_EXIT, "exit" },
	{ EVENT_SEED, "seed" },
	{ EVENT_CREATE, "create" },
	{ EVENT_OPEN, "open" },
	{ EVENT_CLOSE, "close" },
	{ EVENT_RENAME, "rename" },
	{ EVENT_UNLINK, "unlink" },
	{ EVENT_LINK, "link" },
	{ EVENT_SYMLINK, "symlink" },
	{ EVENT_CHMOD, "chmod" },
	{ EVENT_CHOWN, "chown" },
	{ EVENT_XATTR, "xattr" },
	{ EVENT_MKDIR, "mkdir" },
	{ EVENT_RMDIR, "rmdir" },
	{ EVENT_MOUNT, "mount" },
	{ EVENT_UMOUNT, "umount" },
	{ EVENT_LOSS, "loss" },
	{ EVENT_PEER, "peer" },
	{ EVENT_CLOCK, "clock" },
	{ EVENT_CONFIG, "config" },
	{ EVENT_STORE, "store" },
	{ EVENT_ACT, "act" },
	{ EVENT_LISTENER, "listener" },
	{ EVENT_STOP, "stop" },
	{ EVENT_UPDATE, "update" },
	{ EVENT_READ, "read" },
	{ EVENT_CONNECT, "connect" },
	{ EVENT_ACCEPT, "accept" },
	{ EVENT_DISCONNECT, "disconnect" },
	{ EVENT_DATAGRAM, "datagram" },
	{ EVENT_DNS, "dns" },
	{ EVENT_CREDENTIALS, "credentials" },
	{ EVENT_ESCALATE, "escalate" },
	{ EVENT_PTRACE, "ptrace" },
	{ EVENT_VM_WRITE, "vm_write" },
	{ EVENT_MEM_OPEN, "mem_open" },
	{ EVENT_MEMFD_CREATE, "memfd_create" },
	{ EVENT_MAP_EXEC, "map_exec" },
	{ EVENT_MODULE_LOAD, "module_load" },
	{ EVENT_MODULE_UNLOAD, "module_unload" },
	{ EVENT_BPF_LOAD, "bpf_load" },
	{ EVENT_UNSHARE, "unshare" },
	{ EVENT_SETNS, "setns" },
	{ EVENT_CHROOT, "chroot" },
	{ EVENT_PIVOT_ROOT, "pivot_root" },
	{ EVENT_GUARD, "guard" },
	{ EVENT_MAP_FILE, "map_file" },
	{ EVENT_MAP_DENIED, "map_denied" },
};

#define TYPES_LEN (sizeof(types) / sizeof(types[0]))

void
event_init(struct event *event, uint16_t type, uint16_t class)
{
	*event = (struct event){
		.type = type,
		.class = class,
		.count = 1,
		.loginuid = UINT32_MAX,
		.session = UINT32_MAX,
	};
}

static void
put_network(struct buf *buf, const struct event *event)
{
	buf_put_bytes(buf, event->local, sizeof(event->local));
	buf_put_bytes(buf, event->remote, sizeof(event->remote));
	buf_put_u16(buf, event->local_port);
	buf_put_u16(buf, event->remote_port);
	buf_put_u16(buf, event->net_family);
	buf_put_u16(buf, event->protocol);
	buf_put_u64(buf, event->sent);
	buf_put_u64(buf, event->received);
	buf_put_u64(buf, event->age_ns);
	buf_put_u64(buf, event->value);
}

static void
put_privilege(struct buf *buf, const struct event *event)
{
	buf_put_u32(buf, event->target_pid);
	buf_put_u64(buf, event->target_start_ns);
	buf_put_u32(buf, event->old_uid);
	buf_put_u32(buf, event->old_euid);
	buf_put_u32(buf, event->old_gid);
	buf_put_u32(buf, event->old_egid);
	buf_put_u64(buf, event->old_caps);
	buf_put_u64(buf, event->value);
	buf_put_u64(buf, event->value2);
}

void
event_put(struct buf *buf, const struct event *event)
{
	buf_put_u16(buf, event->type);
	buf_put_u16(buf, event->class);
	buf_put_u32(buf, event->flags);
	buf_put_u32(buf, event->cpu);
	buf_put_u64(buf, event->sequence);
	buf_put_u64(buf, event->boot_ns);
	buf_put_u64(buf, event->count);
	buf_put_u32(buf, event->pid);
	buf_put_u32(buf, event->tid);
	buf_put_u32(buf, event->ns_pid);
	buf_put_u64(buf, event->start_ns);
	buf_put_u32(buf, event->ppid);
	buf_put_u64(buf, event->parent_start_ns);
	buf_put_u32(buf, event->uid);
	buf_put_u32(buf, event->euid);
	buf_put_u32(buf, event->gid);
	buf_put_u32(buf, event->egid);
	buf_put_u32(buf, event->loginuid);
	buf_put_u32(buf, event->session);
	buf_put_u64(buf, event->caps);
	buf_put_u64(buf, event->cgroup_id);
	buf_put_u64(buf, event->mount_ns);
	buf_put_text(buf, event->comm);
	buf_put_text(buf, event->path);
	buf_put_text(buf, event->path2);
	buf_put_text(buf, event->script);
	buf_put_text(buf, event->cwd);
	buf_put_text(buf, event->tty);
	buf_put_text(buf, event->name);
	buf_put_bytes(buf, event->args, event->args_len);
	buf_put_u64(buf, event->args_size);
	buf_put_u64(buf, event->device);
	buf_put_u64(buf, event->inode);
	buf_put_u64(buf, event->size);
	buf_put_u32(buf, event->mode);
	buf_put_u32(buf, event->old_mode);
	buf_put_u32(buf, event->file_uid);
	buf_put_u32(buf, event->file_gid);
	buf_put_u32(buf, event->links);
	buf_put_u32(buf, (uint32_t)event->exit_code);
	buf_put_u32(buf, event->exit_signal);
	buf_put_u32(buf, event->lost_class);
	if (event_family(event->type) == EVENT_OF_NETWORK)
		put_network(buf, event);
	else if (event_family(event->type) == EVENT_OF_PRIVILEGE)
		put_privilege(buf, event);
}

static void
get_address(struct buf *buf, uint8_t dst[16])
{
	size_t len = 0;
	const uint8_t *bytes = buf_get_bytes(buf, 16, &len);

	if (len == 16)
		memcpy(dst, bytes, 16);
	else
		buf->failed = true;
}

static void
get_network(struct buf *buf, struct event *event)
{
	get_address(buf, event->local);
	get_address(buf, event->remote);
	event->local_port = buf_get_u16(buf);
	event->remote_port = buf_get_u16(buf);
	event->net_family = buf_get_u16(buf);
	uint16_t protocol = buf_get_u16(buf);
	if (protocol > UINT8_MAX)
		buf->failed = true;
	event->protocol = (uint8_t)protocol;
	event->sent = buf_get_u64(buf);
	event->received = buf_get_u64(buf);
	event->age_ns = buf_get_u64(buf);
	event->value = buf_get_u64(buf);
}

static void
get_privilege(struct buf *buf, struct event *event)
{
	event->target_pid = buf_get_u32(buf);
	event->target_start_ns = buf_get_u64(buf);
	event->old_uid = buf_get_u32(buf);
	event->old_euid = buf_get_u32(buf);
	event->old_gid = buf_get_u32(buf);
	event->old_egid = buf_get_u32(buf);
	event->old_caps = buf_get_u64(buf);
	event->value = buf_get_u64(buf);
	event->value2 = buf_get_u64(buf);
}

int
event_get(struct buf *buf, struct event *ret_event)
{
	struct event event = { 0 };

	event.type = buf_get_u16(buf);
	event.class = buf_get_u16(buf);
	event.flags = buf_get_u32(buf);
	event.cpu = buf_get_u32(buf);
	event.sequence = buf_get_u64(buf);
	event.boot_ns = buf_get_u64(buf);
	event.count = buf_get_u64(buf);
	event.pid = buf_get_u32(buf);
	event.tid = buf_get_u32(buf);
	event.ns_pid = buf_get_u32(buf);
	event.start_ns = buf_get_u64(buf);
	event.ppid = buf_get_u32(buf);
	event.parent_start_ns = buf_get_u64(buf);
	event.uid = buf_get_u32(buf);
	event.euid = buf_get_u32(buf);
	event.gid = buf_get_u32(buf);
	event.egid = buf_get_u32(buf);
	event.loginuid = buf_get_u32(buf);
	event.session = buf_get_u32(buf);
	event.caps = buf_get_u64(buf);
	event.cgroup_id = buf_get_u64(buf);
	event.mount_ns = buf_get_u64(buf);
	event.comm = buf_get_text(buf, EVENT_PATH_MAX);
	event.path = buf_get_text(buf, EVENT_PATH_MAX);
	event.path2 = buf_get_text(buf, EVENT_PATH_MAX);
	event.script = buf_get_text(buf, EVENT_PATH_MAX);
	event.cwd = buf_get_text(buf, EVENT_PATH_MAX);
	event.tty = buf_get_text(buf, EVENT_PATH_MAX);
	event.name = buf_get_text(buf, EVENT_PATH_MAX);
	event.args = buf_get_bytes(buf, EVENT_ARGS_MAX, &event.args_len);
	event.args_size = buf_get_u64(buf);
	event.device = buf_get_u64(buf);
	event.inode = buf_get_u64(buf);
	event.size = buf_get_u64(buf);
	event.mode = buf_get_u32(buf);
	event.old_mode = buf_get_u32(buf);
	event.file_uid = buf_get_u32(buf);
	event.file_gid = buf_get_u32(buf);
	event.links = buf_get_u32(buf);
	event.exit_code = (int32_t)buf_get_u32(buf);
	event.exit_signal = buf_get_u32(buf);
	event.lost_class = buf_get_u32(buf);
	if (event_family(event.type) == EVENT_OF_NETWORK)
		get_network(buf, &event);
	else if (event_family(event.type) == EVENT_OF_PRIVILEGE)
		get_privilege(buf, &event);
	if (buf->failed || !event_type_name(event.type) ||
	    !event_class_name(event.class))
		return -EBADMSG;
	*ret_event = event;
	return 0;
}

const char *
event_type_name(uint16_t type)
{
	for (size_t i = 0; i < TYPES_LEN; i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

uint16_t
event_type_find(const char *name)
{
	for (size_t i = 0; i < TYPES_LEN; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return 0;
}

enum event_family
event_family(uint16_t type)
{
	if (!event_type_name(type))
		return EVENT_OF_NONE;
	if (type <= EVENT_SEED)
		return EVENT_OF_PROCESS;
	if (type <= EVENT_STOP)
		return EVENT_OF_FILE;
	if (type <= EVENT_UPDATE)
		return EVENT_OF_AGENT;
	return type <= EVENT_DNS ? EVENT_OF_NETWORK : EVENT_OF_PRIVILEGE;
}

uint16_t
event_ring(uint16_t type)
{
	switch (type) {
	case EVENT_CLOSE:
		return 0;
	case EVENT_MOUNT:
	case EVENT_UMOUNT:
	case EVENT_STOP:
		return EVENT_CRITICAL;
	case EVENT_MAP_FILE:
		return EVENT_BULK;
	default:
		break;
	}
	switch (event_family(type)) {
	case EVENT_OF_PROCESS:
	case EVENT_OF_PRIVILEGE:
		return EVENT_CRITICAL;
	case EVENT_OF_FILE:
	case EVENT_OF_NETWORK:
		return EVENT_BULK;
	default:
		return 0;
	}
}

const char *
event_class_name(uint16_t class)
{
	switch (class) {
	case EVENT_CRITICAL:
		return "critical";
	case EVENT_BULK:
		return "bulk";
	case EVENT_AGENT:
		return "agent";
	default:
		return NULL;
	}
}
