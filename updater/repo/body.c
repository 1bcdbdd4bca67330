/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/repo/paper.h"
#include "updater/tuf/canonical.h"
#include "updater/tuf/libcrypto.h"

#define SPEC_VERSION "1.0.34"
#define PERCENT 100

/* These differ between any two versions. */
static const char *const own[] = { "version", "expires", "x-khien-issued" };

void
body_date(char dst[BODY_DATE_SIZE], int64_t time_s)
{
	time_t seconds = (time_t)time_s;
	struct tm tm;

	dst[0] = '\0';
	if (gmtime_r(&seconds, &tm))
		(void)strftime(dst, BODY_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

struct doc *
body_new(enum duty_id id, int64_t version, int64_t now_s, int64_t days)
{
	struct doc *body = doc_new();
	char issued[BODY_DATE_SIZE], expires[BODY_DATE_SIZE];

	body_date(issued, now_s);
	body_date(expires, now_s + days * BODY_DAY_S);
	doc_set_text(body, "_type", metadata_name(duty_type(id)));
	doc_set_text(body, "spec_version", SPEC_VERSION);
	doc_set_number(body, "version", version);
	doc_set_text(body, "expires", expires);
	doc_set_text(body, "x-khien-issued", issued);
	return body;
}

struct doc *
body_entry(const void *bytes, size_t len)
{
	char sum[2 * LIBCRYPTO_SUM_MAX + 1];
	struct doc *entry = doc_new();

	if (libcrypto_sum_text(LIBCRYPTO_SHA256, bytes, len, sum) < 0) {
		doc_free(entry);
		return NULL;
	}
	doc_set_number(entry, "length", (int64_t)len);
	doc_set_text(entry, "hashes.sha256", sum);
	return entry;
}

static bool
is_own(const char *name)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (str_equal(own[i], name))
			return true;
	return false;
}

static bool
equal(const struct doc_value *a, const struct doc_value *b)
{
	CLEANUP_FREE uint8_t *left = NULL;
	CLEANUP_FREE uint8_t *right = NULL;
	size_t left_len, right_len;

	return a && b && canonical_write(a, &left, &left_len, NULL) == 0 &&
	       canonical_write(b, &right, &right_len, NULL) == 0 &&
	       left_len == right_len && memcmp(left, right, left_len) == 0;
}

struct comparison {
	const struct doc_value *other;
	size_t len;
};

static int
compare(void *arg, const char *name, const struct doc_value *value)
{
	struct comparison *comparison = arg;

	if (is_own(name))
		return 0;
	comparison->len++;
	return equal(value, doc_member(comparison->other, name)) ? 0 : -1;
}

bool
body_same(const struct doc_value *a, const struct doc_value *b)
{
	struct comparison forth = { .other = b }, back = { .other = a };

	return doc_each(a, NULL, compare, &forth) == 0 &&
	       doc_each(b, NULL, compare, &back) == 0 && forth.len == back.len;
}

int
body_age(const struct paper *paper, int64_t now_s)
{
	int64_t issued_s = paper_issued_s(paper);
	int64_t life = paper->metadata->expires_s - issued_s;

	if (life <= 0 || now_s >= paper->metadata->expires_s)
		return PERCENT;
	if (now_s <= issued_s)
		return 0;
	return (int)(PERCENT * (now_s - issued_s) / life);
}

void
body_list(struct doc *meta, const struct paper *paper)
{
	struct doc *entry = body_entry(paper->bytes, paper->len);
	char name[DUTY_FILE_SIZE];

	doc_set_number(entry, "version", paper->metadata->version);
	(void)snprintf(name, sizeof(name), "%s.json", duty_name(paper->id));
	doc_set(meta, name, entry); /* which is flat */
}
