/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/manifest.h"
#include "updater/repo/repo.h"
#include "updater/repo/run.h"
#include "updater/repo/slow.h"
#include "updater/tuf/reason.h"

#define WHY_SIZE 200
#define TOLD_MAX 100 /* findings of one kind that are told */
#define UUID_LEN 36

/* Absolute paths: khien-scan's own folder may be another. */
struct places {
	char rules[PATH_MAX], vectors[PATH_MAX];
};

void
trial_find(struct doc *findings, const char *kind, const char *path,
	   const char *format, ...)
{
	CLEANUP_FREE char *text = NULL;
	struct doc *one = doc_new();
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	doc_set_text(one, "kind", kind);
	doc_set_text(one, "path", path);
	doc_set_text(one, "text", text ? text : "");
	doc_add(findings, NULL, one);
}

static int
find_places(const struct trial *trial, struct places *places)
{
	char base[PATH_MAX];

	int r = file_path(trial->repo->dir, base, sizeof(base));
	if (r == 0 &&
	    (snprintf(places->rules, PATH_MAX, "%s/" TRIAL_FOLDER "/rules",
		      base) >= PATH_MAX ||
	     snprintf(places->vectors, PATH_MAX, "%s/" TRIAL_FOLDER "/vectors",
		      base) >= PATH_MAX))
		r = -ENAMETOOLONG;
	return r < 0 ? reason_set(trial->why, r, TRIAL_FOLDER ": %s",
				  strerror(-r)) :
		       0;
}

/* Calls fn for each line that is an object. */
static int
each_line(char *text, int (*fn)(void *arg, const struct doc_value *line),
	  void *arg)
{
	char *rest = NULL;
	int r = 0;

	for (char *line = strtok_r(text, "\n", &rest); line && r == 0;
	     line = strtok_r(NULL, "\n", &rest)) {
		CLEANUP(doc_freep) struct doc *doc = NULL;
		char why[WHY_SIZE];
		r = doc_parse(line, strlen(line), &doc, why, sizeof(why));
		if (r == -EINVAL)
			r = -EBADMSG;
		if (r == 0)
			r = fn(arg, doc_root(doc));
	}
	return r;
}

