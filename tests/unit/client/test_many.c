/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A release of a thousand files in sixteen bins, in one session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/client/forge_faults.h"
#include "tests/unit/client/forge_mirror.h"
#include "updater/client/anchor.h"
#include "updater/client/folder.h"
#include "updater/tuf/libcrypto.h"
#include "updater/tuf/trust.h"

#define FILES 1000
#define BINS 16

/* One more target for the bin that its name belongs to. */
static void
add_target(struct forge *forge, int number, char **bins)
{
	char name[32], text[32], sum[2 * LIBCRYPTO_SUM_MAX + 1];

	(void)snprintf(name, sizeof(name), "blobs/%d.gz", number);
	(void)snprintf(text, sizeof(text), "file %d", number);
	assert_int_equal(libcrypto_sum_text(LIBCRYPTO_SHA256, name,
					    strlen(name), sum),
			 0);
	char digit[2] = { sum[0], '\0' };
	char **bin = &bins[strtoul(digit, NULL, 16)];
	char *entry = forge_mirror_target(forge, name, text);
	char *more =
		forge_text("%s%s%s", *bin ? *bin : "", *bin ? "," : "", entry);
	free(entry);
	free(*bin);
	*bin = more;
}

static void
publish(struct forge *forge)
{
	const struct forge_role *top = &forge->roles[METADATA_TARGETS];
	const struct forge_role *all[] = { top, NULL };
	char *signers = forge_signers(top), *keys = forge_keys(all);
	char *listed = forge_text("%s", ""), *bins[BINS] = { NULL };

	for (int i = 0; i < FILES; i++)
		add_target(forge, i, bins);
	for (int i = 0; i < BINS; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "rules-%x", i);
		forge_put_role(forge, top, name, 1, bins[i], "");
		char *more = forge_text("%s,\"rules-%x.json\":{\"version\":1}",
					listed, i);
		free(listed);
		listed = more;
		free(bins[i]);
	}
	char *delegations =
		forge_text(",\"delegations\":{\"keys\":{%s},\"succinct_roles\":"
			   "{%s,\"bit_length\":4,\"name_prefix\":\"rules\"}}",
			   keys, signers);
	forge->listed = listed;
	forge->delegations = delegations;
	forge_publish(forge);
	forge->listed = forge->delegations = "";
	free(delegations);
	free(listed);
	free(keys);
	free(signers);
}

static void
get_all(struct client *client)
{
	char name[32], text[32];
	struct reason why;
	uint8_t *bytes;
	size_t len;

	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "blobs/%d.gz", i);
		(void)snprintf(text, sizeof(text), "file %d", i);
		int r = client_get(client, name, 100, &bytes, &len, &why);
		if (r < 0)
			fail_msg("%s: %d, %s", name, r, why.text);
		assert_int_equal(len, strlen(text));
		assert_memory_equal(bytes, text, len);
		free(bytes);
	}
}

static void
test_many(void **state)
{
	int stored = forge_mirror_folder();
	struct forge *forge = forge_new();
	struct forge_mirror mirror = { .forge = forge };
	const struct client_mirror use = forge_mirror_use(&mirror);
	const char *root = forge_get(&forge->mirror, "1.root.json");
	struct client *client = NULL;
	struct folder folder;
	struct reason why;

	(void)state;
	assert_int_equal(trust_init(), 0);
	publish(forge);
	assert_int_equal(folder_open(stored, ".", &folder), 0);
	assert_int_equal(anchor_set(&folder, root, strlen(root), &forge->policy,
				    &why),
			 0);
	folder_close(&folder);
	assert_int_equal(client_open(stored, ".", &forge->policy, FORGE_NOW_S,
				     &use, &client, &why),
			 0);
	assert_int_equal(client_refresh(client, &why), 0);
	get_all(client);
	assert_int_equal(client_requests(client), 4 + BINS + FILES);
	/* Once more: no bin is read again. */
	forge_faults_arm(0, 0);
	get_all(client);
	assert_int_equal(forge_faults_disarm(), 0);
	assert_int_equal(client_requests(client), 4 + BINS + 2 * FILES);
	client_close(client);
	forge_free(forge);
	forge_mirror_remove(stored);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
