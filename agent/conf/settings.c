/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/conf/nearest.h"
#include "agent/conf/source.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

void
settings_init(struct settings *settings)
{
	*settings = (struct settings){ .files_len = 1 };
	conf_init(&settings->conf);
}

void
settings_done(struct settings *settings)
{
	for (size_t i = 1; i < settings->files_len; i++)
		free(settings->files[i]);
	settings->files_len = 1;
}

/* The file that is being read. */
static const char *
current(const struct settings *settings)
{
	return settings->files[settings->files_len - 1];
}

static size_t
find_key(const struct settings *settings, const char *section, const char *key)
{
	const char *known_section;
	const char *known;
	char value[CONF_PATH_MAX];

	for (size_t i = 0; i < SETTINGS_KEYS_MAX; i++) {
		if (conf_list(&settings->conf, i, &known_section, &known, value,
			      sizeof(value)) < 0)
			break;
		if (str_equal(section, known_section) && str_equal(key, known))
			return i;
	}
	return SETTINGS_KEYS_MAX;
}

static void
on_error(void *arg, unsigned int line, const char *why)
{
	struct settings *settings = arg;

	problem_error(&settings->problem,
		      &(struct problem_place){ .file = current(settings),
					       .line = line },
		      "%s", why);
}

static void
on_section(void *arg, unsigned int line, const char *name)
{
	struct settings *settings = arg;
	struct problem_place place = { .file = current(settings),
				       .line = line,
				       .section = name };

	if (conf_has_section(name))
		return;
	const char *meant = nearest_section(name);
	if (meant)
		problem_error(&settings->problem, &place,
			      "no such section; is [%s] meant?", meant);
	else
		problem_error(&settings->problem, &place,
			      "no such section, see khien.conf(5)");
}

static void
unknown_key(struct settings *settings, const struct problem_place *place)
{
	const char *section;
	const char *key;

	if (!place->section[0]) {
		problem_error(&settings->problem,
			      &(struct problem_place){ .file = place->file,
						       .line = place->line },
			      "%s: stands before the first [section]",
			      place->key);
		return;
	}
	/* The section was told already. */
	if (!conf_has_section(place->section))
		return;
	if (nearest_key(place->section, place->key, &section, &key))
		problem_error(&settings->problem, place,
			      "no such key; is [%s] %s meant?", section, key);
	else
		problem_error(&settings->problem, place,
			      "no such key, see khien.conf(5)");
}

/* True, and told, when this file has set it before. */
static bool
is_second(struct settings *settings, const struct problem_place *place)
{
	size_t at = find_key(settings, place->section, place->key);

	if (at == SETTINGS_KEYS_MAX)
		return false;
	struct settings_origin *origin = &settings->origins[at];
	uint16_t file = (uint16_t)(settings->files_len - 1);
	if (origin->file == file) {
		problem_error(&settings->problem, place,
			      "is set twice in this file, first in line %u: "
			      "remove one",
			      origin->line);
		return true;
	}
	*origin = (struct settings_origin){ .file = file, .line = place->line };
	return false;
}

static void
on_key(void *arg, unsigned int line, const char *section, const char *key,
       const char *value)
{
	struct settings *settings = arg;
	struct problem_place place = { .file = current(settings),
				       .line = line,
				       .section = section,
				       .key = key };
	const char *why;

	if (is_second(settings, &place))
		return;
	int r = conf_set(&settings->conf, section, key, value, &why);
	if (r == -ENOENT)
		unknown_key(settings, &place);
	else if (r == -EOPNOTSUPP)
		problem_warning(&settings->problem, &place,
				"has no effect: what it governs is "
				"not built in this version");
	else if (r < 0)
		problem_error(&settings->problem, &place, "'%.200s' %s", value,
			      why ? why : "is not acceptable");
}

static int
add_file(struct settings *settings, const char *path)
{
	char *copy = strdup(path);

	if (!copy || settings->files_len == SETTINGS_FILES_MAX) {
		free(copy);
		problem_error(&settings->problem,
			      &(struct problem_place){ .file = path },
			      "is not read: more than %d files",
			      SETTINGS_FILES_MAX - 1);
		return -ENOSPC;
	}
	settings->files[settings->files_len++] = copy;
	return 0;
}

static struct source_reader
reader_of(struct settings *settings)
{
	return (struct source_reader){ .arg = settings,
				       .on_section = on_section,
				       .on_key = on_key,
				       .on_error = on_error };
}

static void
read_one(struct settings *settings, const char *path, bool optional)
{
	struct source_reader reader = reader_of(settings);
	const char *why;

	if (add_file(settings, path) < 0)
		return;
	int r = source_read(&reader, path, &why);
	if (r < 0 && !(r == -ENOENT && optional))
		problem_error(&settings->problem,
			      &(struct problem_place){ .file = path },
			      "cannot be read: %s", why);
}

static void
read_folder(struct settings *settings, const char *folder)
{
	char path[PATH_MAX];
	char **names = NULL;
	int len = source_list(folder, &names);

	if (len < 0)
		problem_error(&settings->problem,
			      &(struct problem_place){ .file = folder },
			      "cannot be read: %s", strerror(-len));
	for (int i = 0; i < len; i++) {
		int r = snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (r > 0 && (size_t)r < sizeof(path))
			read_one(settings, path, false);
	}
	source_free_names(names, len);
}

void
settings_read(struct settings *settings, const char *path, bool optional)
{
	char folder[PATH_MAX];
	int len = snprintf(folder, sizeof(folder), "%s.d", path);

	read_one(settings, path, optional);
	if (len > 0 && (size_t)len < sizeof(folder))
		read_folder(settings, folder);
}

void
settings_parse(struct settings *settings, const char *name,
	       const uint8_t *bytes, size_t len)
{
	struct source_reader reader = reader_of(settings);

	if (add_file(settings, name) < 0)
		return;
	int r = source_parse(&reader, bytes, len);
	if (r < 0)
		problem_error(&settings->problem,
			      &(struct problem_place){ .file = name },
			      "cannot be read: %s", strerror(-r));
}

bool
settings_find(const struct settings *settings, const char *section,
	      const char *key, struct problem_place *ret_place)
{
	size_t at = find_key(settings, section, key);

	if (at == SETTINGS_KEYS_MAX || !settings->origins[at].file)
		return false;
	*ret_place = (struct problem_place){
		.file = settings->files[settings->origins[at].file],
		.line = settings->origins[at].line,
		.section = section,
		.key = key,
	};
	return true;
}
