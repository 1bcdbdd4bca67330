/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/cli/print.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"

#define WHO "\"process\":{\"pid\":7,\"executable\":\"/usr/bin/x\"},"
#define ENDS                                                                   \
	"\"source\":{\"ip\":\"10.0.0.2\",\"port\":5000,\"bytes\":512},"        \
	"\"destination\":{\"ip\":\"10.0.0.1\",\"port\":443,\"bytes\":2048},"
#define TARGET "\"target\":{\"pid\":9,\"executable\":\"/usr/bin/y\"}"

/* A record without its time, and the line behind the time. */
static const struct {
	const char *action, *record, *line;
} events[] = {
	{ "exec", WHO "\"file\":{\"path\":\"/usr/bin/x\"}",
	  "exec          7        -          /usr/bin/x" },
	{ "exit", "\"process\":{\"pid\":7,\"exit_code\":3}",
	  "exit          7        -          ?  exit 3" },
	{ "rename", WHO "\"file\":{\"path\":\"/a\",\"target_path\":\"/b\"}",
	  "rename        7        -          /a -> /b  by /usr/bin/x" },
	{ "read", WHO "\"file\":{\"path\":\"/etc/shadow\"}",
	  "read          7        -          /etc/shadow  by /usr/bin/x" },
	{ "loss", "\"khien\":{\"lost_class\":\"bulk\",\"count\":5}",
	  "loss          -        -          5 events of class bulk are missing"
	  " " },
	{ "connect", WHO ENDS "\"network\":{\"direction\":\"egress\"}",
	  "connect       7        -          10.0.0.1:443  by /usr/bin/x" },
	{ "accept", WHO ENDS "\"network\":{\"direction\":\"ingress\"}",
	  "accept        7        -          10.0.0.2:5000 to 10.0.0.1:443"
	  "  by /usr/bin/x" },
	{ "connect", "\"destination\":{\"ip\":\"::1\",\"port\":53}",
	  "connect       -        -          [::1]:53" },
	{ "connect", "\"khien\":{\"family\":40}",
	  "connect       -        -          address family 40" },
	{ "connect", WHO ENDS "\"khien\":{\"count\":3}",
	  "connect       7        -          10.0.0.1:443 (and like it: 3 in"
	  " all)  by /usr/bin/x" },
	{ "connect", "\"khien\":{}", "connect       -        -          ?" },
	{ "disconnect",
	  ENDS "\"network\":{\"direction\":\"egress\"},"
	       "\"event\":{\"duration\":1500000000}",
	  "disconnect    -        -          10.0.0.1:443 after 1.5 s,"
	  " 512 bytes out, 2.0 KiB in" },
	{ "disconnect", ENDS "\"network\":{\"direction\":\"ingress\"}",
	  "disconnect    -        -          10.0.0.2:5000 to 10.0.0.1:443,"
	  " 2.0 KiB out, 512 bytes in" },
	{ "dns",
	  ENDS "\"dns\":{\"question\":{\"name\":\"a\\u001b.example\","
	       "\"type\":\"AAAA\"}}",
	  "dns           -        -          a\\x1b.example AAAA to"
	  " 10.0.0.1:443" },
	{ "credentials",
	  WHO "\"user\":{\"id\":\"0\",\"effective\":{\"id\":\"0\"}},"
	      "\"group\":{\"id\":\"5\"},\"khien\":{\"egid\":5,"
	      "\"capabilities\":\"ff\",\"old\":{\"uid\":1000,\"euid\":0,"
	      "\"gid\":5,\"egid\":6,\"capabilities\":\"00\"}}",
	  "credentials   7        root       user 1000 to 0, effective group"
	  " 6 to 5, capabilities 00 to ff  by /usr/bin/x" },
	{ "escalate", "\"khien\":{\"old\":{}}",
	  "escalate      -        -          to what it was" },
	{ "ptrace",
	  WHO
	  "\"khien\":{\"value\":5,\"value_name\":\"PTRACE_POKEDATA\"," TARGET
	  "}",
	  "ptrace        7        -          PTRACE_POKEDATA of process 9"
	  " /usr/bin/y  by /usr/bin/x" },
	{ "vm_write", "\"khien\":{\"value\":64," TARGET "}",
	  "vm_write      -        -          64 of process 9 /usr/bin/y" },
	{ "memfd_create",
	  "\"khien\":{\"name\":\"m\",\"value\":1,"
	  "\"value_name\":\"MFD_CLOEXEC\"}",
	  "memfd_create  -        -          m MFD_CLOEXEC" },
	{ "module_unload", "\"khien\":{\"name\":\"m\"}",
	  "module_unload -        -          m" },
	{ "module_load",
	  "\"khien\":{\"name\":\"m\"},\"file\":{\"path\":\"/m.ko\"}",
	  "module_load   -        -          m /m.ko" },
	{ "chroot", "\"file\":{\"path\":\"/jail\"}",
	  "chroot        -        -          /jail" },
	{ "setns", "\"khien\":{}", "setns         -        -          -" },
};

/* What one record prints. */
static void
print(const char *text, void (*fn)(const struct doc_value *doc), char *dst,
      size_t size)
{
	struct doc *doc = NULL;
	char why[160];

	if (doc_parse(text, strlen(text), &doc, why, sizeof(why)) < 0)
		fail_msg("%s: %s", text, why);
	(void)fflush(stdout);
	CLEANUP_FD int saved = dup(STDOUT_FILENO);
	CLEANUP_FD int fd = memfd_create("out", MFD_CLOEXEC);
	assert_true(saved >= 0 && fd >= 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	fn(doc_root(doc));
	(void)fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	ssize_t len = pread(fd, dst, size - 1, 0);
	assert_true(len >= 0);
	dst[len] = '\0';
	doc_free(doc);
}

static void
test_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		char text[1024], expected[1024], line[1024];
		/* One object may not have a name twice. */
		const char *more = strstr(events[i].record, "\"event\":{");
		(void)snprintf(text, sizeof(text), "{%s}", events[i].record);
		if (more)
			(void)snprintf(text, sizeof(text),
				       "{%.*s\"event\":{\"action\":\"%s\",%s}",
				       (int)(more - events[i].record),
				       events[i].record, events[i].action,
				       more + strlen("\"event\":{"));
		else
			(void)snprintf(text, sizeof(text),
				       "{\"event\":{\"action\":\"%s\"},%s}",
				       events[i].action, events[i].record);
		(void)snprintf(expected, sizeof(expected), "%-22s%s\n", "-",
			       events[i].line);
		print(text, print_event, line, sizeof(line));
		if (strcmp(line, expected) != 0)
			fail_msg("case %zu:\n%s%s", i, line, expected);
	}
}

static void
test_behaviour(void **state)
{
	char line[1024];

	(void)state;
	print("{\"event\":{\"id\":\"b-detection-1\"},"
	      "\"khien\":{\"severity\":\"critical\"},"
	      "\"rule\":{\"name\":\"behaviour_escalation\","
	      "\"description\":\"what it is\"},\"process\":{\"pid\":7}}",
	      print_detection, line, sizeof(line));
	assert_non_null(strstr(line, "behaviour_escalation      what it is\n"));
	assert_non_null(strstr(line, "\n    b-detection-1\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_behaviour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
