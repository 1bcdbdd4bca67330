/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One repository with the target "a/b", a mirror of it, and a client with two
   folders on disk: made anew for each test that includes this. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/client/forge_mirror.h"
#include "updater/client/anchor.h"
#include "updater/client/folder.h"
#include "updater/tuf/trust.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT "what is to be had"
#define SIZE_MAX_HERE 1000

static struct forge *forge;
static struct forge_mirror mirror;
static struct client_mirror use;
static struct client *client;
static struct reason why;
static int metadata = -1, targets = -1;
static char *entries[8];

static inline void
add_target(const char *name, const char *text)
{
	size_t i = 0;

	while (entries[i])
		i++;
	assert_true(i + 1 < LEN(entries));
	entries[i] = forge_mirror_target(forge, name, text);
	char *all =
		forge_text("%s%s%s", forge->targets, i ? "," : "", entries[i]);
	if (i)
		free((char *)forge->targets);
	forge->targets = all;
}

static inline void
reopen(void)
{
	client_close(client);
	client = NULL;
	assert_int_equal(client_open(metadata, ".", &forge->policy, FORGE_NOW_S,
				     &use, &client, &why),
			 0);
}

static inline int
set_up(void **state)
{
	struct folder folder;

	(void)state;
	assert_int_equal(trust_init(), 0);
	forge = forge_new();
	metadata = forge_mirror_folder();
	targets = forge_mirror_folder();
	mirror = (struct forge_mirror){ .forge = forge };
	use = forge_mirror_use(&mirror);
	const char *root = forge_get(&forge->mirror, "1.root.json");
	assert_int_equal(folder_open(metadata, ".", &folder), 0);
	assert_int_equal(anchor_set(&folder, root, strlen(root), &forge->policy,
				    &why),
			 0);
	folder_close(&folder);
	add_target("a/b", TEXT);
	forge_publish(forge);
	reopen();
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	client_close(client);
	client = NULL;
	forge_mirror_remove(metadata);
	forge_mirror_remove(targets);
	for (size_t i = 0; entries[i]; i++) {
		free(entries[i]);
		entries[i] = NULL;
	}
	free((char *)forge->targets);
	forge_free(forge);
	return 0;
}

static inline int
get(const char *name, char **ret_text)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	int r = client_get(client, name, SIZE_MAX_HERE, &bytes, &len, &why);
	if (r == 0 && ret_text)
		*ret_text = forge_text("%.*s", (int)len, (char *)bytes);
	free(bytes);
	return r;
}

static inline int
save(const char *name, const char *file)
{
	struct folder folder;

	assert_int_equal(folder_open(targets, ".", &folder), 0);
	int r = client_save(client, name, &folder, file, &why);
	folder_close(&folder);
	return r;
}

/* All is as if nobody had ever lied. */
static inline void
expect_good(void)
{
	char *text = NULL;

	mirror.lie = FORGE_HONEST;
	reopen();
	int r = client_refresh(client, &why);
	if (r < 0)
		fail_msg("refresh: %d, %s", r, why.text);
	forge_mirror_check(metadata, forge);
	assert_int_equal(get("a/b", &text), 0);
	assert_string_equal(text, TEXT);
	free(text);
	assert_int_equal(save("a/b", "file"), 0);
	text = forge_mirror_read(targets, "file");
	assert_string_equal(text, TEXT);
	free(text);
	assert_int_equal(faccessat(targets, " new", F_OK, 0), -1);
	assert_int_equal(unlinkat(targets, "file", 0), 0);
}
