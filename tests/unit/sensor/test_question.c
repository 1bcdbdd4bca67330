/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/question.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "\x12\x34\1\0\0\1\0\0\0\0\0\0"
#define A "\0\1\0\1"
#define AAAA "\0\34\0\1"
#define L8 "\10abcdefgh"
#define L63 "\77abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"
#define T63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

#define MESSAGE(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
	const char *what;
	const uint8_t *bytes;
	size_t size;
	int r;
	uint16_t type;
	const char *name;
} cases[] = {
	{ "a name", MESSAGE(HEAD "\3www\5khien\2vn\0" A), 0, 1,
	  "www.khien.vn" },
	{ "its case", MESSAGE(HEAD "\3wWw\2VN\0" AAAA), 0, 28, "wWw.VN" },
	{ "the root", MESSAGE(HEAD "\0\0\2\0\1"), 0, 2, "." },
	{ "dots and backslashes", MESSAGE(HEAD "\3a.b\2\\.\0" A), 0, 1,
	  "a\\.b.\\\\\\." },
	{ "bytes", MESSAGE(HEAD "\4 \0\x7f\xff\1!\1~\0" A), 0, 1,
	  "\\032\\000\\127\\255.!.~" },
	{ "a quote and a line's end", MESSAGE(HEAD "\2\"\n\0" A), 0, 1,
	  "\"\\010" },
	{ "any type", MESSAGE(HEAD "\1a\0\xff\xfe\0\xff"), 0, 0xfffe, "a" },
	{ "an update", MESSAGE("\0\0\x28\0\0\1\0\0\0\1\0\0\1a\0\0\6\0\1"), 0, 6,
	  "a" },
	{ "more behind it", MESSAGE(HEAD "\1a\0" A "\0\0\x29\x10\0"), 0, 1,
	  "a" },
	{ "labels of 63", MESSAGE(HEAD L63 L63 L63 "\0" A), 0, 1,
	  T63 "." T63 "." T63 },
	{ "255 bytes", MESSAGE(HEAD L63 L63 L63 "\75" T63), -EBADMSG, 0, "" },
	{ "nothing asked", MESSAGE("\0\0\0\0\0\0\0\0\0\0\0\0"), -ENOENT, 0,
	  "" },
	{ "nothing at all", MESSAGE(""), -EBADMSG, 0, "" },
	{ "half a head", MESSAGE("\0\0\0\0\0\1"), -EBADMSG, 0, "" },
	{ "no name", MESSAGE(HEAD), -EBADMSG, 0, "" },
	{ "an answer", MESSAGE("\0\0\x80\0\0\1\0\0\0\0\0\0\1a\0" A), -EBADMSG,
	  0, "" },
	{ "two questions", MESSAGE("\0\0\0\0\0\2\0\0\0\0\0\0\1a\0" A "\1b\0" A),
	  -EBADMSG, 0, "" },
	{ "65,535 questions",
	  MESSAGE("\0\0\0\0\xff\xff\0\0\0\0\0\0\1a\0" A "\1b\0" A), -EBADMSG, 0,
	  "" },
	{ "other counts lie",
	  MESSAGE("\0\0\0\0\0\1\xff\xff\xff\xff\xff\xff\1a\0" A), 0, 1, "a" },
	{ "a label past the end", MESSAGE(HEAD "\77abc"), -EBADMSG, 0, "" },
	{ "no end", MESSAGE(HEAD "\3abc"), -EBADMSG, 0, "" },
	{ "no type", MESSAGE(HEAD "\3abc\0"), -EBADMSG, 0, "" },
	{ "no class", MESSAGE(HEAD "\3abc\0\0\1\0"), -EBADMSG, 0, "" },
	{ "a pointer to itself", MESSAGE(HEAD "\xc0\x0c" A), -EBADMSG, 0, "" },
	{ "a pointer backwards", MESSAGE(HEAD "\1a\xc0\0" A), -EBADMSG, 0, "" },
	{ "a pointer forwards", MESSAGE(HEAD "\xc0\x20\0\1\0\1\1a\0"), -EBADMSG,
	  0, "" },
	{ "a label of 64", MESSAGE(HEAD "\100" T63 "x\0" A), -EBADMSG, 0, "" },
	{ "a label of an unknown kind", MESSAGE(HEAD "\200" T63 "\0" A),
	  -EBADMSG, 0, "" },
	{ "no DNS", MESSAGE("SSH-2.0-OpenSSH_9.6\r\n"), -EBADMSG, 0, "" },
};

static void
test_parse(void **state)
{
	char name[QUESTION_NAME_SIZE];
	uint16_t type;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = question_parse(cases[i].bytes, cases[i].size, name,
				       &type);
		if (r != cases[i].r || type != cases[i].type ||
		    strcmp(name, cases[i].name) != 0)
			fail_msg("%s: %d, %u, \"%s\"", cases[i].what, r, type,
				 name);
	}
}

/* A name of `labels` labels of one byte each, and one of `last` bytes. */
static size_t
make(uint8_t *message, size_t labels, uint8_t last)
{
	size_t at = sizeof(HEAD) - 1;

	memcpy(message, HEAD, at);
	for (size_t i = 0; i < labels; i++) {
		message[at++] = 1;
		message[at++] = 0xff;
	}
	if (last) {
		message[at++] = last;
		memset(message + at, 0xff, last);
		at += last;
	}
	memcpy(message + at, "\0\0\1\0\1", 5);
	return at + 5;
}

/* 255 bytes with all lengths and the root's, and not one more. */
static void
test_longest(void **state)
{
	uint8_t message[512];
	char name[QUESTION_NAME_SIZE];
	uint16_t type;

	(void)state;
	size_t size = make(message, 127, 0);
	assert_int_equal(question_parse(message, size, name, &type), 0);
	assert_int_equal(strlen(name), 127 * 4 + 126);
	size = make(message, 126, 2);
	assert_int_equal(question_parse(message, size, name, &type), -EBADMSG);
	size = make(message, 95, 63);
	assert_int_equal(question_parse(message, size, name, &type), 0);
	assert_int_equal(strlen(name), 95 * 4 + 95 + 63 * 4);
	size = make(message, 96, 63);
	assert_int_equal(question_parse(message, size, name, &type), -EBADMSG);
}

/* Each message cut short anywhere is none, or asks nothing less. */
static void
test_cut(void **state)
{
	static const uint8_t whole[] = HEAD "\3www\5khien\2vn\0" A;
	char name[QUESTION_NAME_SIZE];
	uint16_t type;

	(void)state;
	for (size_t size = 0; size < sizeof(whole) - 1; size++)
		assert_int_equal(question_parse(whole, size, name, &type),
				 -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
