/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/tuf/hashes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/hex.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

#define KNOWN 2

static const struct {
	const char *name;
	enum libcrypto_hash hash;
} known[KNOWN] = {
	{ "sha512", LIBCRYPTO_SHA512 },
	{ "sha256", LIBCRYPTO_SHA256 },
};

struct hashes_sum {
	const struct hashes *hashes;
	int64_t length;
	struct libcrypto_sum *sums[KNOWN]; /* NULL: not asked for */
};

static int
check_text(void *arg, const char *name, const struct doc_value *value)
{
	const char *text = doc_text(value, NULL);

	if (!name || !text || !hex_is(text))
		return reason_set(arg, -EBADMSG, "has a malformed hash");
	return 0;
}

int
hashes_parse(const struct doc_value *entry, struct hashes *ret_hashes,
	     struct reason *why)
{
	const struct doc_value *all = doc_member(entry, "hashes");
	struct hashes hashes = { HASHES_NONE, NULL };

	if (doc_member(entry, "length") &&
	    (doc_number(entry, "length", &hashes.length) < 0 ||
	     hashes.length < 0))
		return reason_set(why, -EBADMSG, "has a malformed length");
	if (all) {
		if (!doc_is_object(all, NULL))
			return reason_set(why, -EBADMSG,
					  "has hashes that are no object");
		int r = doc_each(all, NULL, check_text, why);
		if (r < 0)
			return r;
		hashes.all = all;
	}
	*ret_hashes = hashes;
	return 0;
}

const char *
hashes_text(const struct hashes *hashes)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (doc_text(hashes->all, known[i].name))
			return doc_text(hashes->all, known[i].name);
	return NULL;
}

struct hashes_sum *
hashes_sum_new(const struct hashes *hashes)
{
	CLEANUP(hashes_sum_freep)
	struct hashes_sum *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return NULL;
	sum->hashes = hashes;
	for (size_t i = 0; i < KNOWN; i++) {
		if (!doc_text(hashes->all, known[i].name))
			continue;
		sum->sums[i] = libcrypto_sum_new(known[i].hash);
		if (!sum->sums[i])
			return NULL;
	}
	return TAKE(sum);
}

int
hashes_sum_add(struct hashes_sum *sum, const void *bytes, size_t len,
	       struct reason *why)
{
	int64_t length = sum->hashes->length;

	if (length != HASHES_NONE && len > (uint64_t)(length - sum->length))
		return reason_set(why, -EFBIG,
				  "is longer than the %" PRId64
				  " bytes it should have",
				  length);
	sum->length += (int64_t)len;
	for (size_t i = 0; i < KNOWN; i++) {
		int r = sum->sums[i] ?
				libcrypto_sum_add(sum->sums[i], bytes, len) :
				0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Returns 1 when it is right, 0 when it is not, or -EIO. */
static int
is_right(struct hashes_sum *sum, size_t which)
{
	const char *text = doc_text(sum->hashes->all, known[which].name);
	char digits[2 * LIBCRYPTO_SUM_MAX + 1];
	uint8_t out[LIBCRYPTO_SUM_MAX];
	size_t len;

	int r = libcrypto_sum_end(sum->sums[which], out, &len);
	if (r < 0)
		return r;
	str_hex(digits, out, len);
	return str_equal(digits, text);
}

int
hashes_sum_end(struct hashes_sum *sum, struct reason *why)
{
	int64_t length = sum->hashes->length;
	size_t right = 0;

	if (length != HASHES_NONE && sum->length != length)
		return reason_set(why, -EBADE,
				  "has %" PRId64 " bytes, and should have "
				  "%" PRId64,
				  sum->length, length);
	for (size_t i = 0; i < KNOWN; i++) {
		int r = sum->sums[i] ? is_right(sum, i) : 1;
		if (r < 0)
			return r;
		if (r == 0)
			return reason_set(why, -EBADE,
					  "has another %s than it "
					  "should have",
					  known[i].name);
		right += sum->sums[i] != NULL;
	}
	if (sum->hashes->all && !right)
		return reason_set(why, -EBADE,
				  "has no hash that is known here");
	return 0;
}

void
hashes_sum_free(struct hashes_sum *sum)
{
	if (!sum)
		return;
	for (size_t i = 0; i < KNOWN; i++)
		libcrypto_sum_free(sum->sums[i]);
	free(sum);
}

void
hashes_sum_freep(struct hashes_sum **sum)
{
	hashes_sum_free(*sum);
	*sum = NULL;
}

int
hashes_check(const struct hashes *hashes, const void *bytes, size_t len,
	     struct reason *why)
{
	CLEANUP(hashes_sum_freep)
	struct hashes_sum *sum = hashes_sum_new(hashes);

	if (!sum)
		return -ENOMEM;
	int r = hashes_sum_add(sum, bytes, len, why);
	return r < 0 ? r : hashes_sum_end(sum, why);
}
