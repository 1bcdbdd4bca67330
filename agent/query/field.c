/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/query/record.h"
#include "agent/query/spell.h"
#include "agent/query/store.h"

#define ONLY(type, column) "CASE WHEN t.type='" type "' THEN " column " END"

static const struct field process[] = {
	{ "t.pid", "process.pid", FIELD_NUMBER },
	{ "t.entity_id", "process.entity_id", FIELD_TEXT },
	{ "t.executable", "process.executable", FIELD_PATH },
	{ "t.args", "process.args", FIELD_ARGS },
	{ "t.cwd", "process.working_directory", FIELD_TEXT },
	{ "t.start_ns", "process.start", FIELD_TIME },
	{ ONLY("exit", "t.time_ns"), "process.end", FIELD_TIME },
	{ ONLY("exit", "t.exit_code"), "process.exit_code", FIELD_NUMBER },
	{ "t.tid", "process.thread.id", FIELD_COUNT },
	{ "t.uid", "process.user.id", FIELD_KEYWORD },
	{ "t.ppid", "process.parent.pid", FIELD_NUMBER },
	{ "t.parent_entity_id", "process.parent.entity_id", FIELD_TEXT },
	{ "t.parent_executable", "process.parent.executable", FIELD_PATH },
	{ "t.uid", "user.id", FIELD_KEYWORD },
	{ "t.euid", "user.effective.id", FIELD_KEYWORD },
	{ "t.gid", "group.id", FIELD_KEYWORD },
	{ "CASE WHEN t.inode THEN t.executable END", "file.path", FIELD_PATH },
	{ "t.inode", "file.inode", FIELD_INODE },
	{ "t.device", "file.device", FIELD_DEVICE },
	{ "t.mode", "file.mode", FIELD_MODE },
	{ "t.file_uid", "file.uid", FIELD_KEYWORD },
	{ "t.file_gid", "file.gid", FIELD_KEYWORD },
	{ "t.comm", "khien.comm", FIELD_TEXT },
	{ "t.invoked", "khien.invoked", FIELD_TEXT },
	{ "t.script", "khien.script", FIELD_TEXT },
	{ "t.tty", "khien.tty", FIELD_TEXT },
	{ "t.egid", "khien.egid", FIELD_NUMBER },
	{ "t.loginuid", "khien.loginuid", FIELD_NUMBER },
	{ "t.session", "khien.session", FIELD_NUMBER },
	{ "t.caps", "khien.capabilities", FIELD_HEX },
	{ "t.ns_pid", "khien.ns_pid", FIELD_COUNT },
	{ "t.cgroup_id", "khien.cgroup_id", FIELD_COUNT },
	{ "t.mount_ns", "khien.mount_ns", FIELD_COUNT },
	{ "t.args_size", "khien.args_size", FIELD_COUNT },
	{ "t.links", "khien.links", FIELD_NUMBER },
	{ "t.exit_signal", "khien.exit_signal", FIELD_COUNT },
	{ ONLY("exit", "t.run_ns"), "khien.run_ns", FIELD_NUMBER },
	{ "t.boot_ns", "khien.boot_ns", FIELD_NUMBER },
	{ NULL, NULL, FIELD_TEXT },
};

static const struct field file[] = {
	{ "t.path", "file.path", FIELD_PATH },
	{ "t.target", "file.target_path", FIELD_TEXT },
	{ "t.inode", "file.inode", FIELD_INODE },
	{ "t.device", "file.device", FIELD_DEVICE },
	{ "CASE WHEN t.inode THEN t.size END", "file.size", FIELD_NUMBER },
	{ "t.mode", "file.mode", FIELD_MODE },
	{ "t.file_uid", "file.uid", FIELD_KEYWORD },
	{ "t.file_gid", "file.gid", FIELD_KEYWORD },
	{ "t.pid", "process.pid", FIELD_COUNT },
	{ "t.entity_id", "process.entity_id", FIELD_TEXT },
	{ "t.executable", "process.executable", FIELD_PATH },
	{ "t.uid", "process.user.id", FIELD_KEYWORD },
	{ "t.uid", "user.id", FIELD_KEYWORD },
	{ "t.comm", "khien.comm", FIELD_TEXT },
	{ ONLY("xattr", "t.name"), "khien.xattr", FIELD_TEXT },
	{ ONLY("mount", "t.name"), "khien.fs_type", FIELD_TEXT },
	{ "CASE WHEN t.type IN ('open','read') THEN t.old_mode END",
	  "khien.open_flags", FIELD_NUMBER },
	{ "t.links", "khien.links", FIELD_COUNT },
	{ "t.count", "khien.count", FIELD_COUNT },
	{ "t.boot_ns", "khien.boot_ns", FIELD_NUMBER },
	{ NULL, NULL, FIELD_TEXT },
};

