/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/doc.h"
#include "agent/query/field.h"
#include "agent/query/record.h"
#include "agent/query/store.h"

#define CELLS_MAX 64

static const struct record_host host = { "host-1", "workstation" };

/* The record of a row in which the named columns have these values. */
static struct doc *
make(unsigned int family, const struct store_cell *head,
     const char *const *names, const struct store_cell *values, size_t len)
{
	struct store_cell cells[CELLS_MAX] = { 0 };
	const struct field *field = field_table(family);
	size_t at = RECORD_HEAD_LEN;

	memcpy(cells, head, RECORD_HEAD_LEN * sizeof(*head));
	for (; field->column; field++, at++)
		for (size_t i = 0; i < len; i++)
			if (strcmp(field->column, names[i]) == 0)
				cells[at] = values[i];
	struct doc *doc = record_make(family, cells, at, &host);
	assert_non_null(doc);
	return doc;
}

#define N(number) STORE_NUMBER_CELL(number)
#define T(text) STORE_TEXT_CELL(text)

static const struct store_cell exec_head[RECORD_HEAD_LEN] = {
	[RECORD_ID] = N(5),
	[RECORD_TYPE] = T("exec"),
	[RECORD_TIME] = N(1738311300123456789),
	[RECORD_BOOT] = T("01234567"),
	[RECORD_CLASS] = T("critical"),
	[RECORD_CPU] = N(3),
	[RECORD_SEQUENCE] = N(42),
	[RECORD_FLAGS] = N(1 | 8),
};

static void
assert_text(const struct doc *doc, const char *path, const char *expected)
{
	const char *text = doc_text(doc_root(doc), path);

	if (!text || strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", path, text ? text : "absent",
			 expected);
}

