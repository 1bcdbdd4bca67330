/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/lib/msg.h"
#include "agent/scan/rules.h"
#include "agent/scan/yara.h"
#include "tests/unit/scan/samples.h"

#define FOUND_MAX 1024

static const char *dir;
static struct rules rules;
static struct yara *yara;
static uint32_t found[FOUND_MAX];
static size_t found_len;

static int
setup(void **state)
{
	(void)state;
	dir = samples_folder();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	yara_free(yara);
	yara = NULL;
	rules_done(&rules);
	samples_remove(dir);
	return 0;
}

static void
compile(void)
{
	assert_int_equal(rules_add_folder(&rules, dir), 0);
	assert_int_equal(yara_new(&rules, &yara), 0);
	rules_drop_texts(&rules);
	assert_true(yara_rules_len(yara) <= FOUND_MAX);
}

static int
scan_bytes(const void *bytes, size_t size, uint64_t timeout_ns)
{
	struct yara_block block = { .bytes = bytes, .size = size };

	found_len = 0;
	return yara_scan(yara, &block, 1, size, timeout_ns, found, &found_len);
}

static bool
has_found(const char *rule)
{
	for (size_t i = 0; i < found_len; i++)
		if (strcmp(yara_rule(yara, found[i])->rule, rule) == 0)
			return true;
	return false;
}

static const char *
error_of(const char *path)
{
	for (size_t i = 0; i < rules.len; i++)
		if (strcmp(rules.files[i].path, path) == 0)
			return rules.files[i].error;
	return NULL;
}

static void
test_broken_files_are_left_out(void **state)
{
	static const struct {
		const char *name, *text, *error;
	} cases[] = {
		{ "syntax.yar", "rule x {\n condition:\n }\n", ":3: " },
		{ "unknown.yar", "\nrule x { condition: y }", ":2: rule x: " },
		{ "module.yar", "import \"none\"\n", ":1: " },
		{ "twice.yar",
		  "rule x { condition: true }\nrule x { condition: true }",
		  ":2: " },
		{ "regex.yar", "rule x { strings: $a = /(/ condition: $a }",
		  ":1: rule x: " },
		{ "include.yar", "\n\ninclude \"/etc/passwd\"\n",
		  ":3: not among the rule files: /etc/passwd" },
		{ "outside.yar", "include \"../x.yar\"\n", ":1: " },
		{ "open.yar", "\nrule x { strings: $a = \"", ":2: rule x: " },
		{ "cut.yar", "rule x {\n condition:\n", ":2: rule x: " },
	};
	const size_t len = sizeof(cases) / sizeof(*cases);

	(void)state;
	samples_write_text(dir, "a-good.yar", "rule x { condition: true }");
	samples_write_text(dir, "z-good.yar", "rule x { condition: true }");
	samples_write_text(dir, "empty.yar", "");
	samples_write_text(dir, "comment.yar", "/* nothing */");
	samples_write(dir, "nul.yar", "rule x { condition: \0 true }", 28);
	samples_write(dir, "binary.yar", "\x7f\x45LF\xff\xfe\0\0", 8);
	for (size_t i = 0; i < len; i++)
		samples_write_text(dir, cases[i].name, cases[i].text);
	compile();
	assert_int_equal(yara_rules_len(yara), 2);
	for (size_t i = 0; i < len; i++) {
		const char *error = error_of(cases[i].name);
		assert_non_null(error);
		assert_memory_equal(error, dir, strlen(dir));
		assert_non_null(strstr(error, cases[i].name));
		assert_non_null(strstr(error, cases[i].error));
	}
	assert_non_null(error_of("nul.yar"));
	assert_non_null(error_of("binary.yar"));
	assert_null(error_of("empty.yar"));
	assert_null(error_of("comment.yar"));
	assert_int_equal(scan_bytes("", 0, 0), 0);
	assert_int_equal(found_len, 2);
	assert_string_equal(yara_rule(yara, 0)->ruleset, "a-good.yar");
	assert_string_equal(yara_rule(yara, 1)->ruleset, "z-good.yar");
}

static void
test_includes(void **state)
{
	(void)state;
	samples_write_text(dir, "a/main.yar",
			   "include \"../b/part.yar\"\n"
			   "rule main { condition: part }\n");
	samples_write_text(dir, "b/part.yar",
			   "include \"deep/leaf.yar\"\n"
			   "rule part { condition: leaf }\n");
	samples_write_text(dir, "b/deep/leaf.yar",
			   "private rule leaf { condition: filesize == 3 }\n");
	samples_write_text(dir, "circle.yar", "include \"circle.yar\"\n");
	samples_write_text(dir, "c1.yar", "include \"c2.yar\"\n");
	samples_write_text(dir, "c2.yar", "include \"c1.yar\"\n");
	samples_write_text(dir, "bad/user.yar", "\ninclude \"inner.yar\"\n");
	samples_write_text(dir, "bad/inner.yar", "\n\nrule ! {}\n");
	compile();
	assert_null(error_of("a/main.yar"));
	assert_null(error_of("b/part.yar"));
	assert_non_null(error_of("circle.yar"));
	assert_non_null(error_of("c1.yar"));
	/* The place is the included file's. */
	assert_non_null(strstr(error_of("bad/user.yar"), "bad/inner.yar:3:"));
	assert_int_equal(scan_bytes("abc", 3, 0), 0);
	/* part: by itself and within main; leaf is private. */
	assert_int_equal(found_len, 3);
	assert_true(has_found("main") && has_found("part"));
	assert_false(has_found("leaf"));
}

