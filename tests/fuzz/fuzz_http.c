/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server says in headers, and addresses: any text.  What is accepted
 * keeps its bounds.  The first byte says which it is.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "updater/http/answer.h"
#include "updater/http/mirrors.h"
#include "updater/http/url.h"
#include "updater/tuf/reason.h"

#define TEXT_SIZE 4096
#define FROM 50
#define SIZE_LIMIT 1000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
try_range(const char *text)
{
	const struct answer answer = { 206, text, "" };
	const struct answer_asked asked = { .from = FROM,
					    .size_max = SIZE_LIMIT,
					    .etag = "" };
	uint64_t first, last, total;
	struct reason why;

	if (answer_range(text, &first, &last, &total) == 0 &&
	    (first > last || last >= total || total > INT64_MAX))
		abort();
	if (answer_read(&answer, &asked, &total, &why) == ANSWER_REST &&
	    (total <= FROM || total > SIZE_LIMIT))
		abort();
}

static void
try_path(const char *text)
{
	char url[TEXT_SIZE + 32];

	if (url_join(url, sizeof(url), "http://a/", "targets", text, NULL) < 0)
		return;
	/* Nothing that a server could take for another address or folder. */
	if (strpbrk(url, "?#\\ \r\n") || strstr(url, "/../") ||
	    strstr(url + 7, "//"))
		abort();
}

static void
try_redirect(const char *text)
{
	struct reason why;

	if (url_check_redirect("https://a/", text, &why) == 0 &&
	    strncmp(text, "https://", 8) != 0)
		abort();
	if (url_check(text, &why) == 0 && strncmp(text, "http", 4) != 0)
		abort();
}

static void
try_mirrors(const char *text)
{
	struct mirrors mirrors;
	struct mirrors_file file = { 0 };
	uint64_t wait_ms;
	size_t at;

	if (mirrors_parse(&mirrors, text, NULL) == 0 &&
	    (mirrors_next(&mirrors, &file, 0, &at, &wait_ms) < 0 || at ||
	     wait_ms))
		abort();
	mirrors_done(&mirrors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char text[TEXT_SIZE];

	if (!size || size > sizeof(text))
		return 0;
	memcpy(text, bytes + 1, size - 1);
	text[size - 1] = '\0';
	switch (bytes[0] % 4) {
	case 0:
		try_range(text);
		break;
	case 1:
		try_path(text);
		break;
	case 2:
		try_redirect(text);
		break;
	default:
		try_mirrors(text);
	}
	return 0;
}