/* Who began it is its source; whoever that is, `local` is our end. */
#define SOURCE(theirs, ours)                                                   \
	"CASE WHEN t.inbound THEN " theirs " ELSE " ours " END"

static const struct field network[] = {
	{ SOURCE("t.remote", "t.local"), "source.ip", FIELD_TEXT },
	{ SOURCE("t.remote_port", "t.local_port"), "source.port",
	  FIELD_NUMBER },
	{ SOURCE("t.received", "t.sent"), "source.bytes", FIELD_NUMBER },
	{ SOURCE("t.local", "t.remote"), "destination.ip", FIELD_TEXT },
	{ SOURCE("t.local_port", "t.remote_port"), "destination.port",
	  FIELD_NUMBER },
	{ SOURCE("t.sent", "t.received"), "destination.bytes", FIELD_NUMBER },
	{ "t.sent + t.received", "network.bytes", FIELD_NUMBER },
	{ "CASE t.inbound WHEN 1 THEN 'ingress' WHEN 0 THEN 'egress' END",
	  "network.direction", FIELD_TEXT },
	{ "t.protocol", "network.iana_number", FIELD_PROTOCOL },
	{ "CASE t.family WHEN 2 THEN 'ipv4' WHEN 10 THEN 'ipv6' END",
	  "network.type", FIELD_TEXT },
	{ "CASE WHEN t.family NOT IN (2,10) THEN t.family END", "khien.family",
	  FIELD_NUMBER },
	{ ONLY("dns", "'dns'"), "network.protocol", FIELD_TEXT },
	{ "t.question", "dns.question.name", FIELD_TEXT },
	{ "t.question_type", "dns.question.type", FIELD_QUESTION },
	{ ONLY("dns", "'query'"), "dns.type", FIELD_TEXT },
	{ "t.age_ns", "event.duration", FIELD_NUMBER },
	{ "t.pid", "process.pid", FIELD_COUNT },
	{ "t.entity_id", "process.entity_id", FIELD_TEXT },
	{ "t.executable", "process.executable", FIELD_PATH },
	{ "t.uid", "process.user.id", FIELD_KEYWORD },
	{ "t.uid", "user.id", FIELD_KEYWORD },
	{ "t.comm", "khien.comm", FIELD_TEXT },
	{ "t.count", "khien.count", FIELD_COUNT },
	{ "t.boot_ns", "khien.boot_ns", FIELD_NUMBER },
	{ NULL, NULL, FIELD_TEXT },
};

