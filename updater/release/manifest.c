/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/blob.h"
#include "updater/release/format.h"
#include "updater/release/index.h"
#include "updater/release/path.h"
#include "updater/release/text.h"
#include "updater/tuf/date.h"
#include "updater/tuf/reason.h"

#define SHOWN 64 /* bytes of a stranger's name in a reason */

struct manifest *
manifest_new(void)
{
	return calloc(1, sizeof(struct manifest));
}

static void
done_vector(struct manifest_vector *vector)
{
	for (size_t i = 0; i < vector->matches_len; i++)
		free(vector->matches[i]);
	free(vector->matches);
}

void
manifest_free(struct manifest *manifest)
{
	if (!manifest)
		return;
	for (size_t i = 0; i < manifest->vectors_len; i++)
		done_vector(&manifest->vectors[i]);
	free(manifest->vectors);
	free(manifest->rules);
	free(manifest);
}

void
manifest_freep(struct manifest **manifest)
{
	manifest_free(*manifest);
	*manifest = NULL;
}

/*
 * Room for one more, zeroed, in a list that doubles whenever its length is a
 * power of two.  NULL: no memory.
 */
static void *
grow(void *list, size_t len, size_t size)
{
	if (len & (len - 1))
		return list;
	return reallocarray(list, len ? 2 * len : 1, size);
}

/* Adding: what one entry may get wrong. */

/* Says which entry it is about. */
static int
bad(struct reason *why, const char *kind, const char *name, const char *what)
{
	return reason_set(why, -EBADMSG, "has the %s \"%.*s\" %s", kind, SHOWN,
			  name, what);
}

int
manifest_add_rule(struct manifest *manifest, const char *path,
		  const char *sha256, uint64_t size, struct reason *why)
{
	int r = path_check(path, why);

	if (r < 0)
		return r;
	if (!blob_is_sum(sha256))
		return bad(why, "rule file", path, "without a SHA-256");
	if (size > MANIFEST_RULES_SIZE_MAX)
		return bad(why, "rule file", path, "which is too large");
	if (manifest->rules_len == MANIFEST_RULES_MAX)
		return reason_set(why, -EBADMSG, "has more than %d rule files",
				  MANIFEST_RULES_MAX);
	struct manifest_rule *rules =
		grow(manifest->rules, manifest->rules_len, sizeof(rules[0]));
	if (!rules)
		return -ENOMEM;
	manifest->rules = rules;
	struct manifest_rule *rule = &rules[manifest->rules_len++];
	(void)str_copy(rule->path, sizeof(rule->path), path);
	(void)str_copy(rule->sha256, sizeof(rule->sha256), sha256);
	rule->size = size;
	return 0;
}

int
manifest_add_vector(struct manifest *manifest, const char *name,
		    const char *sha256, uint64_t size, struct reason *why)
{
	if (!text_is_line(name, MANIFEST_NAME_MAX) || strchr(name, '/'))
		return bad(why, "vector", name,
			   "whose name is empty, too long, not UTF-8, or has "
			   "a character that no name has");
	if (!blob_is_sum(sha256))
		return bad(why, "vector", name, "without a SHA-256");
	if (size > MANIFEST_VECTOR_SIZE_MAX)
		return bad(why, "vector", name, "which is too large");
	if (manifest->vectors_len == MANIFEST_VECTORS_MAX)
		return reason_set(why, -EBADMSG, "has more than %d vectors",
				  MANIFEST_VECTORS_MAX);
	struct manifest_vector *vectors = grow(
		manifest->vectors, manifest->vectors_len, sizeof(vectors[0]));
	if (!vectors)
		return -ENOMEM;
	manifest->vectors = vectors;
	struct manifest_vector *vector = &vectors[manifest->vectors_len++];
	*vector = (struct manifest_vector){ .size = size };
	(void)str_copy(vector->name, sizeof(vector->name), name);
	(void)str_copy(vector->sha256, sizeof(vector->sha256), sha256);
	return 0;
}

