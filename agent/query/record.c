/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/str.h"
#include "agent/query/field.h"
#include "agent/query/store.h"

#define ECS_VERSION "8.11"
#define BOOT "(SELECT substr(b.boot_id, 1, 8) FROM boot b WHERE b.id = t.boot)"

/* What the kernel numbers begins with these columns. */
#define NUMBERED                                                               \
	"t.id, t.type, t.time_ns, " BOOT ", t.class, t.cpu, t.sequence, t.flags"

static const struct {
	const char *table;
	const char *head; /* the columns of enum record_head */
} families[RECORD_FAMILIES] = {
	[RECORD_PROCESS] = { "process", NUMBERED },
	[RECORD_FILE] = { "file", NUMBERED },
	[RECORD_NETWORK] = { "network", NUMBERED },
	[RECORD_PRIVILEGE] = { "privilege", NUMBERED },
	[RECORD_AGENT] = {
		"agent",
		"t.id, t.type, t.time_ns, " BOOT ", 'agent', NULL, NULL, 0",
	},
	[RECORD_DETECTION] = {
		"detection",
		"t.id, t.action, t.last_ns, " BOOT
		", t.cause, NULL, NULL, t.flags",
	},
};

/* What ECS says of an event beside its action. */
static const struct {
	uint16_t type;
	const char *category, *ecs_type;
	const char *second_type; /* NULL: one is enough */
} kinds[] = {
	{ EVENT_FORK, "process", "start", NULL },
	{ EVENT_EXEC, "process", "start", NULL },
	{ EVENT_EXIT, "process", "end", NULL },
	{ EVENT_SEED, "process", "info", NULL },
	{ EVENT_CREATE, "file", "creation", NULL },
	{ EVENT_OPEN, "file", "access", NULL },
	{ EVENT_CLOSE, "file", "change", NULL },
	{ EVENT_RENAME, "file", "change", NULL },
	{ EVENT_UNLINK, "file", "deletion", NULL },
	{ EVENT_LINK, "file", "creation", NULL },
	{ EVENT_SYMLINK, "file", "creation", NULL },
	{ EVENT_CHMOD, "file", "change", NULL },
	{ EVENT_CHOWN, "file", "change", NULL },
	{ EVENT_XATTR, "file", "change", NULL },
	{ EVENT_MKDIR, "file", "creation", NULL },
	{ EVENT_RMDIR, "file", "deletion", NULL },
	{ EVENT_MOUNT, "host", "change", NULL },
	{ EVENT_UMOUNT, "host", "change", NULL },
	{ EVENT_STOP, "process", "denied", NULL },
	{ EVENT_LOSS, "host", "error", NULL },
	{ EVENT_PEER, "host", "info", NULL },
	{ EVENT_CLOCK, "host", "change", NULL },
	{ EVENT_CONFIG, "configuration", "change", NULL },
	{ EVENT_STORE, "database", "change", NULL },
	{ EVENT_ACT, "malware", "info", NULL },
	{ EVENT_LISTENER, "host", "info", NULL },
	{ EVENT_UPDATE, "configuration", "change", NULL },
	{ EVENT_READ, "file", "access", NULL },
	{ EVENT_CONNECT, "network", "connection", "start" },
	{ EVENT_ACCEPT, "network", "connection", "start" },
	{ EVENT_DISCONNECT, "network", "connection", "end" },
	{ EVENT_DATAGRAM, "network", "connection", "start" },
	{ EVENT_DNS, "network", "protocol", "info" },
	{ EVENT_CREDENTIALS, "process", "change", NULL },
	{ EVENT_ESCALATE, "process", "change", NULL },
	{ EVENT_PTRACE, "process", "access", NULL },
	{ EVENT_VM_WRITE, "process", "change", NULL },
	{ EVENT_MEM_OPEN, "process", "access", NULL },
	{ EVENT_MEMFD_CREATE, "file", "creation", NULL },
	{ EVENT_MAP_EXEC, "process", "change", NULL },
	{ EVENT_MODULE_LOAD, "driver", "start", NULL },
	{ EVENT_MODULE_UNLOAD, "driver", "end", NULL },
	{ EVENT_BPF_LOAD, "driver", "start", NULL },
	{ EVENT_UNSHARE, "process", "change", NULL },
	{ EVENT_SETNS, "process", "change", NULL },
	{ EVENT_CHROOT, "process", "change", NULL },
	{ EVENT_PIVOT_ROOT, "host", "change", NULL },
	{ EVENT_GUARD, "intrusion_detection", "denied", NULL },
	{ EVENT_MAP_FILE, "process", "access", NULL },
	{ EVENT_MAP_DENIED, "process", "denied", NULL },
};

struct flag {
	int64_t bit;
	const char *word;
};

/* In the order of their bits, as khien-events(7) has them. */
static const struct flag flags[] = {
	{ EVENT_MEMFD, "memfd" },
	{ EVENT_DELETED, "deleted" },
	{ EVENT_NO_LINK, "no_link" },
	{ EVENT_ARGS_CUT, "args_cut" },
	{ EVENT_PATH_CUT, "path_cut" },
	{ EVENT_PATH_BY_CALLER, "path_by_caller" },
	{ EVENT_SEEN_LATE, "seen_late" },
	{ EVENT_ARGS_UNREADABLE, "args_unreadable" },
	{ EVENT_DIRECTORY, "directory" },
	{ EVENT_AGGREGATE, "aggregate" },
	{ EVENT_STOPPED, "stopped" },
	{ EVENT_HELD, "held" },
	{ EVENT_KILLED, "killed" },
	{ EVENT_FOREIGN, "foreign" },
	{ EVENT_PRIVILEGED, "privileged" },
	{ EVENT_SERVED, "served" },
	{ EVENT_IO_URING, "io_uring" },
	{ EVENT_COMPAT, "compat" },
	{ EVENT_BY_SOCKET, "by_socket" },
	{ EVENT_NO_CALL, "no_call" },
	{ EVENT_WRITTEN, "written" },
	{ EVENT_REQUESTED, "requested" },
	{ EVENT_MALFORMED, "malformed" },
	{ EVENT_EXCHANGED, "exchanged" },
	{ EVENT_UNCONFIRMED, "unconfirmed" },
	{ 0, NULL },
};