static const struct field privilege[] = {
	{ "t.pid", "process.pid", FIELD_COUNT },
	{ "t.entity_id", "process.entity_id", FIELD_TEXT },
	{ "t.executable", "process.executable", FIELD_PATH },
	{ "t.tid", "process.thread.id", FIELD_COUNT },
	{ "t.uid", "process.user.id", FIELD_KEYWORD },
	{ "t.uid", "user.id", FIELD_KEYWORD },
	{ "t.euid", "user.effective.id", FIELD_KEYWORD },
	{ "t.gid", "group.id", FIELD_KEYWORD },
	{ "t.path", "file.path", FIELD_PATH },
	{ "t.inode", "file.inode", FIELD_INODE },
	{ "t.device", "file.device", FIELD_DEVICE },
	{ "t.size", "file.size", FIELD_NUMBER },
	{ "t.mode", "file.mode", FIELD_MODE },
	{ "t.file_uid", "file.uid", FIELD_KEYWORD },
	{ "t.file_gid", "file.gid", FIELD_KEYWORD },
	{ "t.comm", "khien.comm", FIELD_TEXT },
	{ "t.egid", "khien.egid", FIELD_NUMBER },
	{ "t.caps", "khien.capabilities", FIELD_HEX },
	{ "t.old_uid", "khien.old.uid", FIELD_NUMBER },
	{ "t.old_euid", "khien.old.euid", FIELD_NUMBER },
	{ "t.old_gid", "khien.old.gid", FIELD_NUMBER },
	{ "t.old_egid", "khien.old.egid", FIELD_NUMBER },
	{ "t.old_caps", "khien.old.capabilities", FIELD_HEX },
	{ "t.target_pid", "khien.target.pid", FIELD_COUNT },
	{ "t.target_entity_id", "khien.target.entity_id", FIELD_TEXT },
	{ "t.target_executable", "khien.target.executable", FIELD_PATH },
	{ "t.value", "khien.value", FIELD_NUMBER },
	{ "t.type || ' ' || t.value", "khien.value_name", FIELD_SPELLED },
	{ "t.address", "khien.address", FIELD_HEX },
	{ "t.name", "khien.name", FIELD_TEXT },
	{ "t.loginuid", "khien.loginuid", FIELD_NUMBER },
	{ "t.session", "khien.session", FIELD_NUMBER },
	{ "t.ns_pid", "khien.ns_pid", FIELD_COUNT },
	{ "t.cgroup_id", "khien.cgroup_id", FIELD_COUNT },
	{ "t.mount_ns", "khien.mount_ns", FIELD_COUNT },
	{ "t.links", "khien.links", FIELD_NUMBER },
	{ "t.count", "khien.count", FIELD_COUNT },
	{ "t.boot_ns", "khien.boot_ns", FIELD_NUMBER },
	{ NULL, NULL, FIELD_TEXT },
};

static const struct field agent[] = {
	{ "t.message", "message", FIELD_TEXT },
	{ "t.pid", "process.pid", FIELD_COUNT },
	{ "t.role", "khien.role", FIELD_TEXT },
	{ ONLY("peer", "t.idx"), "khien.index", FIELD_NUMBER },
	{ "t.lost_class", "khien.lost_class", FIELD_TEXT },
	{ "t.count", "khien.count", FIELD_COUNT },
	{ "t.boot_ns", "khien.boot_ns", FIELD_NUMBER },
	{ NULL, NULL, FIELD_TEXT },
};

static const struct field detection[] = {
	{ "t.severity", "event.severity", FIELD_SEVERITY },
	{ "t.rule", "rule.name", FIELD_TEXT },
	{ "t.rule_id", "rule.uuid", FIELD_TEXT },
	{ "t.ruleset", "rule.ruleset", FIELD_TEXT },
	{ "t.description", "rule.description", FIELD_TEXT },
	{ "t.attack", "threat.technique.id", FIELD_WORDS },
	{ "t.path", "file.path", FIELD_PATH },
	{ "t.sha256", "file.hash.sha256", FIELD_TEXT },
	{ "t.size", "file.size", FIELD_NUMBER },
	{ "t.inode", "file.inode", FIELD_INODE },
	{ "t.device", "file.device", FIELD_DEVICE },
	{ "t.mode", "file.mode", FIELD_MODE },
	{ "t.file_uid", "file.uid", FIELD_KEYWORD },
	{ "t.file_gid", "file.gid", FIELD_KEYWORD },
	{ "t.pid", "process.pid", FIELD_COUNT },
	{ "t.entity_id", "process.entity_id", FIELD_TEXT },
	{ "t.executable", "process.executable", FIELD_PATH },
	{ "t.args", "process.args", FIELD_ARGS },
	{ "t.cwd", "process.working_directory", FIELD_TEXT },
	{ "t.start_ns", "process.start", FIELD_TIME },
	{ "t.process_uid", "process.user.id", FIELD_KEYWORD },
	{ "t.parent_pid", "process.parent.pid", FIELD_COUNT },
	{ "t.parent_entity_id", "process.parent.entity_id", FIELD_TEXT },
	{ "t.parent_executable", "process.parent.executable", FIELD_PATH },
	{ "t.process_uid", "user.id", FIELD_KEYWORD },
	{ "t.comm", "khien.comm", FIELD_TEXT },
	{ "t.cause", "khien.cause", FIELD_TEXT },
	{ "t.count", "khien.count", FIELD_COUNT },
	{ "t.first_ns", "khien.first_seen", FIELD_TIME },
	{ "t.last_ns", "khien.last_seen", FIELD_TIME },
	{ "t.boot_ns", "khien.boot_ns", FIELD_NUMBER },
	{ "t.ancestors", "khien.ancestors", FIELD_JSON },
	{ NULL, NULL, FIELD_TEXT },
};