static void
test_meta(void **state)
{
	(void)state;
	samples_write_text(dir, "m.yar",
			   "rule m : tag { meta: id = \"the-id\" severity = "
			   "\"low\" description = \"d\" attack = \"T1\" "
			   "attack = \"T2\" number = 7 flag = true "
			   "condition: true }\n"
			   "rule n { meta: severity = 5 id = 9 condition: "
			   "true }\n");
	compile();
	const struct msg_match *match = yara_rule(yara, 0);
	assert_string_equal(match->rule, "m");
	assert_string_equal(match->id, "the-id");
	assert_string_equal(match->severity, "low");
	assert_string_equal(match->description, "d");
	assert_string_equal(match->attack, "T1 T2");
	assert_string_equal(yara_rule(yara, 1)->severity, "medium");
	assert_string_equal(yara_rule(yara, 1)->id, "");
}

/* A global rule is about its own file only. */
static void
test_namespaces(void **state)
{
	(void)state;
	samples_write_text(dir, "a.yar",
			   "global rule never { condition: false }\n"
			   "rule a { condition: true }\n");
	samples_write_text(dir, "b.yar", "rule b { condition: true }\n");
	compile();
	assert_int_equal(scan_bytes("x", 1, 0), 0);
	assert_int_equal(found_len, 1);
	assert_true(has_found("b"));
}

static void
test_blocks(void **state)
{
	const struct yara_block blocks[] = {
		{ .bytes = (const uint8_t *)"head", .size = 4 },
		{ .bytes = (const uint8_t *)"tail", .size = 4, .at = 1000 },
	};

	(void)state;
	samples_write_text(
		dir, "a.yar",
		"rule head { strings: $a = \"head\" condition: $a at "
		"0 }\n"
		"rule tail { strings: $a = \"tail\" condition: $a at "
		"1000 and filesize == 1004 }\n"
		"rule no { strings: $a = \"headtail\" condition: $a "
		"}\n");
	compile();
	assert_int_equal(yara_scan(yara, blocks, 2, 1004, 0, found, &found_len),
			 0);
	assert_int_equal(found_len, 2);
	assert_false(has_found("no"));
}

/* Nothing of one file is left for the next. */
static void
test_entry_point_is_forgotten(void **state)
{
	uint8_t elf[64] = "\x7f"
			  "ELF\2\1\1";

	(void)state;
	samples_write_text(dir, "a.yar",
			   "rule entry { condition: entrypoint >= 0 }\n");
	compile();
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	void *map =
		mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(scan_bytes(map, (size_t)st.st_size, 0), 0);
	assert_int_equal(found_len, 1);
	assert_int_equal(scan_bytes("text", 4, 0), 0);
	assert_int_equal(found_len, 0);
	assert_int_equal(scan_bytes(elf, 3, 0), 0);
	assert_int_equal(found_len, 0);
	(void)munmap(map, (size_t)st.st_size);
	(void)close(fd);
}

static void
test_timeout(void **state)
{
	(void)state;
	samples_write_text(dir, "slow.yar",
			   "rule slow { condition: uint8(0) == 120 and for "
			   "all i in (0 .. 1000000000) : ( i < 2000000000 ) "
			   "}\n");
	compile();
	assert_int_equal(scan_bytes("x", 1, 50000000), -ETIMEDOUT);
	assert_int_equal(found_len, 0);
	/* And the scanner is as good as new. */
	assert_int_equal(scan_bytes("y", 1, 0), 0);
	assert_int_equal(found_len, 0);
}

static void
test_many_matches(void **state)
{
	static const char text[] =
		"rule many { strings: $a = /x{1,100}/ condition: $a }\n"
		"rule other { strings: $a = \"END\" condition: $a }\n";
	size_t size = 4 << 20;
	uint8_t *bytes = malloc(size);

	(void)state;
	assert_non_null(bytes);
	samples_write_text(dir, "a.yar", text);
	compile();
	memset(bytes, 'x', size);
	memcpy(bytes + size - 3, "END", 3);
	assert_int_equal(scan_bytes(bytes, size, 0), 0);
	assert_true(has_found("many") && has_found("other"));
	free(bytes);
}

static void
test_error_in_words(void **state)
{
	(void)state;
	samples_write_text(dir, "a.yar",
			   "import \"hash\"\nrule a { condition: "
			   "hash.md5(0, filesize) == \"x\" }");
	compile();
	assert_int_equal(scan_bytes("x", 1, 0), 0);
	assert_string_equal(yara_error(yara), "");
	assert_non_null(strchr(yara_version(), '.'));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static int
setup_group(void **state)
{
	(void)state;
	return yara_init(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_broken_files_are_left_out),
		CASE(test_includes),
		CASE(test_meta),
		CASE(test_namespaces),
		CASE(test_blocks),
		CASE(test_entry_point_is_forgotten),
		CASE(test_timeout),
		CASE(test_many_matches),
		CASE(test_error_in_words),
	};

	return cmocka_run_group_tests(tests, setup_group, NULL);
}