static void
assert_item(const struct doc *doc, const char *path, size_t index,
	    const char *expected)
{
	const char *text = doc_text(doc_item(doc_root(doc), path, index), NULL);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void
test_exec(void **state)
{
	static const char *const names[] = {
		"t.pid",  "t.executable", "t.args",	"t.uid",      "t.caps",
		"t.mode", "t.device",	  "t.loginuid", "t.start_ns",
	};
	const struct store_cell values[] = {
		N(100),
		T("/usr/bin/echo"),
		T("[\"/bin/echo\",\"a\",\"b\",\"c d\",\"\\\"\\n\"]"),
		N(0),
		N(0x1ff),
		N(0104755),
		N(0x801),
		{ .type = STORE_NULL },
		N(1),
	};
	struct doc *doc = make(RECORD_PROCESS, exec_head, names, values, 9);

	(void)state;
	assert_text(doc, "@timestamp", "2025-01-31T08:15:00.123456789Z");
	assert_text(doc, "ecs.version", "8.11");
	assert_text(doc, "event.id", "01234567-critical-3-42");
	assert_text(doc, "event.kind", "event");
	assert_text(doc, "event.action", "exec");
	assert_item(doc, "event.category", 0, "process");
	assert_item(doc, "event.type", 0, "start");
	assert_text(doc, "host.id", "host-1");
	assert_text(doc, "host.hostname", "workstation");
	assert_text(doc, "process.executable", "/usr/bin/echo");
	assert_text(doc, "process.name", "echo");
	assert_int_equal(doc_len(doc_root(doc), "process.args"), 5);
	assert_item(doc, "process.args", 3, "c d");
	assert_text(doc, "process.command_line", "/bin/echo a b c d \"\n");
	assert_text(doc, "user.id", "0");
	assert_text(doc, "khien.capabilities", "00000000000001ff");
	assert_text(doc, "file.mode", "4755");
	assert_text(doc, "file.type", "file");
	assert_text(doc, "file.device", "8:1");
	assert_text(doc, "process.start", "1970-01-01T00:00:00.000000001Z");
	assert_null(doc_get(doc_root(doc), "khien.loginuid"));
	assert_int_equal(doc_len(doc_root(doc), "khien.flags"), 2);
	assert_item(doc, "khien.flags", 0, "memfd");
	assert_item(doc, "khien.flags", 1, "args_cut");
	assert_int_equal(doc_number_or(doc_root(doc), "process.args_count", -1),
			 5);
	doc_free(doc);
}

/* Whatever bytes a path has, the JSON is valid and says them all. */
static void
test_hostile_texts(void **state)
{
	static const char *const names[] = { "t.path", "t.target" };
	const struct store_cell head[RECORD_HEAD_LEN] = {
		[RECORD_ID] = N(9),
		[RECORD_TYPE] = T("rename"),
		[RECORD_BOOT] = T("01234567"),
		[RECORD_CLASS] = T("bulk"),
		[RECORD_SEQUENCE] = N(0),
	};
	const struct store_cell values[] = {
		{ .type = STORE_TEXT, .bytes = "/a\xff\n\0b", .len = 6 },
		T("/\xc3\xa9/\xed\xa0\x80"),
	};
	struct doc *doc = make(RECORD_FILE, head, names, values, 2);
	struct doc *again = NULL;
	char why[128];

	(void)state;
	assert_text(doc, "event.id", "01234567-gate-9");
	assert_text(doc, "file.path", "/a\\xff\n\\x00b");
	assert_text(doc, "file.name", "a\\xff\n\\x00b");
	assert_text(doc, "file.target_path", "/\xc3\xa9/\\xed\\xa0\\x80");
	char *line = doc_write(doc);
	assert_non_null(line);
	assert_int_equal(
		doc_parse(line, strlen(line), &again, why, sizeof(why)), 0);
	free(line);
	assert_text(again, "file.path", "/a\\xff\n\\x00b");
	doc_free(again);
	doc_free(doc);
}

static void
test_detection(void **state)
{
	static const char *const names[] = {
		"t.severity", "t.attack", "t.ancestors", "t.args", "t.count",
	};
	const struct store_cell head[RECORD_HEAD_LEN] = {
		[RECORD_ID] = N(12),
		[RECORD_TYPE] = T("alert"),
		[RECORD_TIME] = N(-1),
		[RECORD_BOOT] = T("01234567"),
		[RECORD_CLASS] = T("detection"),
		[RECORD_FLAGS] = N(2),
	};
	const struct store_cell values[] = {
		N(5),
		T("T1059  T1204.002 "),
		T("[{\"pid\":1}]"),
		T("damaged ["),
		N(3),
	};
	struct doc *doc = make(RECORD_DETECTION, head, names, values, 5);

	(void)state;
	assert_text(doc, "@timestamp", "1969-12-31T23:59:59.999999999Z");
	assert_text(doc, "event.id", "01234567-detection-12");
	assert_text(doc, "event.kind", "alert");
	assert_text(doc, "khien.severity", "critical");
	assert_int_equal(doc_number_or(doc_root(doc), "event.severity", -1), 5);
	assert_int_equal(doc_len(doc_root(doc), "threat.technique.id"), 2);
	assert_item(doc, "threat.technique.id", 1, "T1204.002");
	assert_int_equal(doc_len(doc_root(doc), "khien.ancestors"), 1);
	assert_item(doc, "khien.flags", 0, "changed");
	assert_null(doc_get(doc_root(doc), "process.args"));
	assert_text(doc, "khien.args_damaged", "damaged [");
	doc_free(doc);
}

/* Every table's SELECT fits its buffer and has as many columns as cells. */
static void
test_selects(void **state)
{
	char sql[RECORD_SQL_MAX];

	(void)state;
	for (unsigned int i = 0; i < RECORD_FAMILIES; i++) {
		struct store_cell cells[CELLS_MAX] = { 0 };
		size_t len = record_select(i, sql);
		assert_true(len < sizeof(sql) && strlen(sql) == len);
		assert_null(record_make(i, cells, RECORD_HEAD_LEN, &host));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_detection),
		cmocka_unit_test(test_selects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
