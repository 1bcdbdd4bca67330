/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole trial, sealed, with this program in the place of khiend. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "agent/lib/buf.h"
#include "agent/lib/chan.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_update.h"
#include "agent/lib/peer.h"
#include "agent/lib/role.h"
#include "agent/scan/digest.h"
#include "agent/scan/release.h"
#include "agent/scan/rules.h"
#include "agent/scan/sample.h"
#include "agent/scan/trial.h"
#include "agent/scan/unpack.h"
#include "agent/scan/vector.h"
#include "tests/unit/scan/samples.h"

#define PATIENCE_MS 60000
#define NUMBER 8

static const char *folder;
static uint8_t in[MSG_MAX], out[MSG_MAX];
static struct conf conf;
static char why[MSG_UPDATE_REASON_MAX + 1];

#define MARKER                                                                 \
	"rule marker { meta: severity = \"high\" strings: $a = \"KHIENMARK\" " \
	"condition: $a }\n"
#define ELF(severity)                                                          \
	"rule elf { meta: severity = \"" severity                              \
	"\" condition: uint32(0) == 0x464c457f }\n"
/* Only a file of this size is worth the trouble. */
#define HANGS                                                                  \
	"rule hangs { condition: filesize == 9 and for all i in "              \
	"(1..0xffffffffffff) : (uint8(i % 9) != 1) }\n"

static void
sum_of(const void *bytes, size_t len, char *dst)
{
	struct digest *digest = digest_new();

	assert_int_equal(digest_begin(digest), 0);
	assert_int_equal(digest_add(digest, bytes, len), 0);
	assert_int_equal(digest_end(digest, dst), 0);
	digest_free(digest);
}

static void
pack(const char *text, char *ret_sum)
{
	char path[SAMPLES_PATH_MAX];
	size_t len = strlen(text);

	sum_of(text, len, ret_sum);
	samples_write_text(folder, "releases/8/vectors/.keep", "");
	(void)snprintf(path, sizeof(path), "%s/releases/8/vectors/%s.gz",
		       folder, ret_sum);
	gzFile file = gzopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(gzwrite(file, text, (unsigned int)len), len);
	assert_int_equal(gzclose(file), Z_OK);
}

/* A release with one test file, which `matches` (JSON) must match. */
static void
make(const char *first, const char *second, const char *vector,
     const char *matches)
{
	char sum[DIGEST_TEXT_SIZE];
	char manifest[1024];

	samples_write_text(folder, "releases/8/rules/web/a.yar", first);
	if (*second)
		samples_write_text(folder, "releases/8/rules/b.yar", second);
	pack(vector, sum);
	(void)snprintf(manifest, sizeof(manifest),
		       "{\"format\":1,\"number\":8,\"vectors\":[{\"name\":"
		       "\"a.bin\",\"sha256\":\"%s\",\"size\":%zu,"
		       "\"matches\":%s}]}",
		       sum, strlen(vector), matches);
	samples_write_text(folder, "releases/8/manifest.json", manifest);
}

static int
setup(void **state)
{
	(void)state;
	folder = samples_folder();
	conf_init(&conf);
	conf.role_uid[ROLE_SCAN] = role_get(ROLE_SCAN)->fallback_uid;
	conf.role_gid[ROLE_SCAN] = conf.role_uid[ROLE_SCAN];
	conf.timeout_ms = 400;
	return digest_init();
}

static int
teardown(void **state)
{
	(void)state;
	samples_remove(folder);
	return 0;
}

static void
run_child(int chan)
{
	char name[] = "khien-scan", index[] = "64";
	char *argv[] = { name, index, NULL };

	if (dup2(chan, PEER_FD) < 0)
		_exit(90);
	for (int fd = PEER_FD + 1; fd < 64; fd++)
		(void)close(fd);
	_exit(trial_run(2, argv));
}

static void
send_message(int chan, struct buf *buf, int fd)
{
	assert_int_equal(msg_end(buf), 0);
	assert_int_equal(chan_write(chan, buf, fd), 0);
}

