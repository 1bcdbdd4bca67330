/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels that refuse a program: libbpf's calls stand here once more and play
 * them.  What is left is loaded into the real kernel and has to work.
 */
#include "agent/sensor/probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/event.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/sensor/prototype.h"
#include "agent/sensor/reach.h"
#include "agent/sensor/report.h"
#include "agent/sensor/stream.h"
#include "agent/sensor/tier.h"
#include "agent/sensor/window.h"
#include "kernel/khien_abi.h"

#define ROUNDS 20 /* of a full window each: more than the rings hold */

enum refusal {
	NOTHING,
	LOAD,
	ATTACH,
	EVERYTHING,
};

static enum refusal refusal;
static const char *refused;

/* As the kernel: with one bad program, the object is not loaded. */
int
bpf_object__load(struct bpf_object *object)
{
	int (*load)(struct bpf_object *) = dlsym(RTLD_NEXT, __func__);
	struct bpf_program *program = NULL;

	if (refusal == LOAD)
		program = bpf_object__find_program_by_name(object, refused);
	if (refusal == EVERYTHING ||
	    (program && bpf_program__autoload(program))) {
		errno = EPERM;
		return -EPERM;
	}
	return load(object);
}

int
bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size,
	       __u32 value_size, __u32 len,
	       const struct bpf_map_create_opts *opts)
{
	int (*create)(enum bpf_map_type, const char *, __u32, __u32, __u32,
		      const struct bpf_map_create_opts *) =
		dlsym(RTLD_NEXT, __func__);

	if (refusal == EVERYTHING) {
		errno = EPERM;
		return -EPERM;
	}
	return create(type, name, key_size, value_size, len, opts);
}

static bool
is_refused(const struct bpf_program *program)
{
	errno = EPERM;
	return refusal == ATTACH &&
	       strcmp(bpf_program__name(program), refused) == 0;
}

struct bpf_link *
bpf_program__attach(const struct bpf_program *program)
{
	struct bpf_link *(*attach)(const struct bpf_program *) =
		dlsym(RTLD_NEXT, __func__);

	return is_refused(program) ? NULL : attach(program);
}

struct bpf_link *
bpf_program__attach_cgroup(const struct bpf_program *program, int fd)
{
	struct bpf_link *(*attach)(const struct bpf_program *, int) =
		dlsym(RTLD_NEXT, __func__);

	return is_refused(program) ? NULL : attach(program, fd);
}

/* What a sensor has, without its peers. */
struct sensor {
	struct probe_wanted wanted;
	struct probe probe;
	struct window window;
	struct stream stream;
	int fd;
	bool seen[PROGRAMS];
};

static struct sensor sensor;

/* A type that a program tells; none of those that tell nothing by themselves,
   or only what act() does not do. */
static const uint16_t types[PROGRAMS] = {
	[PROGRAM_PROCESS_FORK] = EVENT_FORK,
	[PROGRAM_PROCESS_EXEC] = EVENT_EXEC,
	[PROGRAM_PROCESS_EXIT] = EVENT_EXIT,
	[PROGRAM_PROCESS_SEED] = EVENT_SEED,
	[PROGRAM_FILE_CALL] = EVENT_CREATE,
	[PROGRAM_NET_STATE] = EVENT_CONNECT,
	[PROGRAM_NET_ACCEPT] = EVENT_ACCEPT,
	[PROGRAM_NET_EGRESS] = EVENT_DATAGRAM,
	[PROGRAM_PRIVILEGE_CALL] = EVENT_CHROOT,
};

/* Of another form than this kernel's; known once all were loaded. */
static bool unneeded[PROGRAMS];

/* Why this machine has none of tier L; 0: it has them. */
static int32_t tier;

static bool
is_refused_tier(size_t program)
{
	return tier != 0 && programs_get(program)->hook;
}

/* Whether the program is to be there: this kernel's form, and switched on. */
static bool
is_due(size_t program)
{
	return sensor.probe.errors[program] != PROGRAMS_UNNEEDED &&
	       !is_refused_tier(program) &&
	       probe_is_wanted(sensor.wanted, program);
}

/* Everything, or what is switched with the program that will be absent. */
static struct probe_wanted
choose(size_t absent)
{
	uint8_t of = absent < PROGRAMS ? programs_get(absent)->sensor :
					 PROGRAMS_ALWAYS;
	bool all = of == PROGRAMS_ALWAYS;

	return (struct probe_wanted){
		.process = all || of == PROGRAMS_OF_PROCESS,
		.file = all || of == PROGRAMS_OF_FILE,
		.network = all || of == PROGRAMS_OF_NETWORK,
		.privilege = all || of == PROGRAMS_OF_PRIVILEGE,
		.guard = all || of == PROGRAMS_OF_GUARD,
	};
}

