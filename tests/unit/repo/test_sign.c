/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is signed here must be what updater/tuf verifies. */
#include "updater/repo/sign.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "updater/tuf/canonical.h"
#include "updater/tuf/key.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/reason.h"
#include "updater/tuf/trust.h"

#define WORDS "what is signed"

static void
parse_half(const struct sign_key *key, struct key **ret_half)
{
	CLEANUP(doc_freep) struct doc *doc = doc_new();
	CLEANUP_FREE char *text = sign_public(key);
	CLEANUP_FREE uint8_t *bytes = NULL;
	char id[2 * LIBCRYPTO_SUM_MAX + 1];
	size_t len;

	doc_set_text(doc, "keytype", sign_type(key));
	doc_set_text(doc, "scheme", sign_scheme(key));
	doc_set_text(doc, "keyval.public", text);
	assert_int_equal(canonical_write(doc_root(doc), &bytes, &len, NULL), 0);
	assert_int_equal(libcrypto_sum_text(LIBCRYPTO_SHA256, bytes, len, id),
			 0);
	assert_int_equal(key_parse(id, doc_root(doc), ret_half, NULL), 0);
}

static void
test_schemes(void **state)
{
	static const char *const schemes[] = { "ed25519", "ecdsa-p256",
					       "ml-dsa-44", "ml-dsa-65",
					       "ml-dsa-87" };

	(void)state;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		CLEANUP(sign_freep) struct sign_key *key = NULL;
		CLEANUP(key_freep) struct key *half = NULL;
		CLEANUP_FREE char *sig = NULL;
		struct reason why = { "" };
		int r = sign_new(schemes[i], &key, &why);
		if (r == -ENOPKG && !key_has_post_quantum()) {
			assert_non_null(strstr(why.text, "OpenSSL 3.5"));
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(sign_bytes(key, WORDS, strlen(WORDS), &sig),
				 0);
		parse_half(key, &half);
		assert_int_equal(key_verify(half, WORDS, strlen(WORDS), sig),
				 0);
		assert_int_equal(key_verify(half, "other", 5, sig),
				 -EKEYREJECTED);
	}
}

static void
test_other_schemes(void **state)
{
	struct sign_key *key;
	struct reason why;

	(void)state;
	assert_int_equal(sign_new("rsa", &key, &why), -EINVAL);
	assert_int_equal(sign_new("", &key, &why), -EINVAL);
	assert_int_equal(sign_new("ed25519 ", &key, &why), -EINVAL);
}

static void
test_files(void **state)
{
	CLEANUP(sign_freep) struct sign_key *key = NULL;
	CLEANUP(sign_freep) struct sign_key *again = NULL;
	CLEANUP_FREE char *pem = NULL, *before = NULL, *after = NULL;
	struct reason why;

	(void)state;
	assert_int_equal(sign_new("ed25519", &key, &why), 0);
	assert_int_equal(sign_write(key, "secret words", &pem), 0);
	assert_non_null(strstr(pem, "BEGIN ENCRYPTED PRIVATE KEY"));
	assert_int_equal(sign_read(pem, "secret word", &again, &why),
			 -EKEYREJECTED);
	assert_int_equal(sign_read(pem, "", &again, &why), -EKEYREJECTED);
	assert_int_equal(sign_read(pem, "secret words", &again, &why), 0);
	before = sign_public(key);
	after = sign_public(again);
	assert_string_equal(before, after);
}

static void
test_no_files(void **state)
{
	static const char *const texts[] = {
		"",
		"nonsense",
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		"-----END ENCRYPTED PRIVATE KEY-----\n",
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
		"-----END ENCRYPTED PRIVATE KEY-----\n",
		/* Not encrypted. */
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU"
		"++CXqI9EdVhC\n"
		"-----END PRIVATE KEY-----\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sign_key *key = NULL;
		struct reason why;
		assert_int_equal(sign_read(texts[i], "secret words", &key,
					   &why),
				 -EBADMSG);
		assert_null(key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_other_schemes),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_no_files),
	};

	if (trust_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