/* As YARA has them. */
static bool
is_identifier(const char *rule)
{
	size_t len = strspn(rule, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return len > 0 && len <= MANIFEST_MATCH_MAX && !rule[len] &&
	       !(rule[0] >= '0' && rule[0] <= '9');
}

int
manifest_add_match(struct manifest *manifest, const char *rule,
		   struct reason *why)
{
	if (!manifest->vectors_len)
		return reason_set(why, -EBADMSG, "has no vector to match");
	struct manifest_vector *vector =
		&manifest->vectors[manifest->vectors_len - 1];
	if (!is_identifier(rule))
		return bad(why, "vector", vector->name,
			   "with a match that is no name of a rule");
	for (size_t i = 0; i < vector->matches_len; i++)
		if (str_equal(vector->matches[i], rule))
			return bad(why, "vector", vector->name,
				   "with a match twice");
	if (vector->matches_len == MANIFEST_MATCHES_MAX)
		return bad(why, "vector", vector->name,
			   "with too many matches");
	char **matches =
		grow(vector->matches, vector->matches_len, sizeof(matches[0]));
	if (!matches)
		return -ENOMEM;
	vector->matches = matches;
	matches[vector->matches_len] = strdup(rule);
	if (!matches[vector->matches_len])
		return -ENOMEM;
	vector->matches_len++;
	return 0;
}

/* Checking: what is wrong with the whole. */

static int
compare_rules(const void *a, const void *b)
{
	const struct manifest_rule *first = a, *second = b;

	return path_compare(first->path, second->path);
}

static int
compare_vectors(const void *a, const void *b)
{
	const struct manifest_vector *first = a, *second = b;

	return strcmp(first->name, second->name);
}

static int
check_rules(struct manifest *manifest, struct reason *why)
{
	const struct manifest_rule *rules = manifest->rules;
	uint64_t size = 0;

	/* Nobody's protection ends by an update. */
	if (!manifest->rules_len)
		return reason_set(why, -EBADMSG, "has no rule file");
	qsort(manifest->rules, manifest->rules_len, sizeof(rules[0]),
	      compare_rules);
	for (size_t i = 0; i < manifest->rules_len; i++) {
		size += rules[i].size;
		if (i == 0)
			continue;
		const char *path = rules[i].path, *before = rules[i - 1].path;
		if (str_equal(path, before))
			return bad(why, "rule file", path, "twice");
		if (str_starts(path, before) && path[strlen(before)] == '/')
			return bad(why, "rule file", before,
				   "which is also the folder of another");
	}
	if (size > MANIFEST_RULES_SIZE_MAX)
		return reason_set(why, -EBADMSG,
				  "has rule files of %" PRIu64 " bytes, and "
				  "%d are allowed",
				  size, MANIFEST_RULES_SIZE_MAX);
	return 0;
}

static int
check_vectors(struct manifest *manifest, struct reason *why)
{
	const struct manifest_vector *vectors = manifest->vectors;
	uint64_t size = 0;

	if (manifest->vectors_len)
		qsort(manifest->vectors, manifest->vectors_len,
		      sizeof(vectors[0]), compare_vectors);
	for (size_t i = 0; i < manifest->vectors_len; i++) {
		size += vectors[i].size;
		if (i > 0 && str_equal(vectors[i].name, vectors[i - 1].name))
			return bad(why, "vector", vectors[i].name, "twice");
	}
	if (size > MANIFEST_VECTORS_SIZE_MAX)
		return reason_set(why, -EBADMSG,
				  "has vectors of %" PRIu64 " bytes, and %d "
				  "are allowed",
				  size, MANIFEST_VECTORS_SIZE_MAX);
	return 0;
}

static int
check(struct manifest *manifest, struct reason *why)
{
	char created[DATE_SIZE];

	if (manifest->number < 1 || manifest->number > INDEX_NUMBER_MAX)
		return reason_set(why, -EBADMSG, "has no number from 1 to %d",
				  INDEX_NUMBER_MAX);
	if (date_write(created, manifest->created_s) < 0)
		return reason_set(why, -EBADMSG,
				  "has a malformed date of creation");
	if (manifest->description[0] &&
	    !text_is_line(manifest->description, MANIFEST_DESCRIPTION_MAX))
		return reason_set(why, -EBADMSG,
				  "has a description that is no line of text");
	int r = check_rules(manifest, why);
	return r < 0 ? r : check_vectors(manifest, why);
}

const struct manifest_rule *
manifest_find(const struct manifest *manifest, const char *path)
{
	struct manifest_rule key;

	if (str_copy(key.path, sizeof(key.path), path) < 0)
		return NULL;
	return bsearch(&key, manifest->rules, manifest->rules_len, sizeof(key),
		       compare_rules);
}

/* Parsing. */

static int
parse_head(const struct doc_value *root, int64_t number,
	   struct manifest *manifest, struct reason *why)
{
	const char *created = doc_text(root, "created");
	const char *description = doc_text(root, "description");

	if (doc_number(root, "number", &manifest->number) < 0 ||
	    manifest->number != number)
		return reason_set(why, -EBADMSG,
				  "is not of release %" PRId64
				  ", by which it is named",
				  number);
	if (!created || date_parse(created, &manifest->created_s) < 0)
		return reason_set(why, -EBADMSG,
				  "has a malformed date of creation");
	if ((!description && doc_member(root, "description")) ||
	    str_copy(manifest->description, sizeof(manifest->description),
		     description ? description : "") < 0)
		return reason_set(why, -EBADMSG,
				  "has a description that is no text of up to "
				  "%d bytes",
				  MANIFEST_DESCRIPTION_MAX);
	return 0;
}

/* The three that each file has. */
static int
parse_file(const struct doc_value *value, const char *naming,
	   const char **ret_name, const char **ret_sum, uint64_t *ret_size,
	   struct reason *why)
{
	const char *name = doc_text(value, naming);
	const char *sum = doc_text(value, "sha256");
	int64_t size = doc_number_or(value, "size", -1);

	if (!name || !sum || size < 0)
		return reason_set(why, -EBADMSG,
				  "lists \"%.*s\" without \"%s\", \"sha256\" "
				  "or \"size\"",
				  SHOWN, name ? name : "", naming);
	*ret_name = name;
	*ret_sum = sum;
	*ret_size = (uint64_t)size;
	return 0;
}

static int
parse_rules(const struct doc_value *list, struct manifest *manifest,
	    struct reason *why)
{
	if (!doc_is_list(list, NULL))
		return reason_set(why, -EBADMSG, "has no list \"rules\"");
	for (size_t i = 0; i < doc_len(list, NULL); i++) {
		const char *path = "", *sum = "";
		uint64_t size = 0;
		int r = parse_file(doc_item(list, NULL, i), "path", &path, &sum,
				   &size, why);
		if (r == 0)
			r = manifest_add_rule(manifest, path, sum, size, why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
parse_vector(const struct doc_value *value, struct manifest *manifest,
	     struct reason *why)
{
	const struct doc_value *matches = doc_member(value, "matches");
	const char *name = "", *sum = "";
	uint64_t size = 0;

	int r = parse_file(value, "name", &name, &sum, &size, why);
	if (r == 0)
		r = manifest_add_vector(manifest, name, sum, size, why);
	if (r == 0 && !doc_is_list(matches, NULL))
		r = bad(why, "vector", name, "without a list \"matches\"");
	for (size_t i = 0; i < doc_len(matches, NULL) && r == 0; i++)
		r = manifest_add_match(
			manifest,
			doc_text_or(doc_item(matches, NULL, i), NULL, ""), why);
	return r;
}

static int
parse_vectors(const struct doc_value *list, struct manifest *manifest,
	      struct reason *why)
{
	int r = 0;

	if (list && !doc_is_list(list, NULL))
		return reason_set(why, -EBADMSG,
				  "has \"vectors\", which is no list");
	for (size_t i = 0; i < doc_len(list, NULL) && r == 0; i++)
		r = parse_vector(doc_item(list, NULL, i), manifest, why);
	return r;
}

int
manifest_parse(const void *bytes, size_t len, int64_t number,
	       struct manifest **ret_manifest, struct reason *why)
{
	CLEANUP(manifest_freep) struct manifest *manifest = manifest_new();
	CLEANUP(doc_freep) struct doc *doc = NULL;

	if (!manifest)
		return -ENOMEM;
	int r = format_parse(bytes, len, MANIFEST_SIZE_MAX, MANIFEST_FORMAT,
			     &doc, why);
	if (r < 0)
		return r;
	const struct doc_value *root = doc_root(doc);
	r = parse_head(root, number, manifest, why);
	if (r == 0)
		r = parse_rules(doc_member(root, "rules"), manifest, why);
	if (r == 0)
		r = parse_vectors(doc_member(root, "vectors"), manifest, why);
	if (r == 0)
		r = check(manifest, why);
	if (r == 0)
		*ret_manifest = TAKE(manifest);
	return r;
}

/* Writing. */

static struct doc *
file_doc(const char *naming, const char *name, const char *sha256,
	 uint64_t size)
{
	struct doc *doc = doc_new();

	doc_set_text(doc, naming, name);
	doc_set_text(doc, "sha256", sha256);
	doc_set_number(doc, "size", (int64_t)size);
	return doc;
}

static struct doc *
vector_doc(const struct manifest_vector *vector)
{
	struct doc *doc =
		file_doc("name", vector->name, vector->sha256, vector->size);

	doc_set(doc, "matches", doc_new_list());
	for (size_t i = 0; i < vector->matches_len; i++)
		doc_add_text(doc, "matches", vector->matches[i]);
	return doc;
}

static struct doc *
whole_doc(const struct manifest *manifest)
{
	struct doc *doc = doc_new();
	char created[DATE_SIZE];

	(void)date_write(created, manifest->created_s); /* it was checked */
	doc_set_number(doc, "format", MANIFEST_FORMAT);
	doc_set_number(doc, "number", manifest->number);
	doc_set_text(doc, "created", created);
	doc_set_text(doc, "description", manifest->description);
	for (size_t i = 0; i < manifest->rules_len; i++)
		doc_add(doc, "rules",
			file_doc("path", manifest->rules[i].path,
				 manifest->rules[i].sha256,
				 manifest->rules[i].size));
	doc_set(doc, "vectors", doc_new_list());
	for (size_t i = 0; i < manifest->vectors_len; i++)
		doc_add(doc, "vectors", vector_doc(&manifest->vectors[i]));
	return doc;
}

int
manifest_write(struct manifest *manifest, char **ret_text, struct reason *why)
{
	int r = check(manifest, why);
	if (r < 0)
		return r;
	CLEANUP(doc_freep) struct doc *doc = whole_doc(manifest);
	CLEANUP_FREE char *text = doc_write(doc);
	if (!text)
		return -ENOMEM;
	if (strlen(text) > MANIFEST_SIZE_MAX)
		return reason_set(why, -EBADMSG,
				  "has %zu bytes, and %d are allowed",
				  strlen(text), MANIFEST_SIZE_MAX);
	*ret_text = TAKE(text);
	return 0;
}
