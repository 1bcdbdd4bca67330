/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of each type of event, and the record that is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/doc.h"
#include "agent/lib/event.h"
#include "agent/query/record.h"
#include "agent/query/store.h"

#define FIELDS_MAX 24

/* All columns, so that those a case does not name are NULL. */
static const char *const columns[RECORD_FAMILIES] = {
	[RECORD_FILE] =
		"NULL AS type,NULL AS sequence,NULL AS entity_id,NULL AS pid,"
		"NULL AS uid,NULL AS comm,NULL AS executable,NULL AS path,"
		"NULL AS target,NULL AS name,NULL AS device,NULL AS inode,"
		"NULL AS size,NULL AS mode,NULL AS old_mode,NULL AS file_uid,"
		"NULL AS file_gid,NULL AS links,NULL AS count",
	[RECORD_NETWORK] =
		"NULL AS count,NULL AS entity_id,NULL AS pid,NULL AS uid,"
		"NULL AS comm,NULL AS executable,NULL AS inbound,"
		"NULL AS family,NULL AS protocol,NULL AS local,"
		"NULL AS local_port,NULL AS remote,NULL AS remote_port,"
		"NULL AS sent,NULL AS received,NULL AS age_ns,"
		"NULL AS question,NULL AS question_type",
	[RECORD_PRIVILEGE] =
		"NULL AS count,NULL AS entity_id,NULL AS pid,NULL AS tid,"
		"NULL AS ns_pid,NULL AS comm,NULL AS executable,NULL AS uid,"
		"NULL AS euid,NULL AS gid,NULL AS egid,NULL AS loginuid,"
		"NULL AS session,NULL AS caps,NULL AS cgroup_id,"
		"NULL AS mount_ns,NULL AS old_uid,NULL AS old_euid,"
		"NULL AS old_gid,NULL AS old_egid,NULL AS old_caps,"
		"NULL AS target_pid,NULL AS target_entity_id,"
		"NULL AS target_executable,NULL AS value,NULL AS address,"
		"NULL AS name,NULL AS path,NULL AS device,NULL AS inode,"
		"NULL AS size,NULL AS mode,NULL AS file_uid,NULL AS file_gid,"
		"NULL AS links",
};

#define ENDS                                                                   \
	"10 AS family,6 AS protocol,'2001:db8::2' AS local,"                   \
	"50000 AS local_port,'2001:db8::1' AS remote,443 AS remote_port"
#define FOUR                                                                   \
	"0 AS inbound,2 AS family,17 AS protocol,'10.0.0.2' AS local,"         \
	"50000 AS local_port,'10.0.0.1' AS remote,53 AS remote_port"
#define WHO                                                                    \
	"7 AS pid,'e7' AS entity_id,'/usr/bin/curl' AS executable,"            \
	"1000 AS uid,'curl' AS comm"
#define TARGET                                                                 \
	"9 AS target_pid,'e9' AS target_entity_id,"                            \
	"'/usr/bin/victim' AS target_executable"
#define FILE_OF                                                                \
	"'/m/x.ko' AS path,5 AS inode,2049 AS device,33188 AS mode,"           \
	"3 AS size,0 AS file_uid,0 AS file_gid,1 AS links"

