/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/buf.h"
#include "agent/lib/wildcard.h"
#include "agent/lib/str.h"

enum kind {
	SWITCH,
	NUMBER,
	NUMBER_OR_NONE, /* 0, or at least `low` */
	PATH,
	PATHS,
	PATTERNS,
	OPTIONAL_PATH,
	GROUP,
	WORD,
	URLS,
	PROXY,
	PERCENT,
};

/* Versions 14 and 19 lay these two out differently. */
/* clang-format off */
#define KEY(section_, key_, kind_, field_, low_, high_)                        \
	{                                                                      \
		.section = section_, .key = key_, .kind = kind_,               \
		.at = offsetof(struct conf, field_),                           \
		.size = sizeof(((struct conf *)0)->field_), .low = low_,       \
		.high = high_                                                  \
	}

#define NUMBER_KEY(section_, key_, field_, low_, high_, range_)                \
	{                                                                      \
		.section = section_, .key = key_, .kind = NUMBER,              \
		.at = offsetof(struct conf, field_),                           \
		.size = sizeof(((struct conf *)0)->field_), .low = low_,       \
		.high = high_,                                                 \
		.range = "must be a whole number " range_ ", without unit"     \
	}
/* clang-format on */

#define NONE_KEY(section_, key_, field_, low_, high_, range_)                  \
	{                                                                      \
		.section = section_, .key = key_, .kind = NUMBER_OR_NONE,      \
		.at = offsetof(struct conf, field_),                           \
		.size = sizeof(((struct conf *)0)->field_), .low = low_,       \
		.high = high_, .range = "must be 0 or a whole number " range_  \
	}

/* One of a few words; they end with a space each. */
#define WORD_KEY(section_, key_, field_, words_, range_)                       \
	{                                                                      \
		.section = section_, .key = key_, .kind = WORD,                \
		.at = offsetof(struct conf, field_),                           \
		.size = sizeof(((struct conf *)0)->field_), .words = words_,   \
		.range = "must be " range_                                     \
	}

static const struct key {
	const char *section, *key;
	enum kind kind;
	size_t at, size;
	uint64_t low, high;
	const char *words;
	const char *range; /* numbers, words: what to say of any other */
} keys[] = {
	KEY("agent", "state_dir", PATH, state_dir, 0, 0),
	KEY("agent", "run_dir", PATH, run_dir, 0, 0),
	KEY("agent", "group", GROUP, group, 0, 0),
	NONE_KEY("agent", "proof_s", proof_s, 10, 3600,
		 "of seconds, from 10 to 3600, without unit"),
	KEY("sensor", "process", SWITCH, process, 0, 0),
	KEY("sensor", "file", SWITCH, file, 0, 0),
	KEY("sensor", "network", SWITCH, network, 0, 0),
	KEY("sensor", "privilege", SWITCH, privilege, 0, 0),
	KEY("sensor", "sensitive", PATTERNS, sensitive, 0, 0),
	WORD_KEY("gate", "mode", mode, "off observe enforce ",
		 "off, observe or enforce"),
	KEY("gate", "watch", PATHS, watch, 0, 0),
	KEY("gate", "enforce", PATHS, enforce, 0, 0),
	KEY("gate", "exclude", PATHS, exclude, 0, 0),
	NUMBER_KEY("gate", "deadline_ms", deadline_ms, 50, 10000,
		   "of milliseconds, from 50 to 10000"),
	WORD_KEY("gate", "on_deadline", on_deadline, "allow deny ",
		 "allow or deny"),
	WORD_KEY("gate", "on_crash", on_crash, "allow deny ", "allow or deny"),
	WORD_KEY("gate", "on_unreached", on_unreached, "kill hold allow ",
		 "kill, hold or allow"),
	KEY("gate", "scope_cgroup", OPTIONAL_PATH, scope_cgroup, 0, 0),
	KEY("guard", "mode", SWITCH, guard, 0, 0),
	WORD_KEY("action", "on_malicious", on_malicious,
		 "alert block quarantine ", "alert, block or quarantine"),
	WORD_KEY("action", "min_severity", min_severity,
		 "informational low medium high critical ",
		 "informational, low, medium, high or critical"),
	NUMBER_KEY("scan", "workers", workers, 0, 4, "from 0 to 4"),
	NUMBER_KEY("scan", "max_size", max_size, 4096, 1ULL << 40,
		   "of bytes, from 4096 to 1099511627776"),
	NUMBER_KEY("scan", "timeout_ms", timeout_ms, 100, 600000,
		   "of milliseconds, from 100 to 600000"),
	KEY("rules", "dir", PATH, rules_dir, 0, 0),
	KEY("rules", "local_dir", PATH, local_dir, 0, 0),
	NUMBER_KEY("store", "max_size_mb", max_size_mb, 8, 1 << 20,
		   "of MiB, from 8 to 1048576"),
	NUMBER_KEY("store", "retention_days", retention_days, 1, 36500,
		   "of days, from 1 to 36500"),
	KEY("update", "url", URLS, url, 0, 0),
	KEY("update", "ca", OPTIONAL_PATH, ca, 0, 0),
	KEY("update", "proxy", PROXY, proxy, 0, 0),
	KEY("update", "place", PERCENT, place, 0, 0),
	KEY("update", "trust", PATH, trust, 0, 0),
};

