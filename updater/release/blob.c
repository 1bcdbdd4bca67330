/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/blob.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/hex.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"

#define SUM_DIGITS 64

struct blob {
	char sha256[SUM_DIGITS + 1];
	struct gzip *gzip;
	struct libcrypto_sum *sum;
	gzip_sink sink;
	void *arg;
};

bool
blob_is_sum(const char *sha256)
{
	return strlen(sha256) == SUM_DIGITS && hex_is(sha256);
}

int
blob_name(char dst[BLOB_NAME_SIZE], const char *sha256)
{
	if (!blob_is_sum(sha256))
		return -EINVAL;
	(void)snprintf(dst, BLOB_NAME_SIZE, "blobs/%s.gz", sha256);
	return 0;
}

static int
take(void *arg, const void *bytes, size_t len)
{
	struct blob *blob = arg;
	int r = libcrypto_sum_add(blob->sum, bytes, len);

	if (r < 0 || !blob->sink)
		return r;
	return blob->sink(blob->arg, bytes, len);
}

int
blob_new(const char *sha256, uint64_t size, gzip_sink sink, void *arg,
	 struct blob **ret_blob)
{
	if (!blob_is_sum(sha256))
		return -EINVAL;
	CLEANUP(blob_freep) struct blob *blob = calloc(1, sizeof(*blob));
	if (!blob)
		return -ENOMEM;
	(void)str_copy(blob->sha256, sizeof(blob->sha256), sha256);
	blob->sink = sink;
	blob->arg = arg;
	blob->sum = libcrypto_sum_new(LIBCRYPTO_SHA256);
	if (!blob->sum)
		return -ENOMEM;
	int r = gzip_new(size, size, take, blob, &blob->gzip);
	if (r == 0)
		*ret_blob = TAKE(blob);
	return r;
}

int
blob_add(struct blob *blob, const void *bytes, size_t len, struct reason *why)
{
	return gzip_add(blob->gzip, bytes, len, why);
}

int
blob_end(struct blob *blob, struct reason *why)
{
	char digits[2 * LIBCRYPTO_SUM_MAX + 1];
	uint8_t out[LIBCRYPTO_SUM_MAX];
	size_t len = 0;

	int r = gzip_end(blob->gzip, why);
	if (r == 0)
		r = libcrypto_sum_end(blob->sum, out, &len);
	if (r < 0)
		return r;
	str_hex(digits, out, len);
	if (!str_equal(digits, blob->sha256))
		return reason_set(why, -EBADMSG,
				  "has another file packed than its name says: "
				  "SHA-256 %s",
				  digits);
	return 0;
}

void
blob_free(struct blob *blob)
{
	if (!blob)
		return;
	gzip_free(blob->gzip);
	libcrypto_sum_free(blob->sum);
	free(blob);
}

void
blob_freep(struct blob **blob)
{
	blob_free(*blob);
	*blob = NULL;
}
