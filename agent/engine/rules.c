/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/rules.h"

#include <stdlib.h>
#include <string.h>

#include "agent/engine/behaviour.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"

#define PARTS 7
/* A list that takes longer is not worth waiting for: another may begin. */
#define BUILD_NS UINT64_C(10000000000)

enum part {
	PART_RULE,
	PART_ID,
	PART_RULESET,
	PART_DESCRIPTION,
	PART_SEVERITY,
	PART_ATTACK,
	PART_ERROR,
};

static void
list_done(struct rules_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->texts[i]);
	free(list->texts);
	*list = (struct rules_list){ 0 };
}

void
rules_done(struct rules *rules)
{
	list_done(&rules->active);
	list_done(&rules->building);
	*rules = (struct rules){ 0 };
}

static const char *
part(const char *text, enum part wanted)
{
	for (unsigned int i = 0; i < wanted; i++)
		text += strlen(text) + 1;
	return text;
}

static bool
has_room(struct rules_list *list, size_t len)
{
	if (list->len == RULES_MAX || len > RULES_BYTES_MAX - list->bytes)
		return false;
	if (list->len < list->size)
		return true;
	size_t size = list->size ? 2 * list->size : 64;
	void *texts = reallocarray(list->texts, size, sizeof(char *));
	if (!texts)
		return false;
	list->texts = texts;
	list->size = size;
	return true;
}

static void
append(struct rules_list *list, const struct msg_rule *rule)
{
	const char *parts[PARTS] = {
		rule->rule.rule,     rule->rule.id,
		rule->rule.ruleset,  rule->rule.description,
		rule->rule.severity, rule->rule.attack,
		rule->error,
	};
	size_t len = 0;
	char *text = NULL;

	for (size_t i = 0; i < PARTS; i++)
		len += strlen(parts[i]) + 1;
	if (has_room(list, len))
		text = malloc(len);
	if (!text) {
		list->cut = true;
		return;
	}
	list->texts[list->len++] = text;
	list->bytes += len;
	for (size_t i = 0; i < PARTS; i++)
		text = stpcpy(text, parts[i]) + 1;
	list->failed += *rule->error != '\0';
}

void
rules_take(struct rules *rules, uint16_t index, const struct msg_rule *rule,
	   uint64_t now_ns)
{
	bool other = rules->is_building && rules->builder != index &&
		     now_ns - rules->begun_ns < BUILD_NS;

	if (rule->number == 0 && !other) {
		list_done(&rules->building);
		rules->is_building = true;
		rules->builder = index;
		rules->next = 0;
		rules->begun_ns = now_ns;
	}
	if (!rules->is_building || rules->builder != index ||
	    rules->next != rule->number)
		return;
	rules->next++;
	/* A list without any rule is one message that names none. */
	if (*rule->rule.rule || *rule->error)
		append(&rules->building, rule);
	if (!rule->last)
		return;
	list_done(&rules->active);
	rules->active = rules->building;
	rules->building = (struct rules_list){ 0 };
	rules->is_building = false;
	rules->whole = true;
}

void
rules_forget(struct rules *rules, uint16_t index)
{
	if (!rules->is_building || rules->builder != index)
		return;
	list_done(&rules->building);
	rules->is_building = false;
}

size_t
rules_loaded(const struct rules *rules)
{
	return rules->active.len - rules->active.failed;
}

size_t
rules_failed(const struct rules *rules)
{
	return rules->active.failed;
}

static void
set(struct doc *doc, const char *name, const char *text)
{
	if (*text)
		doc_set_text(doc, name, text);
}

struct doc *
rules_write(const struct rules *rules, size_t i)
{
	const char *text = rules->active.texts[i];
	const char *attack = part(text, PART_ATTACK);
	const char *severity = part(text, PART_SEVERITY);
	const char *error = part(text, PART_ERROR);
	struct doc *doc = doc_new();

	set(doc, "rule.name", part(text, PART_RULE));
	set(doc, "rule.uuid", part(text, PART_ID));
	set(doc, "rule.ruleset", part(text, PART_RULESET));
	set(doc, "rule.description", part(text, PART_DESCRIPTION));
	if (!*error)
		doc_set_text(doc, "khien.severity",
			     msg_severity_find(severity) ? severity : "medium");
	if (*attack)
		doc_set(doc, "threat.technique.id", doc_from_words(attack));
	doc_set_text(doc, "khien.state", *error ? "failed" : "loaded");
	set(doc, "khien.error", error);
	return doc;
}

struct doc *
rules_write_behaviour(const struct behaviour *behaviour)
{
	struct doc *doc = doc_new();

	doc_set_text(doc, "rule.name", behaviour->name);
	doc_set_text(doc, "rule.uuid", behaviour->id);
	doc_set_text(doc, "rule.ruleset", BEHAVIOUR_RULESET);
	doc_set_text(doc, "rule.description", behaviour->description);
	doc_set_text(doc, "khien.severity", behaviour->severity);
	doc_set(doc, "threat.technique.id", doc_from_words(behaviour->attack));
	doc_set_text(doc, "khien.state", "loaded");
	return doc;
}

const char *
rules_name(const struct rules *rules, size_t i)
{
	const char *text = rules->active.texts[i];

	return *part(text, PART_ERROR) ? NULL : part(text, PART_RULE);
}

const char *
rules_first_error(const struct rules *rules)
{
	for (size_t i = 0; i < rules->active.len; i++) {
		const char *error = part(rules->active.texts[i], PART_ERROR);
		if (*error)
			return error;
	}
	return "";
}