static void
introduce(int chan)
{
	const struct msg_update update = { .kind = MSG_UPDATE_ACTIVATE,
					   .number = NUMBER,
					   .reason = "" };
	CLEANUP_FD int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct buf buf;

	msg_begin(&buf, out, MSG_MAX, MSG_CONFIG);
	conf_put(&buf, &conf);
	send_message(chan, &buf, -1);
	msg_begin(&buf, out, MSG_MAX, MSG_KEEP);
	msg_put_keep(&buf, "update");
	send_message(chan, &buf, fd);
	msg_begin(&buf, out, MSG_MAX, MSG_READY);
	send_message(chan, &buf, -1);
	msg_begin(&buf, out, MSG_MAX, MSG_UPDATE);
	msg_update_put(&buf, &update);
	send_message(chan, &buf, -1);
}

static void
expect(int chan, uint16_t wanted, struct buf *buf)
{
	struct pollfd wait = { .fd = chan, .events = POLLIN };
	uint16_t type;
	size_t len;
	int fd;

	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_int_equal(chan_read(chan, in, MSG_MAX, &len, &fd), 0);
	assert_int_equal(msg_open(buf, in, len, &type), 0);
	assert_int_equal(type, wanted);
}

/* Returns how it went; its reason stands in `why`. */
static struct msg_trial
try(void)
{
	struct msg_trial trial;
	int chan, theirs, status;
	struct buf buf;

	assert_int_equal(chan_pair(&chan, &theirs), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_child(theirs);
	(void)close(theirs);
	introduce(chan);
	expect(chan, MSG_HELLO, &buf);
	expect(chan, MSG_TRIAL, &buf);
	assert_int_equal(msg_update_get_trial(&buf, &trial), 0);
	(void)snprintf(why, sizeof(why), "%s", trial.why);
	(void)close(chan);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return trial;
}

static void
test_cases(void **state)
{
	static const struct {
		const char *first, *second, *vector, *matches;
		const char *why; /* "": it is good */
	} cases[] = {
		{ MARKER, "", "a KHIENMARK", "[\"marker\"]", "" },
		{ MARKER, "", "a mark", "[]", "" },
		/* Another one may match it as well. */
		{ MARKER, "rule b { condition: filesize == 11 }", "a KHIENMARK",
		  "[\"marker\"]", "" },
		{ MARKER, "", "a mark", "[\"marker\"]",
		  "rule marker does not match the test file a.bin" },
		{ MARKER, "", "a KHIENMARK", "[\"marker\", \"other\"]",
		  "rule other does not match the test file a.bin" },
		{ MARKER, "", "a KHIENMARK", "[]",
		  "rule marker of release-8/web/a.yar matches the test file "
		  "a.bin" },
		{ MARKER, "rule b { condition: what }", "a mark", "[]",
		  "rule file release-8/b.yar:1: " },
		{ MARKER, ELF("high"), "a mark", "[]",
		  "rule elf of release-8/b.yar matches /usr/" },
		/* It has no consequences. */
		{ MARKER, ELF("low"), "a mark", "[]", "" },
		{ MARKER, HANGS, "a mark 99", "[]",
		  "rule file release-8/b.yar did not end with a.bin" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(cases[i].first, cases[i].second, cases[i].vector,
		     cases[i].matches);
		struct msg_trial trial = try();
		print_message("case %zu: %s\n", i, why);
		assert_int_equal(trial.ok, !*cases[i].why);
		assert_non_null(strstr(why, cases[i].why));
		samples_remove(folder);
		assert_int_equal(mkdir(folder, 0755), 0);
		if (!trial.ok)
			continue;
		assert_int_equal(trial.vectors, 1);
		/* Any machine with this compiler has as many. */
		assert_int_equal(trial.samples, SAMPLE_MAX);
	}
}

static void
test_what_cannot_be_read(void **state)
{
	static const struct {
		const char *path, *text, *why;
	} cases[] = {
		{ "manifest.json", "{\"number\":8,\"number\":8}",
		  "manifest.json: " },
		{ "manifest.json", "{\"number\":9,\"vectors\":[]}",
		  "manifest.json is of release 9, not 8" },
		{ "manifest.json", "{\"number\":8,\"vectors\":[7]}",
		  "lacks a size" },
		{ "manifest.json",
		  "{\"number\":8,\"vectors\":[{\"name\":\"x\",\"sha256\":"
		  "\"0000\",\"size\":1,\"matches\":[]}]}",
		  "the test file x (0000) cannot be read: No such file" },
		{ "manifest.json",
		  "{\"number\":8,\"vectors\":[{\"name\":\"x\",\"sha256\":"
		  "\"0000\",\"size\":-1,\"matches\":[]}]}",
		  "lacks a size" },
	};
	char path[SAMPLES_PATH_MAX], name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(MARKER, "", "a", "[]");
		(void)snprintf(name, sizeof(name), "releases/8/%s",
			       cases[i].path);
		samples_write_text(folder, name, cases[i].text);
		assert_false(try().ok);
		print_message("case %zu: %s\n", i, why);
		assert_non_null(strstr(why, cases[i].why));
	}
	/* More test files than any release has, none of which is looked for. */
	static char many[8 * VECTOR_MAX] = "{\"number\":8,\"vectors\":[7";
	make(MARKER, "", "a", "[]");
	for (size_t i = 0; i < VECTOR_MAX; i++)
		(void)strcat(many, ",7");
	(void)strcat(many, "]}");
	samples_write_text(folder, "releases/8/manifest.json", many);
	assert_false(try().ok);
	assert_non_null(strstr(why, "names more than 256 test files"));
	/* Not one rule; and a pipe, on which nobody may wait. */
	samples_remove(folder);
	assert_int_equal(mkdir(folder, 0755), 0);
	samples_write_text(folder, "releases/8/rules/a.txt", "no rule");
	assert_false(try().ok);
	assert_non_null(strstr(why, "release 8 cannot be read: No data"));
	make(MARKER, "", "a", "[]");
	(void)snprintf(path, sizeof(path), "%s/releases/8/manifest.json",
		       folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_false(try().ok);
	assert_non_null(strstr(why, "release 8 cannot be read"));
}

static void
test_vectors(void **state)
{
	struct vector vector = { 0 };
	char sum[DIGEST_TEXT_SIZE], path[SAMPLES_PATH_MAX];
	uint8_t *bytes = NULL;
	CLEANUP_FD int fd = -1;

	(void)state;
	pack("some bytes", sum);
	(void)snprintf(path, sizeof(path), "%s/releases/8", folder);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(vector_open(&vector, fd, "none"), 0);
	assert_int_equal(vector.len, 0);
	assert_int_equal(vector_open(&vector, fd, "vectors"), 0);
	assert_int_equal(vector.len, 1);
	assert_int_equal(vector_read(&vector, sum, 10, &bytes), 0);
	assert_memory_equal(bytes, "some bytes", 10);
	free(bytes);
	assert_int_equal(vector_read(&vector, sum, 9, &bytes), -EBADMSG);
	assert_int_equal(vector_read(&vector, sum, 11, &bytes), -EBADMSG);
	assert_int_equal(vector_read(&vector, sum, VECTOR_SIZE_MAX + 1, &bytes),
			 -EFBIG);
	/* Another file's bytes under its name. */
	memset(vector.files[0].sha256, '0', DIGEST_TEXT_SIZE - 1);
	assert_int_equal(vector_read(&vector, vector.files[0].sha256, 10,
				     &bytes),
			 -EBADMSG);
	vector_done(&vector);
}

/* Every cut, every byte too many, and a bomb, which never grows. */
static void
test_unpack(void **state)
{
	static uint8_t packed[4096], unpacked[1 << 20], zeros[1 << 20];
	z_stream stream = { .next_in = zeros,
			    .avail_in = sizeof(zeros),
			    .next_out = packed,
			    .avail_out = sizeof(packed) };

	(void)state;
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	size_t len = stream.total_out;
	(void)deflateEnd(&stream);
	assert_int_equal(unpack_gzip(packed, len, unpacked, sizeof(zeros)), 0);
	assert_int_equal(unpack_gzip(packed, len, unpacked, 1000), -EBADMSG);
	assert_int_equal(unpack_gzip(packed, len, unpacked, 0), -EBADMSG);
	assert_int_equal(unpack_gzip(packed, len + 1, unpacked, sizeof(zeros)),
			 -EBADMSG);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(unpack_gzip(packed, cut, unpacked,
					     sizeof(zeros)),
				 -EBADMSG);
	/* The check sum stands in the last eight bytes. */
	packed[len - 6] ^= 1;
	assert_int_equal(unpack_gzip(packed, len, unpacked, sizeof(zeros)),
			 -EBADMSG);
}

static void
link_current(const char *target)
{
	char path[SAMPLES_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/current", folder);
	(void)unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static void
test_current(void **state)
{
	static const struct {
		const char *target;
		int r;
	} cases[] = {
		{ "releases/8", 0 },
		{ "releases/0", -EINVAL },
		{ "releases/8/", -EINVAL },
		{ "releases/08x", -EINVAL },
		{ "releases/../8", -EINVAL },
		{ "/releases/8", -EINVAL },
		{ "releases/99999999999999999999", -EINVAL },
		{ "releases/", -EINVAL },
	};
	CLEANUP_FD int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct rules rules = { 0 };
	uint64_t number = 0;

	(void)state;
	assert_int_equal(release_current(fd, &number), -ENOENT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		link_current(cases[i].target);
		assert_int_equal(release_current(fd, &number), cases[i].r);
	}
	assert_int_equal(number, 8);
	assert_int_equal(release_add(&rules, fd, 8), -ENOENT);
	samples_write_text(folder, "real/rules/a.yar", MARKER);
	samples_write_text(folder, "releases/.keep", "");
	char path[SAMPLES_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/releases/8", folder);
	/* A folder that is a link is none. */
	assert_int_equal(symlink("../real", path), 0);
	assert_int_equal(release_add(&rules, fd, 8), -ELOOP);
	assert_int_equal(rules.len, 0);
	assert_int_equal(unlink(path), 0);
	make(MARKER, "", "a", "[]");
	assert_int_equal(release_add(&rules, fd, 8), 0);
	assert_int_equal(rules.len, 1);
	assert_string_equal(rules_name(&rules, 0), "release-8/");
	rules_done(&rules);
}

/* The same ones for a seed, others for another, none that others may write. */
static void
test_samples(void **state)
{
	static struct sample first, again, other;
	size_t same = 0;

	(void)state;
	assert_int_equal(sample_open(&first, "/usr", "one"), 0);
	assert_int_equal(sample_open(&again, "/usr", "one"), 0);
	assert_int_equal(sample_open(&other, "/usr", "two"), 0);
	assert_int_equal(first.len, SAMPLE_MAX);
	for (size_t i = 0; i < first.len; i++) {
		struct stat st;
		assert_string_equal(first.files[i].path, again.files[i].path);
		assert_int_equal(fstat(first.files[i].fd, &st), 0);
		assert_int_equal(st.st_uid, 0);
		assert_int_equal(st.st_mode & (S_IFMT | 022), S_IFREG);
		same += strcmp(first.files[i].path, other.files[i].path) == 0;
	}
	assert_true(same < SAMPLE_MAX / 2);
	sample_done(&first);
	sample_done(&again);
	sample_done(&other);
	assert_int_equal(sample_open(&first, folder, "one"), 0);
	assert_int_equal(first.len, 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_cases),   CASE(test_what_cannot_be_read),
		CASE(test_vectors), CASE(test_unpack),
		CASE(test_current), CASE(test_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