/* A value as doc_line() has it; NULL: the field must be absent. */
static const struct {
	unsigned int family;
	uint16_t type;
	int64_t flags;
	const char *row;
	struct {
		const char *path, *value;
	} fields[FIELDS_MAX];
} cases[] = {
	{ RECORD_NETWORK,
	  EVENT_CONNECT,
	  EVENT_IO_URING,
	  "0 AS inbound," ENDS "," WHO,
	  { { "event.id", "01234567-bulk-3-42" },
	    { "event.kind", "event" },
	    { "event.category", "[\"network\"]" },
	    { "event.type", "[\"connection\",\"start\"]" },
	    { "event.action", "connect" },
	    { "source.ip", "2001:db8::2" },
	    { "source.port", "50000" },
	    { "destination.ip", "2001:db8::1" },
	    { "destination.port", "443" },
	    { "network.transport", "tcp" },
	    { "network.iana_number", "6" },
	    { "network.type", "ipv6" },
	    { "network.direction", "egress" },
	    { "network.bytes", NULL },
	    { "network.protocol", NULL },
	    { "event.duration", NULL },
	    { "khien.family", NULL },
	    { "process.pid", "7" },
	    { "process.entity_id", "e7" },
	    { "process.name", "curl" },
	    { "user.id", "1000" },
	    { "khien.flags", "[\"io_uring\"]" } } },
	{ RECORD_NETWORK,
	  EVENT_ACCEPT,
	  EVENT_COMPAT,
	  "1 AS inbound," ENDS,
	  { { "event.type", "[\"connection\",\"start\"]" },
	    { "source.ip", "2001:db8::1" },
	    { "source.port", "443" },
	    { "destination.ip", "2001:db8::2" },
	    { "destination.port", "50000" },
	    { "network.direction", "ingress" },
	    { "process.pid", NULL },
	    { "process.entity_id", NULL },
	    { "user.id", NULL },
	    { "khien.flags", "[\"compat\"]" } } },
	{ RECORD_NETWORK,
	  EVENT_DISCONNECT,
	  EVENT_BY_SOCKET,
	  "0 AS inbound,100 AS sent,20 AS received,5000 AS age_ns," ENDS,
	  { { "event.type", "[\"connection\",\"end\"]" },
	    { "source.bytes", "100" },
	    { "destination.bytes", "20" },
	    { "network.bytes", "120" },
	    { "event.duration", "5000" },
	    { "network.direction", "egress" },
	    { "khien.flags", "[\"by_socket\"]" } } },
	{ RECORD_NETWORK,
	  EVENT_DISCONNECT,
	  0,
	  "1 AS inbound,100 AS sent,20 AS received," ENDS,
	  { { "source.ip", "2001:db8::1" },
	    { "source.bytes", "20" },
	    { "destination.bytes", "100" },
	    { "network.bytes", "120" },
	    { "event.duration", NULL },
	    { "network.direction", "ingress" } } },
	/* Nobody saw who began it. */
	{ RECORD_NETWORK,
	  EVENT_DISCONNECT,
	  0,
	  "100 AS sent,20 AS received," ENDS,
	  { { "source.ip", "2001:db8::2" },
	    { "source.bytes", "100" },
	    { "network.direction", NULL } } },
	{ RECORD_NETWORK,
	  EVENT_DATAGRAM,
	  0,
	  FOUR,
	  { { "event.type", "[\"connection\",\"start\"]" },
	    { "source.ip", "10.0.0.2" },
	    { "destination.ip", "10.0.0.1" },
	    { "network.transport", "udp" },
	    { "network.type", "ipv4" },
	    { "dns.question.type", NULL },
	    { "network.direction", "egress" } } },
	{ RECORD_NETWORK,
	  EVENT_DNS,
	  0,
	  "'example.org' AS question,28 AS question_type," FOUR,
	  { { "event.type", "[\"protocol\",\"info\"]" },
	    { "network.protocol", "dns" },
	    { "dns.type", "query" },
	    { "dns.question.name", "example.org" },
	    { "dns.question.type", "AAAA" },
	    { "destination.port", "53" } } },
	{ RECORD_NETWORK,
	  EVENT_DNS,
	  0,
	  "'a\\b' AS question,65280 AS question_type," FOUR,
	  { { "dns.question.type", "65280" },
	    { "dns.question.name", "a\\b" } } },
	/* An address of a family that nobody knows. */
	{ RECORD_NETWORK,
	  EVENT_CONNECT,
	  0,
	  "0 AS inbound,40 AS family,200 AS protocol",
	  { { "khien.family", "40" },
	    { "network.type", NULL },
	    { "network.transport", NULL },
	    { "network.iana_number", "200" },
	    { "source", NULL },
	    { "destination", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_CREDENTIALS,
	  0,
	  "0 AS uid,0 AS euid,0 AS gid,5 AS egid,511 AS caps,1000 AS old_uid,"
	  "1001 AS old_euid,1002 AS old_gid,1003 AS old_egid,0 AS old_caps",
	  { { "event.category", "[\"process\"]" },
	    { "event.type", "[\"change\"]" },
	    { "event.action", "credentials" },
	    { "user.id", "0" },
	    { "user.effective.id", "0" },
	    { "group.id", "0" },
	    { "khien.egid", "5" },
	    { "khien.capabilities", "00000000000001ff" },
	    { "khien.old.uid", "1000" },
	    { "khien.old.euid", "1001" },
	    { "khien.old.gid", "1002" },
	    { "khien.old.egid", "1003" },
	    { "khien.old.capabilities", "0000000000000000" },
	    { "khien.value", NULL },
	    { "khien.value_name", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_ESCALATE,
	  EVENT_NO_CALL,
	  "0 AS uid,1000 AS old_uid",
	  { { "event.type", "[\"change\"]" },
	    { "khien.flags", "[\"no_call\"]" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_PTRACE,
	  0,
	  "5 AS value," TARGET "," WHO,
	  { { "event.type", "[\"access\"]" },
	    { "khien.value", "5" },
	    { "khien.value_name", "PTRACE_POKEDATA" },
	    { "khien.target.pid", "9" },
	    { "khien.target.entity_id", "e9" },
	    { "khien.target.executable", "/usr/bin/victim" },
	    { "process.executable", "/usr/bin/curl" },
	    { "khien.old", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_PTRACE,
	  0,
	  "4711 AS value",
	  { { "khien.value", "4711" }, { "khien.value_name", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_VM_WRITE,
	  0,
	  "64 AS value," TARGET,
	  { { "event.type", "[\"change\"]" },
	    { "khien.value", "64" },
	    { "khien.value_name", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_MEM_OPEN,
	  0,
	  "524290 AS value," TARGET,
	  { { "event.type", "[\"access\"]" },
	    { "khien.value_name", "O_RDWR|O_CLOEXEC" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_MEMFD_CREATE,
	  0,
	  "3 AS value,'hidden' AS name",
	  { { "event.category", "[\"file\"]" },
	    { "event.type", "[\"creation\"]" },
	    { "khien.name", "hidden" },
	    { "khien.value_name", "MFD_CLOEXEC|MFD_ALLOW_SEALING" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_MAP_EXEC,
	  EVENT_WRITTEN | EVENT_REQUESTED,
	  "5 AS value,139637976727552 AS address," FILE_OF,
	  { { "khien.value_name", "PROT_READ|PROT_EXEC" },
	    { "khien.address", "00007f0000000000" },
	    { "file.path", "/m/x.ko" },
	    { "file.name", "x.ko" },
	    { "file.inode", "5" },
	    { "file.device", "8:1" },
	    { "file.mode", "0644" },
	    { "khien.flags", "[\"written\",\"requested\"]" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_MODULE_LOAD,
	  0,
	  "'x' AS name," FILE_OF,
	  { { "event.category", "[\"driver\"]" },
	    { "event.type", "[\"start\"]" },
	    { "khien.name", "x" },
	    { "file.path", "/m/x.ko" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_MODULE_UNLOAD,
	  0,
	  "'x' AS name",
	  { { "event.category", "[\"driver\"]" },
	    { "event.type", "[\"end\"]" },
	    { "file", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_BPF_LOAD,
	  0,
	  "2 AS value,'p' AS name",
	  { { "event.category", "[\"driver\"]" },
	    { "khien.value_name", "BPF_PROG_TYPE_KPROBE" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_BPF_LOAD,
	  0,
	  "999 AS value",
	  { { "khien.value", "999" }, { "khien.value_name", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_UNSHARE,
	  0,
	  "268566528 AS value",
	  { { "khien.value_name", "CLONE_NEWNS|CLONE_NEWUSER" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_UNSHARE,
	  0,
	  "-9223372036854775808 AS value",
	  { { "khien.value_name", "0x8000000000000000" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_SETNS,
	  0,
	  "1073741824 AS value",
	  { { "event.type", "[\"change\"]" },
	    { "khien.value_name", "CLONE_NEWNET" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_SETNS,
	  0,
	  "0 AS pid",
	  { { "khien.value", NULL },
	    { "khien.value_name", NULL },
	    { "process.pid", NULL } } },
	{ RECORD_PRIVILEGE,
	  EVENT_CHROOT,
	  0,
	  "'/jail' AS path",
	  { { "event.category", "[\"process\"]" }, { "file.path", "/jail" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_PIVOT_ROOT,
	  0,
	  "'/new' AS path",
	  { { "event.category", "[\"host\"]" }, { "file.path", "/new" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_GUARD,
	  0,
	  "'signal' AS name,9 AS value,7 AS target_pid",
	  { { "event.category", "[\"intrusion_detection\"]" },
	    { "event.type", "[\"denied\"]" },
	    { "khien.name", "signal" },
	    { "khien.value", "9" },
	    { "khien.target.pid", "7" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_MAP_FILE,
	  0,
	  "'/home/x.so' AS path,5 AS value,4096 AS address",
	  { { "event.type", "[\"access\"]" },
	    { "khien.value_name", "PROT_READ|PROT_EXEC" },
	    { "khien.address", "0000000000001000" } } },
	{ RECORD_PRIVILEGE,
	  EVENT_MAP_DENIED,
	  0,
	  "'/home/x.so' AS path,4 AS value",
	  { { "event.type", "[\"denied\"]" },
	    { "khien.value_name", "PROT_EXEC" } } },
	{ RECORD_FILE,
	  EVENT_READ,
	  0,
	  "'/etc/shadow' AS path,0 AS old_mode",
	  { { "event.category", "[\"file\"]" },
	    { "event.type", "[\"access\"]" },
	    { "event.action", "read" },
	    { "khien.open_flags", "0" },
	    { "file.path", "/etc/shadow" } } },
};

#define CASES_LEN (sizeof(cases) / sizeof(cases[0]))

/* The record of the row of a table that is not stored but only named so. */
static struct doc *
make(struct store *store, size_t i)
{
	const struct record_host host = { "host-1", "workstation" };
	unsigned int family = cases[i].family;
	char select[RECORD_SQL_MAX];
	struct store_rows *rows;
	char sql[16384];

	(void)record_select(family, select);
	(void)snprintf(sql, sizeof(sql),
		       "WITH boot(id,boot_id) AS (VALUES(1,'0123456789')),"
		       "%s AS (SELECT 5 AS id,'%s' AS type,10 AS time_ns,"
		       "1 AS boot,20 AS boot_ns,'bulk' AS class,3 AS cpu,"
		       "42 AS sequence,%lld AS flags,%s,%s) %s",
		       record_table(family), event_type_name(cases[i].type),
		       (long long)cases[i].flags, cases[i].row, columns[family],
		       select);
	if (store_select(store, sql, NULL, 0, &rows) < 0)
		fail_msg("case %zu: %s", i, store_error(store));
	assert_int_equal(store_next(rows), 1);
	struct doc *doc = record_make(family, store_cells(rows),
				      store_columns(rows), &host);
	assert_non_null(doc);
	store_end(rows);
	return doc;
}

static void
check(const struct doc *doc, size_t i, const char *path, const char *expected)
{
	const struct doc_value *value = doc_get(doc_root(doc), path);
	char *line = value ? doc_line(value) : NULL;

	if (expected ? !line || strcmp(line, expected) != 0 : line != NULL)
		fail_msg("case %zu, %s: %s is %s, not %s", i,
			 event_type_name(cases[i].type), path,
			 line ? line : "absent",
			 expected ? expected : "absent");
	free(line);
}

static void
test_records(void **state)
{
	struct store *store;

	(void)state;
	assert_int_equal(store_open(":memory:", 5000, &store), 0);
	for (size_t i = 0; i < CASES_LEN; i++) {
		struct doc *doc = make(store, i);
		for (size_t f = 0; cases[i].fields[f].path; f++)
			check(doc, i, cases[i].fields[f].path,
			      cases[i].fields[f].value);
		doc_free(doc);
	}
	store_free(store);
}

/* Bits and their words, as they are stored and told. */
static void
test_flags(void **state)
{
	static const char *const words[] = {
		"memfd",       "deleted",	  "no_link",
		"args_cut",    "path_cut",	  "path_by_caller",
		"seen_late",   "args_unreadable", "directory",
		"aggregate",   "stopped",	  "held",
		"killed",      "foreign",	  "privileged",
		"served",      "io_uring",	  "compat",
		"by_socket",   "no_call",	  "written",
		"requested",   "malformed",	  "exchanged",
		"unconfirmed",
	};
	const struct record_host host = { "", "workstation" };
	struct store_cell cells[64] = { 0 };

	(void)state;
	cells[RECORD_FLAGS] = STORE_NUMBER_CELL(-1);
	struct doc *doc = record_make(RECORD_FILE, cells, 64, &host);
	assert_non_null(doc);
	size_t len = sizeof(words) / sizeof(words[0]);
	assert_int_equal(doc_len(doc_root(doc), "khien.flags"), len);
	for (size_t i = 0; i < len; i++)
		assert_string_equal(
			doc_text(doc_item(doc_root(doc), "khien.flags", i),
				 NULL),
			words[i]);
	doc_free(doc);
}

/* Every type of these families has a case, so none lacks its category. */
static void
test_all_types(void **state)
{
	(void)state;
	for (uint16_t type = 1; type < EVENT_TYPES; type++) {
		enum event_family family = event_family(type);
		bool found = family != EVENT_OF_NETWORK &&
			     family != EVENT_OF_PRIVILEGE;
		for (size_t i = 0; i < CASES_LEN; i++)
			found |= cases[i].type == type;
		if (!found)
			fail_msg("%s has no case", event_type_name(type));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_all_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