const struct field *
field_table(unsigned int family)
{
	static const struct field *const tables[RECORD_FAMILIES] = {
		[RECORD_PROCESS] = process, [RECORD_FILE] = file,
		[RECORD_NETWORK] = network, [RECORD_PRIVILEGE] = privilege,
		[RECORD_AGENT] = agent,	    [RECORD_DETECTION] = detection,
	};

	return tables[family];
}

/* "file.path" gives "file.name", "process.executable" "process.name". */
static void
set_path(struct doc *doc, const char *path, const struct store_cell *cell)
{
	char name[DOC_NAME_MAX];
	const char *dot = strrchr(path, '.');
	const char *slash = memrchr(cell->bytes, '/', cell->len);
	size_t at = slash ? (size_t)(slash + 1 - cell->bytes) : 0;

	doc_set_bytes(doc, path, cell->bytes, cell->len);
	if (!dot || at == cell->len)
		return;
	(void)snprintf(name, sizeof(name), "%.*s.name", (int)(dot - path),
		       path);
	doc_set_bytes(doc, name, cell->bytes + at, cell->len - at);
}

static void
set_mode(struct doc *doc, const char *path, unsigned int mode)
{
	static const struct {
		unsigned int format;
		const char *name;
	} types[] = {
		{ S_IFREG, "file" },	     { S_IFDIR, "dir" },
		{ S_IFLNK, "symlink" },	     { S_IFIFO, "fifo" },
		{ S_IFSOCK, "socket" },	     { S_IFCHR, "char_device" },
		{ S_IFBLK, "block_device" },
	};
	char text[16];

	if (!mode)
		return;
	(void)snprintf(text, sizeof(text), "%04o", mode & 07777);
	doc_set_text(doc, path, text);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((mode & S_IFMT) == types[i].format)
			doc_set_text(doc, "file.type", types[i].name);
}

/* The arguments as one line, for people: not quoted, not to be run. */
static void
set_command_line(struct doc *doc, size_t size)
{
	const struct doc_value *root = doc_root(doc);
	size_t len = doc_len(root, "process.args");
	CLEANUP_FREE char *line = malloc(size);
	size_t at = 0;

	if (!line) {
		doc_fail(doc);
		return;
	}
	line[0] = '\0';
	for (size_t i = 0; i < len; i++) {
		const char *arg =
			doc_text(doc_item(root, "process.args", i), NULL);
		if (arg && at < size)
			at += (size_t)snprintf(line + at, size - at, "%s%s",
					       i ? " " : "", arg);
	}
	doc_set_number(doc, "process.args_count", (int64_t)len);
	doc_set_text(doc, "process.command_line", line);
}

static void
set_args(struct doc *doc, const char *path, const struct store_cell *cell)
{
	/* Decoded text is no longer than its JSON, quotes and commas. */
	if (doc_set_json(doc, path, cell->bytes, cell->len))
		set_command_line(doc, cell->len + 1);
	else
		doc_set_bytes(doc, "khien.args_damaged", cell->bytes,
			      cell->len);
}