#define KEYS_LEN (sizeof(keys) / sizeof(keys[0]))

/* Keys of the contract whose rooms are still empty. */
static const struct {
	const char *section, *key;
} later[] = {
	{ "scan", "archive_depth" },
	{ "scan", "archive_size" },
	{ "update", "interval" },
	{ "update", "ring" },
};

#define LATER_LEN (sizeof(later) / sizeof(later[0]))

void
conf_init(struct conf *conf)
{
	*conf = (struct conf){
		.state_dir = "/var/lib/khien",
		.run_dir = "/run/khien",
		.group = "khien",
		.proof_s = 60,
		.process = true,
		.file = true,
		.network = true,
		.privilege = true,
		.sensitive = "default",
		.mode = "observe",
		.deadline_ms = 500,
		.on_deadline = "allow",
		.on_crash = "deny",
		.on_unreached = "kill",
		.on_malicious = "block",
		.min_severity = "high",
		.max_size = 512ULL << 20,
		.timeout_ms = 10000,
		.rules_dir = "/usr/share/khien/rules",
		.local_dir = "/etc/khien/rules.d",
		.max_size_mb = 512,
		.retention_days = 30,
		.trust = "/usr/share/khien/update",
		.group_gid = UINT32_MAX,
	};
}

static int
set_switch(bool *field, const char *value, const char **ret_why)
{
	bool on = str_equal(value, "on");

	if (!on && !str_equal(value, "off")) {
		*ret_why = "must be on or off";
		return -EINVAL;
	}
	*field = on;
	return 0;
}

static int
set_number(void *field, const struct key *key, const char *value,
	   const char **ret_why)
{
	uint64_t number;

	int r = str_number(value, key->high, &number);
	bool none = r == 0 && number == 0 && key->kind == NUMBER_OR_NONE;
	if (r < 0 || (number < key->low && !none)) {
		*ret_why = key->range;
		return -EINVAL;
	}
	if (key->size == sizeof(uint32_t)) {
		uint32_t narrow = (uint32_t)number;
		memcpy(field, &narrow, sizeof(narrow));
	} else {
		memcpy(field, &number, sizeof(number));
	}
	return 0;
}

/* Every path of the ':'-separated list begins at the root. */
static bool
all_absolute(const char *paths)
{
	for (;;) {
		if (paths[0] != '/')
			return false;
		paths = strchr(paths, ':');
		if (!paths)
			return true;
		paths++;
	}
}

