/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/keep/crypt.h"
#include "agent/keep/entry.h"
#include "agent/keep/give.h"
#include "agent/keep/take.h"
#include "agent/keep/vault.h"
#include "agent/lib/buf.h"
#include "agent/lib/file.h"

/* An ordinary user's own quarantine: all but owners works without root. */
static char folder[64];
static int state_fd = -1;

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(folder, "/tmp/khien-test-XXXXXX");
	if (!mkdtemp(folder) || crypt_init() < 0)
		return -1;
	state_fd = open(folder, O_PATH | O_DIRECTORY);
	return state_fd < 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	file_closep(&state_fd);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void
on_step(void)
{
}

static void
make(char *dst, const char *name, const void *bytes, size_t len)
{
	(void)sprintf(dst, "%s/%s", folder, name);
	CLEANUP_FD int fd = open(dst, O_WRONLY | O_CREAT | O_EXCL, 0640);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
}

static int
take(struct vault *vault, struct take *taking, const char *path)
{
	struct stat st;
	CLEANUP_FD int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*taking = (struct take){ .fd = fd,
				 .device = st.st_dev,
				 .inode = st.st_ino,
				 .sha256 = "",
				 .path = path,
				 .rule = "rule",
				 .on_step = on_step };
	return take_file(vault, taking);
}

static void
file_goes_and_comes_back(void **state)
{
	struct vault vault;
	struct take taking;
	char path[128];
	char back[16];

	(void)state;
	make(path, "file", "content", 7);
	assert_int_equal(vault_open(&vault, state_fd, false), -ENOENT);
	vault_done(&vault);
	assert_int_equal(vault_open(&vault, state_fd, true), 0);
	assert_int_equal(take(&vault, &taking, path), 0);
	assert_true(vault_is_id(taking.id));
	assert_int_equal(access(path, F_OK), -1);
	struct give giving = { .id = taking.id, .to = "", .on_step = on_step };
	assert_int_equal(give_file(&vault, &giving), 0);
	file_closep(&giving.fd);
	CLEANUP_FD int fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, back, sizeof(back)), 7);
	assert_memory_equal(back, "content", 7);
	assert_int_equal(give_file(&vault, &giving), -EEXIST);
	assert_int_equal(vault_remove(&vault, taking.id), 0);
	assert_int_equal(vault_remove(&vault, taking.id), -ENOENT);
	vault_done(&vault);
}

static void
key_is_made_once(void **state)
{
	struct vault one;
	struct vault two;

	(void)state;
	assert_int_equal(vault_open(&one, state_fd, true), 0);
	assert_int_equal(vault_open(&two, state_fd, true), 0);
	assert_memory_equal(one.key, two.key, CRYPT_KEY_LEN);
	vault_done(&two);
	/* Cut short, it is no key any more; and none is made in its place. */
	assert_int_equal(unlinkat(one.folder, "key", 0), 0);
	CLEANUP_FD int fd =
		openat(one.folder, "key", O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, one.key, 31), 31);
	assert_int_equal(vault_open(&two, state_fd, true), -EBADMSG);
	vault_done(&two);
	vault_done(&one);
}

static void
every_changed_bit_is_found(void **state)
{
	static const uint8_t key[CRYPT_KEY_LEN] = { 1, 2, 3 };
	uint8_t bytes[256];
	uint8_t clear[64];
	char path[128];
	size_t len;
	bool last;

	(void)state;
	make(path, "stream", "", 0);
	CLEANUP_FD int fd = open(path, O_RDWR);
	CLEANUP(crypt_freep) struct crypt *out = NULL;
	assert_int_equal(crypt_create(fd, key, "name", &out), 0);
	assert_int_equal(crypt_put(out, "head", 4, false), 0);
	assert_int_equal(crypt_put(out, "tail", 4, true), 0);
	ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(size > 0);
	for (ssize_t bit = -1; bit < 8 * size; bit++) {
		CLEANUP(crypt_freep) struct crypt *in = NULL;
		if (bit >= 0)
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		int r = crypt_open(fd, key, "name", &in);
		if (r == 0)
			r = crypt_get(in, clear, sizeof(clear), &len, &last);
		if (r == 0)
			r = crypt_get(in, clear, sizeof(clear), &len, &last);
		assert_int_equal(r, bit < 0 ? 0 : -EBADMSG);
		if (bit >= 0)
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CLEANUP(crypt_freep) struct crypt *other = NULL;
	assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(crypt_open(fd, key, "other", &other), 0);
	assert_int_equal(crypt_get(other, clear, sizeof(clear), &len, &last),
			 -EBADMSG);
}

static void
entry_survives_its_bytes_and_nothing_less(void **state)
{
	static struct entry entry;
	static struct entry back;
	static uint8_t bytes[8192];
	uint8_t xattrs[] = { 1, 0, 0, 0, 'a', 0, 1, 0, 0, 0, 'v' };
	struct buf buf;

	(void)state;
	(void)strcpy(entry.path, "/a\n\xff");
	entry.modified = (struct entry_time){ -5, 999999999 };
	entry.xattrs = xattrs;
	entry.xattrs_size = sizeof(xattrs);
	entry.xattrs_len = 1;
	buf_init_write(&buf, bytes, sizeof(bytes));
	entry_put(&buf, &entry);
	size_t size = buf.at;
	for (size_t len = 0; len <= size; len++) {
		buf_init_read(&buf, bytes, len);
		assert_int_equal(entry_get(&buf, &back),
				 len == size ? 0 : -EBADMSG);
	}
	assert_string_equal(back.path, entry.path);
	assert_int_equal(back.modified.seconds, -5);
	assert_memory_equal(back.xattrs, xattrs, sizeof(xattrs));
	entry_done(&back);
}

static void
ids_are_digits(void **state)
{
	(void)state;
	assert_true(vault_is_id("0123456789abcdef0123456789abcdef"));
	assert_false(vault_is_id("0123456789ABCDEF0123456789abcdef"));
	assert_false(vault_is_id("0123456789abcdef0123456789abcde"));
	assert_false(vault_is_id("../../../../../../../../../etc/p"));
	assert_false(vault_is_id(""));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(file_goes_and_comes_back),
		TEST(key_is_made_once),
		TEST(every_changed_bit_is_found),
		TEST(entry_survives_its_bytes_and_nothing_less),
		TEST(ids_are_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