static void
set_severity(struct doc *doc, const char *path, int64_t level)
{
	const char *word = NULL;

	if (level > 0 && level < 16)
		word = msg_severity_name((unsigned int)level);
	doc_set_number(doc, path, level);
	if (word)
		doc_set_text(doc, "khien.severity", word);
}

/* A number as text in some way of its own. */
static void
set_formatted(struct doc *doc, const struct field *field, int64_t number)
{
	char text[32];
	dev_t device = (dev_t)number;

	if (field->kind == FIELD_HEX)
		(void)snprintf(text, sizeof(text), "%016" PRIx64,
			       (uint64_t)number);
	else if (field->kind == FIELD_DEVICE)
		(void)snprintf(text, sizeof(text), "%u:%u", major(device),
			       minor(device));
	else
		(void)snprintf(text, sizeof(text), "%" PRId64, number);
	doc_set_text(doc, field->path, text);
}

/* ECS has numbers of protocols as text. */
static void
set_protocol(struct doc *doc, const struct field *field, int64_t number)
{
	const char *word = spell_transport((uint64_t)number);

	set_formatted(doc, field, number);
	if (*word)
		doc_set_text(doc, "network.transport", word);
}

static void
set_question(struct doc *doc, const char *path, int64_t number)
{
	char word[SPELL_SIZE];

	spell_question(word, (uint64_t)number);
	doc_set_text(doc, path, word);
}

/* From "type value": left out when there are no words for it. */
static void
set_spelled(struct doc *doc, const char *path, const char *text)
{
	const char *space = strchr(text, ' ');
	char word[SPELL_SIZE];
	char type[32];

	if (!space)
		return;
	(void)snprintf(type, sizeof(type), "%.*s", (int)(space - text), text);
	spell_value(word, type, (uint64_t)strtoll(space + 1, NULL, 10));
	if (*word)
		doc_set_text(doc, path, word);
}

static void
set_by_number(struct doc *doc, const struct field *field, int64_t number)
{
	switch (field->kind) {
	case FIELD_NUMBER:
		doc_set_number(doc, field->path, number);
		return;
	case FIELD_COUNT:
		if (number)
			doc_set_number(doc, field->path, number);
		return;
	case FIELD_MODE:
		set_mode(doc, field->path, (unsigned int)number);
		return;
	case FIELD_SEVERITY:
		set_severity(doc, field->path, number);
		return;
	case FIELD_PROTOCOL:
		set_protocol(doc, field, number);
		return;
	case FIELD_QUESTION:
		set_question(doc, field->path, number);
		return;
	case FIELD_TIME:
		if (number)
			doc_set_time(doc, field->path, number);
		return;
	case FIELD_INODE:
	case FIELD_DEVICE:
		if (number)
			set_formatted(doc, field, number);
		return;
	case FIELD_KEYWORD:
	case FIELD_HEX:
		set_formatted(doc, field, number);
		return;
	default:
		return;
	}
}

void
field_set(struct doc *doc, const struct field *field,
	  const struct store_cell *cell)
{
	if (cell->type == STORE_NUMBER) {
		set_by_number(doc, field, cell->number);
		return;
	}
	if (cell->type != STORE_TEXT || !cell->len)
		return;
	switch (field->kind) {
	case FIELD_TEXT:
		doc_set_bytes(doc, field->path, cell->bytes, cell->len);
		return;
	case FIELD_PATH:
		set_path(doc, field->path, cell);
		return;
	case FIELD_ARGS:
		set_args(doc, field->path, cell);
		return;
	case FIELD_JSON:
		(void)doc_set_json(doc, field->path, cell->bytes, cell->len);
		return;
	case FIELD_SPELLED:
		set_spelled(doc, field->path, cell->bytes);
		return;
	case FIELD_WORDS:
		doc_set(doc, field->path, doc_from_words(cell->bytes));
		return;
	default:
		return;
	}
}