static void
open_sensor(size_t absent)
{
	struct probe_wanted wanted = choose(absent);

	sensor = (struct sensor){ .fd = -1, .wanted = wanted };
	assert_int_equal(probe_init(&sensor.probe), 0);
	assert_int_equal(probe_load(&sensor.probe, wanted, NULL, 0), 0);
	assert_int_equal(
		window_new(&sensor.window,
			   (size_t)KHIEN_NUMBERINGS(sensor.probe.cpus) *
				   KHIEN_CLASSES,
			   0, &sensor.fd),
		0);
	assert_int_equal(stream_open(&sensor.stream, &sensor.window,
				     sensor.probe.maps, PROBE_RING_SIZE),
			 0);
}

static void
close_sensor(void)
{
	stream_close(&sensor.stream);
	window_done(&sensor.window);
	probe_done(&sensor.probe);
	file_closep(&sensor.fd);
}

/* A datagram to itself, and a connection that it accepts. */
static bool
talk(void)
{
	struct sockaddr_in end = { .sin_family = AF_INET };
	socklen_t len = sizeof(end);
	struct sockaddr *any = (struct sockaddr *)&end;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	end.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return bind(listener, any, len) == 0 && listen(listener, 1) == 0 &&
	       getsockname(listener, any, &len) == 0 &&
	       connect(stream, any, len) == 0 &&
	       accept(listener, NULL, NULL) >= 0 &&
	       sendto(datagram, "x", 1, 0, any, len) == 1;
}

/* A process that does one thing of every kind, and so is told of each. */
static uint32_t
act(const char *path)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) >= 0 &&
		    talk() && chroot("/") == 0)
			(void)execl("/bin/true", "true", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return (uint32_t)child;
}

static bool
is_own(void *arg, const struct event *event)
{
	(void)arg;
	return event->pid != (uint32_t)getpid();
}

static void
read_seeds(void)
{
	CLEANUP_FD int fd = probe_open_seeds(&sensor.probe);

	if (fd < 0) {
		assert_int_equal(fd, -ENOENT);
		return;
	}
	assert_int_equal(seed_read(&sensor.stream.seeds, fd, is_own, NULL), 0);
}

static void
mark_seen(const struct event *event, uint32_t pid)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		uint32_t whose =
			types[i] == EVENT_SEED ? (uint32_t)getpid() : pid;
		/* Without one of its programs it is nobody's. */
		if (event->type == EVENT_DATAGRAM && event->pid == 0)
			whose = 0;
		if (event->type == types[i] && event->pid == whose)
			sensor.seen[i] = true;
	}
}

static void
receive(struct buf *out, uint32_t pid)
{
	struct msg_events head;
	struct event event;
	struct buf in;
	uint16_t type;

	assert_int_equal(msg_end(out), 0);
	assert_int_equal(msg_open(&in, out->bytes, out->at, &type), 0);
	assert_int_equal(msg_get_events(&in, &head), 0);
	for (uint32_t i = 0; i < head.len; i++) {
		assert_int_equal(event_get(&in, &event), 0);
		mark_seen(&event, pid);
	}
	assert_true(buf_done(&in));
	window_sent(&sensor.window);
	assert_int_equal(window_ack(&sensor.window, head.number), 0);
}

static void
drain(uint32_t pid)
{
	struct buf out;

	for (int i = 0; i < ROUNDS; i++) {
		assert_true(stream_drain(&sensor.stream) >= 0);
		while (window_next(&sensor.window, &out))
			receive(&out, pid);
	}
	assert_int_equal(sensor.stream.malformed, 0);
}

/* The value of `programs.NAME` as `status` will show it. */
static void
read_status(size_t program, char *dst, size_t size)
{
	static uint8_t bytes[MSG_MAX];
	struct report report = { 0 };
	struct reach reach = { 0 };
	struct buf out, in;
	const char *name, *value;
	char wanted[64];
	uint16_t type;

	(void)snprintf(wanted, sizeof(wanted), "programs.%s",
		       programs_get(program)->name);
	dst[0] = '\0';
	msg_begin(&out, bytes, sizeof(bytes), MSG_STATUS);
	assert_true(report_put(&report, &out, &sensor.stream, &reach,
			       sensor.probe.errors));
	assert_int_equal(msg_end(&out), 0);
	assert_int_equal(msg_open(&in, out.bytes, out.at, &type), 0);
	while (msg_get_pair(&in, &name, &value) > 0)
		if (strcmp(name, wanted) == 0)
			(void)snprintf(dst, size, "%s", value);
}

