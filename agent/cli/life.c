/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/life.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "agent/cli/text.h"
#include "agent/lib/doc.h"
#include "agent/lib/str.h"

#define LABEL_WIDTH 12
#define BLIND "khien.blind"
#define NAMED_MAX 8

static void
put_proof(const struct doc_value *doc, const char *name)
{
	char path[64];
	int64_t age_s;

	(void)snprintf(path, sizeof(path), "khien.proof.%s", name);
	const struct doc_value *one = doc_get(doc, path);
	const char *state = doc_text_or(one, "state", "not heard of");

	text_printf("%s ", name);
	if (str_equal(state, "failed"))
		text_printf("FAILED");
	else if (!str_equal(state, "ok"))
		text_put(state);
	if (doc_number(one, "age_s", &age_s) == 0)
		text_printf("%s%" PRId64 " s ago",
			    str_equal(state, "ok") ? "" : ", the last ", age_s);
}

void
life_proofs(const struct doc_value *doc)
{
	static const char *const names[] = { "sensor", "scanner", "store" };

	if (!doc_get(doc, "khien.proof"))
		return;
	text_column("proofs", LABEL_WIDTH);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		text_printf("%s", i ? ", " : "");
		put_proof(doc, names[i]);
	}
	text_printf("\n");
}

/* The first texts of a list, and how many more there are. */
static void
put_some(const struct doc_value *doc, const char *path, int64_t len)
{
	size_t named = doc_len(doc, path);

	if (named > NAMED_MAX)
		named = NAMED_MAX;
	for (size_t i = 0; i < named; i++) {
		const char *text = doc_text(doc_item(doc, path, i), NULL);
		text_printf("%s", i ? ", " : "");
		text_put(text ? text : "?");
	}
	if (len > (int64_t)named)
		text_printf("%s%" PRId64 "%s", named ? " and " : "",
			    len - (int64_t)named, named ? " more" : "");
}

void
life_blind(const struct doc_value *doc)
{
	size_t len = doc_len(doc, BLIND);

	for (size_t i = 0; i < len; i++) {
		const struct doc_value *one = doc_item(doc, BLIND, i);
		int64_t rules = doc_number_or(one, "rules_len", 0);

		text_column(i ? "" : "blind", LABEL_WIDTH);
		text_put(doc_text_or(one, "sensor", "?"));
		text_printf(": ");
		text_put(doc_text_or(one, "because", "?"));
		text_printf("\n");
		text_column("", LABEL_WIDTH);
		text_printf(doc_true(one, "partly") ? "  may cost " :
						      "  costs ");
		if (doc_len(one, "kinds"))
			put_some(one, "kinds", (int64_t)doc_len(one, "kinds"));
		else if (!doc_len(one, "scans"))
			text_put(doc_text_or(one, "costs", "?"));
		if (doc_len(one, "scans")) {
			text_printf(doc_len(one, "kinds") ? "; scans at " :
							    "scans at ");
			put_some(one, "scans", (int64_t)doc_len(one, "scans"));
		}
		if (rules) {
			text_printf(doc_true(one, "partly") ?
					    "; rules that may miss it: " :
					    "; rules that cannot fire: ");
			put_some(one, "rules", rules);
		}
		text_printf("\n");
	}
}
