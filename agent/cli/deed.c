/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/deed.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/text.h"
#include "agent/lib/doc.h"
#include "agent/lib/str.h"

#define SECOND_NS 1000000000

/* "10.0.0.1:443", "[2001:db8::1]:443": `end` is "source" or "destination". */
static void
put_end(const struct doc_value *doc, const char *end)
{
	const struct doc_value *one = doc_get(doc, end);
	const char *ip = doc_text_or(one, "ip", "?");
	int64_t port = doc_number_or(one, "port", 0);
	bool six = strchr(ip, ':') != NULL;

	text_printf("%s", six ? "[" : "");
	text_put(ip);
	text_printf("%s", six ? "]" : "");
	if (port)
		text_printf(":%lld", (long long)port);
}

static bool
is_inbound(const struct doc_value *doc)
{
	return str_equal(doc_text_or(doc, "network.direction", ""), "ingress");
}

static void
put_traffic(const struct doc_value *doc)
{
	const char *ours = is_inbound(doc) ? "destination" : "source";
	const char *theirs = is_inbound(doc) ? "source" : "destination";
	int64_t age_ns = doc_number_or(doc, "event.duration", 0);
	char sent[TEXT_SIZE_SIZE], received[TEXT_SIZE_SIZE];

	if (age_ns)
		text_printf(" after %.1f s", (double)age_ns / SECOND_NS);
	text_size(sent,
		  (uint64_t)doc_number_or(doc_get(doc, ours), "bytes", 0));
	text_size(received,
		  (uint64_t)doc_number_or(doc_get(doc, theirs), "bytes", 0));
	text_printf(", %s out, %s in", sent, received);
}

void
deed_put_network(const struct doc_value *doc)
{
	const char *question = doc_text(doc, "dns.question.name");
	int64_t family = doc_number_or(doc, "khien.family", 0);

	if (question) {
		text_put(question);
		text_printf(" ");
		text_put(doc_text_or(doc, "dns.question.type", "?"));
		text_printf(" to ");
	}
	if (family)
		text_printf("address family %lld", (long long)family);
	else
		put_end(doc, is_inbound(doc) ? "source" : "destination");
	if (is_inbound(doc) && !family) {
		text_printf(" to ");
		put_end(doc, "destination");
	}
	if (str_equal(doc_text_or(doc, "event.action", ""), "disconnect"))
		put_traffic(doc);
}

/* "user 1000 to 0", when it is another one. */
static void
put_changed(const char *name, int64_t before, const char *after,
	    const char **comma)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%lld", (long long)before);
	if (!after || before < 0 || str_equal(number, after))
		return;
	text_printf("%s%s %s to ", *comma, name, number);
	text_put(after);
	*comma = ", ";
}

/* The capabilities that came and went. */
static void
put_capabilities(const struct doc_value *doc, const char **comma)
{
	const char *before = doc_text(doc, "khien.old.capabilities");
	const char *after = doc_text(doc, "khien.capabilities");

	if (!before || !after || str_equal(before, after))
		return;
	text_printf("%scapabilities ", *comma);
	text_put(before);
	text_printf(" to ");
	text_put(after);
	*comma = ", ";
}

static void
put_credentials(const struct doc_value *doc)
{
	const struct doc_value *old = doc_get(doc, "khien.old");
	int64_t egid = doc_number_or(doc, "khien.egid", -1);
	const char *comma = "";
	char number[24];

	(void)snprintf(number, sizeof(number), "%lld", (long long)egid);
	put_changed("user", doc_number_or(old, "uid", -1),
		    doc_text(doc, "user.id"), &comma);
	put_changed("effective user", doc_number_or(old, "euid", -1),
		    doc_text(doc, "user.effective.id"), &comma);
	put_changed("group", doc_number_or(old, "gid", -1),
		    doc_text(doc, "group.id"), &comma);
	put_changed("effective group", doc_number_or(old, "egid", -1),
		    egid < 0 ? NULL : number, &comma);
	put_capabilities(doc, &comma);
	if (!*comma)
		text_printf("to what it was");
}

/* One after the other, with spaces between. */
static void
put_word(const char *word, const char **space)
{
	if (!word)
		return;
	text_printf("%s", *space);
	text_put(word);
	*space = " ";
}

void
deed_put_privilege(const struct doc_value *doc)
{
	const char *target = doc_text(doc, "khien.target.executable");
	int64_t pid = doc_number_or(doc, "khien.target.pid", 0);
	const char *value = doc_text(doc, "khien.value_name");
	int64_t number = doc_number_or(doc, "khien.value", -1);
	const char *action = doc_text_or(doc, "event.action", "");
	const char *space = "";

	if (str_equal(action, "credentials") || str_equal(action, "escalate")) {
		put_credentials(doc);
		return;
	}
	put_word(doc_text(doc, "khien.name"), &space);
	put_word(value, &space);
	if (!value && number >= 0) {
		text_printf("%s%lld", space, (long long)number);
		space = " ";
	}
	put_word(doc_text(doc, "file.path"), &space);
	if (pid) {
		text_printf("%sof process %lld", space, (long long)pid);
		space = " ";
	}
	put_word(target, &space);
	if (!*space)
		text_printf("-");
}