/* Patterns, and the word for the built-in ones. */
static bool
all_patterns(const char *text)
{
	for (;;) {
		size_t len = strcspn(text, ":");
		bool word = len == strlen("default") &&
			    strncmp(text, "default", len) == 0;
		if (!word && !wildcard_is_valid(text, len))
			return false;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

/* A mirror or a proxy: host, and no secret that everybody could read. */
static bool
is_address(const char *text, size_t len)
{
	size_t scheme = 0;

	if (strncmp(text, "http://", 7) == 0)
		scheme = 7;
	else if (strncmp(text, "https://", 8) == 0)
		scheme = 8;
	if (!scheme || len <= scheme || text[scheme] == '/')
		return false;
	for (size_t i = scheme; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' ||
		    strchr("@?#\\\"<>", text[i]))
			return false;
	return true;
}

static bool
all_addresses(const char *text)
{
	for (size_t i = 0; *text; i++) {
		size_t len = strcspn(text, " ");
		if (i == CONF_MIRRORS_MAX || !is_address(text, len))
			return false;
		text += len;
		if (*text == ' ' && !*++text)
			return false;
	}
	return true;
}

static int
set_text(char *field, const struct key *key, const char *value,
	 const char **ret_why)
{
	uint64_t number;

	if ((key->kind == PATH || (key->kind == OPTIONAL_PATH && value[0])) &&
	    value[0] != '/') {
		*ret_why = "must be an absolute path";
		return -EINVAL;
	}
	if (key->kind == PATHS && value[0] && !all_absolute(value)) {
		*ret_why = "must be absolute paths, separated by ':'";
		return -EINVAL;
	}
	if (key->kind == PATTERNS && value[0] && !all_patterns(value)) {
		*ret_why = "must be \"default\" or paths, separated by ':', "
			   "each with the name of its file or folder";
		return -EINVAL;
	}
	if (key->kind == GROUP && !value[0])
		*ret_why = "must be a group's name";
	else if (key->kind == URLS && !all_addresses(value))
		*ret_why = "must be http:// or https:// addresses without user "
			   "and password, at most 8, separated by one space";
	else if (key->kind == PROXY && value[0] &&
		 !is_address(value, strlen(value)))
		*ret_why = "must be one http:// or https:// address without "
			   "user and password";
	else if (key->kind == PERCENT && value[0] &&
		 str_number(value, 100, &number) < 0)
		*ret_why = "must be a whole number from 0 to 100, or empty";
	if (*ret_why)
		return -EINVAL;
	if (str_copy(field, key->size, value) < 0) {
		*ret_why = "is too long";
		return -EINVAL;
	}
	return 0;
}

static int
set_word(char *field, const struct key *key, const char *value,
	 const char **ret_why)
{
	const char *word = key->words;

	for (;;) {
		const char *end = strchr(word, ' ');

		if (!end) {
			*ret_why = key->range;
			return -EINVAL;
		}
		size_t len = (size_t)(end - word);
		if (strlen(value) == len && memcmp(value, word, len) == 0)
			return str_copy(field, key->size, value);
		word = end + 1;
	}
}

int
conf_set(struct conf *conf, const char *section, const char *key,
	 const char *value, const char **ret_why)
{
	*ret_why = NULL;
	for (size_t i = 0; i < KEYS_LEN; i++) {
		const struct key *entry = &keys[i];
		if (!str_equal(entry->section, section) ||
		    !str_equal(entry->key, key))
			continue;
		char *field = (char *)conf + entry->at;
		switch (entry->kind) {
		case SWITCH:
			return set_switch((bool *)field, value, ret_why);
		case NUMBER:
		case NUMBER_OR_NONE:
			return set_number(field, entry, value, ret_why);
		case WORD:
			return set_word(field, entry, value, ret_why);
		default:
			return set_text(field, entry, value, ret_why);
		}
	}
	for (size_t i = 0; i < LATER_LEN; i++)
		if (str_equal(later[i].section, section) &&
		    str_equal(later[i].key, key))
			return -EOPNOTSUPP;
	return -ENOENT;
}

bool
conf_has_section(const char *section)
{
	for (size_t i = 0; i < KEYS_LEN; i++)
		if (str_equal(keys[i].section, section))
			return true;
	for (size_t i = 0; i < LATER_LEN; i++)
		if (str_equal(later[i].section, section))
			return true;
	return false;
}

static void
number_text(char *dst, size_t size, const void *field, size_t field_size)
{
	uint64_t wide = 0;
	uint32_t narrow;

	if (field_size == sizeof(narrow)) {
		memcpy(&narrow, field, sizeof(narrow));
		wide = narrow;
	} else {
		memcpy(&wide, field, sizeof(wide));
	}
	(void)snprintf(dst, size, "%llu", (unsigned long long)wide);
}

int
conf_list(const struct conf *conf, size_t at, const char **ret_section,
	  const char **ret_key, char *dst, size_t size)
{
	char number[24];
	const char *text = number;

	if (at >= KEYS_LEN)
		return -ENOENT;
	const struct key *entry = &keys[at];
	const char *field = (const char *)conf + entry->at;
	if (entry->kind == SWITCH)
		text = *(const bool *)field ? "on" : "off";
	else if (entry->kind == NUMBER || entry->kind == NUMBER_OR_NONE)
		number_text(number, sizeof(number), field, entry->size);
	else
		text = field;
	*ret_section = entry->section;
	*ret_key = entry->key;
	return str_copy(dst, size, text);
}

void
conf_put(struct buf *buf, const struct conf *conf)
{
	buf_put_text(buf, conf->state_dir);
	buf_put_text(buf, conf->run_dir);
	buf_put_text(buf, conf->group);
	buf_put_u32(buf, conf->proof_s);
	buf_put_u8(buf, conf->process);
	buf_put_u8(buf, conf->file);
	buf_put_u8(buf, conf->network);
	buf_put_u8(buf, conf->privilege);
	buf_put_text(buf, conf->sensitive);
	buf_put_text(buf, conf->mode);
	buf_put_text(buf, conf->watch);
	buf_put_text(buf, conf->enforce);
	buf_put_text(buf, conf->exclude);
	buf_put_u32(buf, conf->deadline_ms);
	buf_put_text(buf, conf->on_deadline);
	buf_put_text(buf, conf->on_crash);
	buf_put_text(buf, conf->on_unreached);
	buf_put_text(buf, conf->scope_cgroup);
	buf_put_u8(buf, conf->guard);
	buf_put_text(buf, conf->on_malicious);
	buf_put_text(buf, conf->min_severity);
	buf_put_u32(buf, conf->workers);
	buf_put_u64(buf, conf->max_size);
	buf_put_u32(buf, conf->timeout_ms);
	buf_put_text(buf, conf->rules_dir);
	buf_put_text(buf, conf->local_dir);
	buf_put_u32(buf, conf->max_size_mb);
	buf_put_u32(buf, conf->retention_days);
	buf_put_text(buf, conf->url);
	buf_put_text(buf, conf->ca);
	buf_put_text(buf, conf->proxy);
	buf_put_text(buf, conf->place);
	buf_put_text(buf, conf->trust);
	buf_put_text(buf, conf->source);
	buf_put_u8(buf, conf->guard_disarmed);
	for (size_t i = 0; i < CONF_ROLES_MAX; i++) {
		buf_put_u32(buf, conf->role_uid[i]);
		buf_put_u32(buf, conf->role_gid[i]);
	}
	buf_put_u32(buf, conf->group_gid);
}

static void
get_field(struct buf *buf, char *field, size_t size)
{
	(void)str_copy(field, size, buf_get_text(buf, size - 1));
}

int
conf_get(struct buf *buf, struct conf *ret_conf)
{
	struct conf *conf = ret_conf;

	get_field(buf, conf->state_dir, sizeof(conf->state_dir));
	get_field(buf, conf->run_dir, sizeof(conf->run_dir));
	get_field(buf, conf->group, sizeof(conf->group));
	conf->proof_s = buf_get_u32(buf);
	conf->process = buf_get_u8(buf) != 0;
	conf->file = buf_get_u8(buf) != 0;
	conf->network = buf_get_u8(buf) != 0;
	conf->privilege = buf_get_u8(buf) != 0;
	get_field(buf, conf->sensitive, sizeof(conf->sensitive));
	get_field(buf, conf->mode, sizeof(conf->mode));
	get_field(buf, conf->watch, sizeof(conf->watch));
	get_field(buf, conf->enforce, sizeof(conf->enforce));
	get_field(buf, conf->exclude, sizeof(conf->exclude));
	conf->deadline_ms = buf_get_u32(buf);
	get_field(buf, conf->on_deadline, sizeof(conf->on_deadline));
	get_field(buf, conf->on_crash, sizeof(conf->on_crash));
	get_field(buf, conf->on_unreached, sizeof(conf->on_unreached));
	get_field(buf, conf->scope_cgroup, sizeof(conf->scope_cgroup));
	conf->guard = buf_get_u8(buf) != 0;
	get_field(buf, conf->on_malicious, sizeof(conf->on_malicious));
	get_field(buf, conf->min_severity, sizeof(conf->min_severity));
	conf->workers = buf_get_u32(buf);
	conf->max_size = buf_get_u64(buf);
	conf->timeout_ms = buf_get_u32(buf);
	get_field(buf, conf->rules_dir, sizeof(conf->rules_dir));
	get_field(buf, conf->local_dir, sizeof(conf->local_dir));
	conf->max_size_mb = buf_get_u32(buf);
	conf->retention_days = buf_get_u32(buf);
	get_field(buf, conf->url, sizeof(conf->url));
	get_field(buf, conf->ca, sizeof(conf->ca));
	get_field(buf, conf->proxy, sizeof(conf->proxy));
	get_field(buf, conf->place, sizeof(conf->place));
	get_field(buf, conf->trust, sizeof(conf->trust));
	get_field(buf, conf->source, sizeof(conf->source));
	conf->guard_disarmed = buf_get_u8(buf) != 0;
	for (size_t i = 0; i < CONF_ROLES_MAX; i++) {
		conf->role_uid[i] = buf_get_u32(buf);
		conf->role_gid[i] = buf_get_u32(buf);
	}
	conf->group_gid = buf_get_u32(buf);
	return buf_done(buf) ? 0 : -EBADMSG;
}