/* What it complains of, a finding a line: without where we unpacked it. */
static void
find_errors(const struct trial *trial, const char *kind, char *said)
{
	char *rest = NULL;
	size_t len = 0;

	for (char *line = strtok_r(said, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *inside = strstr(line, TRIAL_FOLDER "/");
		if (++len > TOLD_MAX)
			break;
		trial_find(trial->findings, kind, "", "%s",
			   inside ? inside + strlen(TRIAL_FOLDER "/") : line);
	}
}

/* Rules that were seen before, by their ids. */
struct roster {
	const struct trial *trial;
	struct doc *ids; /* flat */
};

static bool
is_uuid(const char *text)
{
	if (strlen(text) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ?
			    text[i] != '-' :
			    !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return true;
}

static bool
has_name(const struct doc_value *value, const char *path, const char *name)
{
	for (size_t i = 0; i < doc_len(value, path); i++)
		if (str_equal(doc_text(doc_item(value, path, i), NULL), name))
			return true;
	return false;
}

/* What khien-scan misses in it, besides what is looked for here. */
static void
look_at_lacks(struct doc *findings, const struct doc_value *rule)
{
	const char *name = doc_text_or(rule, "rule.name", "");
	static const struct {
		const char *name, *text;
	} words[] = {
		{ "severity", "severity that is one of the five words" },
		{ "author", "author" },
		{ "date", "date of the form YYYY-MM-DD" },
		{ "false_positives", "false_positives" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (has_name(rule, "khien.lacks", words[i].name))
			trial_find(findings, "metadata",
				   doc_text_or(rule, "rule.ruleset", ""),
				   "rule %s has no %s", name, words[i].text);
}

static int
look_at_rule(void *arg, const struct doc_value *rule)
{
	struct roster *roster = arg;
	struct doc *findings = roster->trial->findings;
	const char *name = doc_text_or(rule, "rule.name", "");
	const char *path = doc_text_or(rule, "rule.ruleset", "");
	const char *id = doc_text_or(rule, "rule.uuid", "");
	const char *other =
		doc_text(doc_member(doc_root(roster->ids), id), NULL);

	if (!is_uuid(id))
		trial_find(findings, "metadata", path,
			   "rule %s has no id that is a UUID", name);
	else if (other)
		trial_find(findings, "duplicate", path,
			   "rule %s has the same id as rule %s", name, other);
	else
		doc_set_text(roster->ids, id, name);
	if (!doc_text_or(rule, "rule.description", "")[0])
		trial_find(findings, "metadata", path,
			   "rule %s has no description", name);
	if (!doc_len(rule, "threat.technique.id"))
		trial_find(findings, "metadata", path,
			   "rule %s has no attack (a technique of ATT&CK)",
			   name);
	look_at_lacks(findings, rule);
	return 0;
}

static int
scan(const struct trial *trial, const char *const *args,
     struct run_result *result)
{
	return run_scan(args, result, trial->why);
}

static int
unreadable(const struct trial *trial, int r)
{
	return reason_set(trial->why, r,
			  "khien-scan's output is not understood: do it and "
			  "khien-repo differ in version?");
}

/* Whether they compile, and what they say. */
static int
try_rules(struct trial *trial, const struct places *places)
{
	const char *const args[] = { "-r", places->rules, "--list", NULL };
	CLEANUP(run_done) struct run_result result = { 0 };
	CLEANUP(doc_freep) struct doc *ids = doc_new_flat();
	struct roster roster = { trial, ids };

	int r = scan(trial, args, &result);
	if (r < 0)
		return r;
	/* Every later run would say the same again. */
	trial->broken = result.said[0];
	find_errors(trial, "compile", result.said);
	r = each_line(result.out, look_at_rule, &roster);
	return r < 0 ? unreadable(trial, r) : 0;
}

/* What matched the vectors: a flat object by number, each a list of names. */
struct hits {
	struct doc *all;
};

static int
add_hit(void *arg, const struct doc_value *match)
{
	struct hits *hits = arg;
	const char *path = doc_text_or(match, "file.path", "");
	const char *slash = strrchr(path, '/');

	doc_add_text(hits->all, slash ? slash + 1 : path,
		     doc_text_or(match, "rule.name", ""));
	return 0;
}

static void
look_at_vector(const struct trial *trial, const struct manifest_vector *vector,
	       const struct doc_value *matches)
{
	for (size_t i = 0; i < vector->matches_len; i++)
		if (!has_name(matches, NULL, vector->matches[i]))
			trial_find(trial->findings, "vector", vector->name,
				   "rule %s does not match it",
				   vector->matches[i]);
	if (!vector->matches_len && doc_len(matches, NULL))
		trial_find(trial->findings, "vector", vector->name,
			   "is clean, and rule %s matches it",
			   doc_text_or(doc_item(matches, NULL, 0), NULL, ""));
}

static int
try_vectors(const struct trial *trial, const struct places *places)
{
	const char *const args[] = { "-r", places->rules, "-f", places->vectors,
				     NULL };
	CLEANUP(run_done) struct run_result result = { 0 };
	CLEANUP(doc_freep) struct doc *all = doc_new_flat();
	struct hits hits = { all };

	if (!trial->manifest->vectors_len) {
		trial_find(trial->findings, "vector", "",
			   "there are none: an agent could not tell whether "
			   "the release works; stage --vectors DIR");
		return 0;
	}
	int r = scan(trial, args, &result);
	if (r == 0 && each_line(result.out, add_hit, &hits) < 0)
		r = unreadable(trial, -EBADMSG);
	if (r < 0)
		return r;
	if (!trial->broken)
		find_errors(trial, "scan", result.said);
	for (size_t i = 0; i < trial->manifest->vectors_len; i++) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%zu", i);
		look_at_vector(trial, &trial->manifest->vectors[i],
			       doc_member(doc_root(all), number));
	}
	return 0;
}

struct goods {
	const struct trial *trial;
	size_t len;
};

static int
find_good(void *arg, const struct doc_value *match)
{
	struct goods *goods = arg;

	if (goods->len++ < TOLD_MAX)
		trial_find(goods->trial->findings, "false positive",
			   doc_text_or(match, "file.path", ""),
			   "rule %s of %s matches it",
			   doc_text_or(match, "rule.name", ""),
			   doc_text_or(match, "rule.ruleset", ""));
	return 0;
}

static int
try_good(const struct trial *trial, const struct places *places)
{
	const char *const args[] = { "-r", places->rules, "-f", trial->good,
				     NULL };
	CLEANUP(run_done) struct run_result result = { 0 };
	struct goods goods = { .trial = trial };

	int r = scan(trial, args, &result);
	if (r == 0 && each_line(result.out, find_good, &goods) < 0)
		r = unreadable(trial, -EBADMSG);
	if (r == 0 && goods.len > TOLD_MAX)
		trial_find(trial->findings, "false positive", trial->good,
			   "and %zu more", goods.len - TOLD_MAX);
	if (r == 0 && !trial->broken)
		find_errors(trial, "scan", result.said);
	return r;
}

int
trial_run(struct trial *trial)
{
	struct places places;

	int r = find_places(trial, &places);
	if (r == 0)
		r = try_rules(trial, &places);
	if (r == 0)
		r = try_vectors(trial, &places);
	if (r == 0 && trial->good)
		r = try_good(trial, &places);
	if (r == 0 && trial->good)
		r = slow_find(trial, places.rules);
	return r;
}
