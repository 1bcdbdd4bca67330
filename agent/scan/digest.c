/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/scan/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "agent/lib/str.h"

struct digest {
	EVP_MD_CTX *context;
};

static const EVP_MD *sha256;

int
digest_init(void)
{
	const uint8_t byte = 0;
	const EVP_MD *const others[] = { EVP_md5(), EVP_sha1() };
	uint8_t out[EVP_MAX_MD_SIZE];

	/* What its configuration file says is not asked for. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
					OPENSSL_INIT_ADD_ALL_DIGESTS |
					OPENSSL_INIT_NO_LOAD_CONFIG,
				NULL) != 1)
		return -ENOTSUP;
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		return -ENOTSUP;
	/* MD5 may be forbidden on this machine: then rules do without. */
	for (size_t i = 0; i < 2; i++)
		(void)EVP_Digest(&byte, 1, out, NULL, others[i], NULL);
	return 0;
}

struct digest *
digest_new(void)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest)
		return NULL;
	digest->context = EVP_MD_CTX_new();
	if (!digest->context) {
		free(digest);
		return NULL;
	}
	return digest;
}

void
digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

void
digest_freep(struct digest **digest)
{
	digest_free(*digest);
}

int
digest_begin(struct digest *digest)
{
	return EVP_DigestInit_ex(digest->context, sha256, NULL) == 1 ? 0 : -EIO;
}

int
digest_add(struct digest *digest, const uint8_t *bytes, size_t len)
{
	return EVP_DigestUpdate(digest->context, bytes, len) == 1 ? 0 : -EIO;
}

int
digest_end(struct digest *digest, char *dst)
{
	uint8_t out[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (EVP_DigestFinal_ex(digest->context, out, &len) != 1)
		return -EIO;
	str_hex(dst, out, len);
	return 0;
}