static void
assert_status(size_t program, bool absent)
{
	char said[512], wanted[512] = "attached";

	read_status(program, said, sizeof(said));
	if (absent)
		(void)snprintf(wanted, sizeof(wanted),
			       "absent: Operation not permitted; not seen: %s",
			       programs_get(program)->cost);
	assert_string_equal(said, wanted);
}

/* All programs but `absent`, which may be none of them. */
static void
check(size_t absent)
{
	char folder[] = "/tmp/khien-probe-XXXXXX";
	char path[64];

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/made", folder);
	open_sensor(absent);
	for (size_t i = 0; i < PROGRAMS; i++) {
		unneeded[i] = sensor.probe.errors[i] == PROGRAMS_UNNEEDED;
		if (is_refused_tier(i) && probe_is_wanted(sensor.wanted, i))
			assert_int_equal(sensor.probe.errors[i], tier);
		if (!is_due(i))
			continue;
		assert_int_equal(sensor.probe.errors[i],
				 i == absent ? EPERM : 0);
		assert_int_equal(sensor.probe.links[i] < 0, i == absent);
		assert_status(i, i == absent);
	}
	read_seeds();
	drain(act(path));
	for (size_t i = 0; i < PROGRAMS; i++)
		if (types[i] && sensor.seen[i] != (is_due(i) && i != absent))
			fail_msg("%s, without %s: %s", programs_get(i)->name,
				 absent < PROGRAMS ?
					 programs_get(absent)->name :
					 "none",
				 sensor.seen[i] ? "seen" : "not seen");
	close_sensor();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
test_nothing_refused(void **state)
{
	(void)state;
	refusal = NOTHING;
	check(PROGRAMS);
}

/* The first of each object; with KHIEN_EVERY=1 all of them. */
static bool
is_tried(size_t program)
{
	if (unneeded[program] || is_refused_tier(program))
		return false;
	return getenv("KHIEN_EVERY") || program == 0 ||
	       programs_get(program - 1)->object !=
		       programs_get(program)->object;
}

static void
test_load_refused(void **state)
{
	(void)state;
	refusal = LOAD;
	for (size_t i = 0; i < PROGRAMS; i++) {
		refused = programs_get(i)->name;
		if (is_tried(i))
			check(i);
	}
}

static void
test_attach_refused(void **state)
{
	(void)state;
	refusal = ATTACH;
	for (size_t i = 0; i < PROGRAMS; i++) {
		refused = programs_get(i)->name;
		/* The other two are called by others: they hang on nothing. */
		if (is_tried(i) && i != PROGRAM_PRIVILEGE_CALL &&
		    i != PROGRAM_PRIVILEGE_MAPPING)
			check(i);
	}
}

/* There are no maps either, and each program is absent by the same. */
static void
test_everything_refused(void **state)
{
	struct probe_wanted wanted = { .process = true, .file = true };
	struct probe probe;

	(void)state;
	refusal = EVERYTHING;
	assert_int_equal(probe_init(&probe), 0);
	assert_int_equal(probe_load(&probe, wanted, NULL, 0), 0);
	for (size_t i = 0; i < PROBE_MAPS; i++)
		assert_int_equal(probe.maps[i], -1);
	for (size_t i = 0; i < PROGRAMS; i++)
		if (!probe_is_wanted(wanted, i))
			assert_int_equal(probe.errors[i], ECANCELED);
		else if (probe.errors[i] != PROGRAMS_UNNEEDED)
			assert_string_equal(programs_why(probe.errors[i]),
					    "bpf(2) is refused: "
					    "Operation not permitted");
	probe_done(&probe);
}

static void
test_switched_off(void **state)
{
	struct probe_wanted wanted = { .process = true, .file = false };
	struct probe probe;

	(void)state;
	refusal = NOTHING;
	assert_int_equal(probe_init(&probe), 0);
	assert_int_equal(probe_load(&probe, wanted, NULL, 0), 0);
	for (size_t i = 0; i < PROGRAMS; i++)
		if (!probe_is_wanted(wanted, i))
			assert_int_equal(probe.errors[i], ECANCELED);
		else if (probe.errors[i] != PROGRAMS_UNNEEDED)
			assert_int_equal(probe.errors[i],
					 is_refused_tier(i) ? tier : 0);
	probe_done(&probe);
}

static void
find_tier(void)
{
	struct prototype *prototype CLEANUP(prototype_closep) = NULL;
	int r = prototype_open(&prototype);

	tier = r < 0 ? -r : tier_try(prototype);
	if (tier)
		printf("tier L: %s: its programs are not tried\n",
		       programs_why(tier));
}

int
main(void)
{
	find_tier();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_refused),
		cmocka_unit_test(test_load_refused),
		cmocka_unit_test(test_attach_refused),
		cmocka_unit_test(test_everything_refused),
		cmocka_unit_test(test_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
