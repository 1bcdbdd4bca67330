/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/life.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/text.h"
#include "agent/lib/absence.h"
#include "agent/lib/doc.h"
#include "agent/lib/str.h"

#define LABEL_WIDTH 12
#define BLIND "khien.blind"
#define NAMED_MAX 8
#define CAUSES_MAX 8
#define CAUSE_MAX 256

/* Of absent programs; all after the first CAUSES_MAX go with the last. */
struct cause {
	struct absence absence; /* of one of them */
	size_t programs;
};

struct sensors {
	size_t attached, absent, causes_len;
	struct cause causes[CAUSES_MAX];
	struct cause *print; /* names of its programs are printed, or NULL */
	size_t printed;
};

static struct cause *
find_cause(struct sensors *sensors, const struct absence *absence)
{
	struct cause *one = sensors->causes;

	for (size_t i = 0; i < sensors->causes_len; i++, one++)
		if (i == CAUSES_MAX - 1 ||
		    absence_has_cause(&one->absence, absence))
			return one;
	sensors->causes_len++;
	one->absence = *absence;
	return one;
}

static int
count_sensor(void *arg, const char *name, const struct doc_value *value)
{
	struct sensors *sensors = arg;
	const char *state = doc_text(value, NULL);
	struct absence absence;

	(void)name;
	if (!state)
		return 0;
	sensors->attached += str_equal(state, "attached");
	/* Where another program does the same on this kernel, none is. */
	if (!absence_read(state, &absence))
		return 0;
	sensors->absent++;
	find_cause(sensors, &absence)->programs++;
	return 0;
}

static int
print_sensor(void *arg, const char *name, const struct doc_value *value)
{
	struct sensors *sensors = arg;
	const char *state = doc_text(value, NULL);
	struct absence absence;

	if (!state || !absence_read(state, &absence) ||
	    find_cause(sensors, &absence) != sensors->print ||
	    ++sensors->printed > NAMED_MAX)
		return 0;
	text_printf(sensors->printed > 1 ? ", " : ": ");
	text_put(name ? name : "?");
	return 0;
}

void
life_sensors(const struct doc_value *doc)
{
	const struct doc_value *programs =
		doc_get(doc, "khien.sensor.programs");
	struct sensors sensors = { 0 };

	text_column("sensors", LABEL_WIDTH);
	(void)doc_each(programs, NULL, count_sensor, &sensors);
	if (!programs) {
		text_printf("not heard of\n");
		return;
	}
	text_printf("%zu attached, %zu absent\n", sensors.attached,
		    sensors.absent);
	for (size_t i = 0; i < sensors.causes_len; i++) {
		struct cause *cause = &sensors.causes[i];
		char why[CAUSE_MAX];

		sensors.print = cause;
		sensors.printed = 0;
		text_column("", LABEL_WIDTH);
		(void)snprintf(why, sizeof(why), "%.*s",
			       (int)cause->absence.cause_len,
			       cause->absence.cause);
		text_put(why);
		(void)doc_each(programs, NULL, print_sensor, &sensors);
		if (cause->programs > NAMED_MAX)
			text_printf(" and %zu more",
				    cause->programs - NAMED_MAX);
		text_printf("\n");
	}
}

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

/* A part of a sensor that somebody switched off has nothing of its own to say:
   it stands among the sensors. */
static bool
is_worth_saying(const struct doc_value *gap)
{
	return doc_len(gap, "kinds") || doc_len(gap, "scans") ||
	       !str_equal(doc_text_or(gap, "because", ""), "switched off");
}

/* Each says who is blind; why, once for all in a row. */
static void
put_gap(const struct doc_value *gap, const char *label, bool says_why)
{
	bool partly = doc_true(gap, "partly");
	bool kinds = doc_len(gap, "kinds") > 0;
	int64_t rules = doc_number_or(gap, "rules_len", 0);

	if (says_why) {
		text_column(label, LABEL_WIDTH);
		text_put(doc_text_or(gap, "because", "?"));
		text_printf("\n");
	}
	text_column("", LABEL_WIDTH);
	text_printf("  ");
	text_put(doc_text_or(gap, "sensor", "?"));
	text_printf(partly ? " may cost " : " costs ");
	put_some(gap, "kinds", (int64_t)doc_len(gap, "kinds"));
	if (doc_len(gap, "scans")) {
		text_printf(kinds ? "; scans at " : "scans at ");
		put_some(gap, "scans", (int64_t)doc_len(gap, "scans"));
	} else if (!kinds) {
		text_put(doc_text_or(gap, "costs", "what it sees"));
	}
	if (rules) {
		text_printf(partly ? "; rules that may miss it: " :
				     "; rules that cannot fire: ");
		put_some(gap, "rules", rules);
	}
	text_printf("\n");
}

void
life_blind(const struct doc_value *doc)
{
	const char *label = "blind", *why = "";

	for (size_t i = 0; i < doc_len(doc, BLIND); i++) {
		const struct doc_value *gap = doc_item(doc, BLIND, i);

		if (!is_worth_saying(gap))
			continue;
		const char *because = doc_text_or(gap, "because", "?");
		put_gap(gap, label, !str_equal(because, why));
		label = "";
		why = because;
	}
}