static const struct flag verdict_flags[] = {
	{ MSG_PARTIAL, "partial" },
	{ MSG_CHANGED, "changed" },
	{ MSG_ALLOWED, "allowed" },
	{ 0, NULL },
};

const char *
record_table(enum record_family family)
{
	return families[family].table;
}

size_t
record_select(enum record_family family, char *dst)
{
	const struct field *field = field_table(family);
	size_t len = (size_t)snprintf(dst, RECORD_SQL_MAX, "SELECT %s",
				      families[family].head);

	for (; field->column; field++)
		len += (size_t)snprintf(dst + len, RECORD_SQL_MAX - len, ", %s",
					field->column);
	len += (size_t)snprintf(dst + len, RECORD_SQL_MAX - len, " FROM %s t",
				families[family].table);
	return len;
}

/* A cell's text, "" when it has none. */
static const char *
text_of(const struct store_cell *cell)
{
	return cell->type == STORE_TEXT ? cell->bytes : "";
}

/*
 * The name under which `khienctl show` finds the row again: by boot, class,
 * cpu and sequence where the kernel numbered it, else by its place in a table.
 */
static void
set_id(struct doc *doc, enum record_family family,
       const struct store_cell *cells)
{
	static const char *const names[RECORD_FAMILIES] = {
		[RECORD_PROCESS] = "process", [RECORD_FILE] = "gate",
		[RECORD_NETWORK] = "network", [RECORD_PRIVILEGE] = "privilege",
		[RECORD_AGENT] = "agent",     [RECORD_DETECTION] = "detection",
	};
	const char *boot = text_of(&cells[RECORD_BOOT]);
	char id[128];

	if (cells[RECORD_SEQUENCE].number)
		(void)snprintf(id, sizeof(id),
			       "%.8s-%.16s-%" PRId64 "-%" PRId64, boot,
			       text_of(&cells[RECORD_CLASS]),
			       cells[RECORD_CPU].number,
			       cells[RECORD_SEQUENCE].number);
	else
		(void)snprintf(id, sizeof(id), "%.8s-%s-%" PRId64, boot,
			       names[family], cells[RECORD_ID].number);
	doc_set_text(doc, "event.id", id);
}

static void
set_flags(struct doc *doc, int64_t bits, const struct flag *flag)
{
	for (; flag->word; flag++)
		if (bits & flag->bit)
			doc_add_text(doc, "khien.flags", flag->word);
}

static void
set_kind(struct doc *doc, const char *action)
{
	uint16_t type = event_type_find(action);

	doc_set_text(doc, "event.kind", "event");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type != type)
			continue;
		doc_add_text(doc, "event.category", kinds[i].category);
		doc_add_text(doc, "event.type", kinds[i].ecs_type);
		if (kinds[i].second_type)
			doc_add_text(doc, "event.type", kinds[i].second_type);
	}
	doc_set_text(doc, "event.action", action);
}

static void
set_alert(struct doc *doc, const char *action, const char *cause)
{
	bool behaviour = str_equal(cause, "behaviour");

	doc_set_text(doc, "event.kind", "alert");
	doc_add_text(doc, "event.category",
		     behaviour ? "intrusion_detection" : "malware");
	doc_add_text(doc, "event.type", "info");
	doc_set_text(doc, "event.action", action[0] ? action : "alert");
}

static void
set_head(struct doc *doc, enum record_family family,
	 const struct store_cell *cells, const struct record_host *host)
{
	const char *action = text_of(&cells[RECORD_TYPE]);
	int64_t bits = cells[RECORD_FLAGS].number;

	doc_set_time(doc, "@timestamp", cells[RECORD_TIME].number);
	doc_set_text(doc, "ecs.version", ECS_VERSION);
	set_id(doc, family, cells);
	if (family == RECORD_DETECTION)
		set_alert(doc, action, text_of(&cells[RECORD_CLASS]));
	else
		set_kind(doc, action);
	if (cells[RECORD_SEQUENCE].number)
		doc_set_number(doc, "event.sequence",
			       cells[RECORD_SEQUENCE].number);
	if (host->id[0])
		doc_set_text(doc, "host.id", host->id);
	doc_set_text(doc, "host.hostname", host->name);
	if (cells[RECORD_CPU].type == STORE_NUMBER &&
	    cells[RECORD_SEQUENCE].number)
		doc_set_number(doc, "khien.cpu", cells[RECORD_CPU].number);
	set_flags(doc, bits,
		  family == RECORD_DETECTION ? verdict_flags : flags);
}

struct doc *
record_make(enum record_family family, const struct store_cell *cells,
	    size_t len, const struct record_host *host)
{
	const struct field *field = field_table(family);
	CLEANUP(doc_freep) struct doc *doc = doc_new();

	if (!doc || len < RECORD_HEAD_LEN)
		return NULL;
	set_head(doc, family, cells, host);
	for (size_t i = RECORD_HEAD_LEN; field->column; i++, field++) {
		if (i == len)
			return NULL;
		field_set(doc, field, &cells[i]);
	}
	return TAKE(doc);
}
